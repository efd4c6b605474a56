// Scenario files: what is read, and every finding with its place.
#include <fstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/zones/findings.h"
#include "zones/drill/scenario_rules.h"
#include "zones/yaml/scenario_file.h"

namespace demarc::testing {
namespace {

using zones::drill::ActionKind;
using zones::drill::Scenario;

std::vector<std::string> findings_of(const std::string& text) {
  Diagnostics diagnostics;
  (void)zones::yaml::parse_scenario(text, "d.yaml", diagnostics);
  return lines_of(diagnostics);
}

const std::string head = "drill: d\n";
const std::string good = head + "timeline: [{ at: 0s, fail: a.example }]\n";

TEST_CASE("scenario: what is left out has its default", "[zones][drill]") {
  Diagnostics diagnostics;
  const auto scenario = zones::yaml::parse_scenario(good, "d.yaml", diagnostics);
  CHECK(lines_of(diagnostics).empty());
  REQUIRE(scenario);
  CHECK(scenario->name == "d");
  CHECK(scenario->read_rto == Milliseconds(180'000));
  CHECK(scenario->write_rto == Milliseconds(900'000));
  CHECK(scenario->lasts == Milliseconds(300'000));
  REQUIRE(scenario->timeline.size() == 1);
  CHECK(scenario->timeline[0].kind == ActionKind::fail);
  CHECK(scenario->timeline[0].targets == std::vector<std::string>{"a.example"});
}

TEST_CASE("scenario: actions are played by time, whatever their order in the file",
          "[zones][drill]") {
  Diagnostics diagnostics;
  const auto scenario = zones::yaml::parse_scenario(
      head + "timeline: [{ at: 9s, recover: a }, { at: 1s, fail: a }, { at: 1s, freeze: why }]\n",
      "d.yaml", diagnostics);
  REQUIRE(scenario);
  REQUIRE(scenario->timeline.size() == 3);
  CHECK(scenario->timeline[0].kind == ActionKind::fail);
  CHECK(scenario->timeline[1].kind == ActionKind::freeze);
  CHECK(scenario->timeline[2].kind == ActionKind::recover);
}

TEST_CASE("scenario: every mistake is told with its place", "[zones][drill]") {
  const BadFile row = GENERATE(values<BadFile>({
      {"no name",
       "timeline: [{ at: 0s, fail: a }]",
       {"d.yaml:1:1: [missing-key] scenario without `drill`; expected that key"}},
      {"misspelt key",
       good + "objectivs: {}",
       {"d.yaml:3:1: [unknown-key] unknown key `objectivs` in scenario; did you mean "
        "`objectives`?"}},
      {"two things at once",
       head + "timeline: [{ at: 0s, fail: a, recover: a }]",
       {"d.yaml:2:12: [drill-action] an action that does 2 things; expected exactly one of fail, "
        "recover, token, freeze, unfreeze, drain, undrain, revoke"}},
      {"nothing at all",
       head + "timeline: [{ at: 0s }]",
       {"d.yaml:2:12: [drill-action] an action that does 0 things; expected exactly one of fail, "
        "recover, token, freeze, unfreeze, drain, undrain, revoke"}},
      {"after the end",
       head + "lasts: 10s\ntimeline: [{ at: 10s, fail: a }]",
       {"d.yaml:3:12: [after-the-end] an action at 10s; expected one before the drill's end at "
        "10s"}},
      {"expected after the end",
       good + "lasts: 10s\nexpect: [{ at: 11s, service: a, held: true }]",
       {"d.yaml:4:10: [after-the-end] an expectation at 11s; expected one not after the drill's "
        "end at 10s"}},
      {"expects nothing",
       good + "expect: [{ at: 1s, service: a }]",
       {"d.yaml:3:10: [expects-nothing] an expectation of nothing; expected answers, held or "
        "crossing"}},
      {"token of nobody",
       head + "timeline: [{ at: 0s, token: { service: a } }]",
       {"d.yaml:2:29: [token-source] a token with neither `file` nor `signed-by`; expected either "
        "`file` or `signed-by`"}},
      {"token from elsewhere",
       head + "timeline: [{ at: 0s, token: { file: ../secret } }]",
       {"d.yaml:2:37: [token-outside] token file `../secret`; expected a path inside the "
        "scenario's folder"}},
      {"token without scope",
       head + "timeline: [{ at: 0s, token: { signed-by: k } }]",
       {"d.yaml:2:29: [token-scope] a token to be signed without `service`, `from` or `to`; "
        "expected all three"}},
      {"a token id twice",
       head + "timeline:\n"
              "  - { at: 0s, token: { file: a, id: x } }\n"
              "  - { at: 1s, token: { file: b, id: x } }\n",
       {"d.yaml:4:5: [token-twice] token id `x` again; expected each id once"}},
      {"drain without end",
       head + "timeline: [{ at: 0s, drain: eu }]",
       {"d.yaml:2:12: [missing-key] a drain without `for`; expected how long it lasts"}},
      {"bad how",
       head + "timeline: [{ at: 0s, fail: a, how: silen }]",
       {"d.yaml:2:36: [bad-choice] how is `silen`; did you mean `silent`?"}},
      {"a country that is none",
       good + "clients: [DE, UK]",
       {"d.yaml:3:15: [bad-country] country is `UK`; did you mean `GB`?"}},
  }));
  CAPTURE(row.name);
  CHECK(findings_of(row.text) == row.findings);
}

TEST_CASE("scenario: nothing is longer than four hours", "[zones][drill]") {
  CHECK(findings_of(good + "lasts: 4h").empty());
  CHECK(findings_of(good + "lasts: 241m").size() == 1);
}

/// Two services, `api` with a check, `old` without.
const Files repository_files = {{"policy.yaml", small_policy}, {"zones/a.yaml", small_zone + R"(
services:
  api:
    records: [{ region: eu, weight: 1, endpoint: api.eu.example.net, addresses: 192.0.2.1 }]
    health-checks: [{ endpoint: http://api.eu.example.net/ }]
  old:
    records: [{ region: us, weight: 1, endpoint: old.us.example.net, addresses: 192.0.2.2 }]
)"}};

std::vector<std::string> findings_against_repository(const std::string& text, bool live = false) {
  Diagnostics loading, diagnostics;
  const auto repository = load(repository_files, loading);
  INFO(lines_of(loading).size());
  REQUIRE(repository);
  const auto scenario = zones::yaml::parse_scenario(text, "d.yaml", diagnostics);
  REQUIRE(scenario);
  zones::drill::check_scenario(*scenario, *repository, diagnostics);
  if (live) zones::drill::check_live(*scenario, diagnostics);
  return lines_of(diagnostics);
}

TEST_CASE("scenario: names are held against the repository", "[zones][drill]") {
  const BadFile row = GENERATE(values<BadFile>({
      {"all known", head + "timeline: [{ at: 0s, fail: api.eu.example.net }]", {}},
      {"a region fails all of it", head + "timeline: [{ at: 0s, fail: eu }]", {}},
      {"unknown endpoint",
       head + "timeline: [{ at: 0s, fail: api.eu.example.ne }]",
       {"d.yaml:2:12: [unknown-endpoint] endpoint or region `api.eu.example.ne`; did you mean "
        "`api.eu.example.net`?"}},
      {"a failure that nothing would see",
       head + "timeline: [{ at: 0s, fail: us }]",
       {"d.yaml:2:12: [drill-unchecked] no health check probes `us`, so its failure would not be "
        "seen; expected an endpoint with a check"}},
      {"unknown service",
       head + "services: [ap]\ntimeline: [{ at: 0s, fail: eu }]",
       {"d.yaml:1:1: [unknown-service] service `ap`; did you mean `api`?",
        "d.yaml:1:1: [drill-of-nothing] no service is in the drill's scope; expected one at "
        "least"}},
      {"a role without keys",
       head + "sign-off: { legal: 1 }\ntimeline: [{ at: 0s, fail: eu }]",
       {"d.yaml:1:1: [unknown-role] sign-off by role `legal`; the policy has no keys"}},
  }));
  CAPTURE(row.name);
  CHECK(findings_against_repository(row.text) == row.findings);
}

TEST_CASE("scenario: a live drill fails everything at once", "[zones][drill]") {
  const BadFile row = GENERATE(values<BadFile>({
      {"one failure, one recovery",
       head + "timeline: [{ at: 0s, fail: eu }, { at: 9s, recover: eu }]",
       {}},
      {"two failures",
       head + "timeline: [{ at: 0s, fail: eu }, { at: 2s, fail: eu }]",
       {"d.yaml:2:34: [live-at-once] endpoints fail at two times; a live drill expects them to do "
        "so together"}},
      {"something else comes back",
       head + "timeline: [{ at: 0s, fail: eu }, { at: 2s, recover: api.eu.example.net }]",
       {"d.yaml:1:1: [live-at-once] what recovers is not what failed before; a live drill expects "
        "the same endpoints, later"}},
  }));
  CAPTURE(row.name);
  CHECK(findings_against_repository(row.text, true) == row.findings);
}

TEST_CASE("scenario: the published schema has keys that the reader knows", "[zones][drill]") {
  std::ifstream file(DEMARC_SOURCE_DIR "/zones/schema/drill.schema.json");
  const auto properties = nlohmann::json::parse(file).at("properties");
  const auto knows = [](const nlohmann::json& keys, const std::string& before,
                        const std::string& after) {
    for (const auto& [key, schema] : keys.items()) {
      CAPTURE(key);
      for (const std::string& line : findings_of(before + key + ": {}" + after)) {
        CHECK(line.find("[unknown-key]") == std::string::npos);
      }
    }
  };
  knows(properties, "", "");
  const auto& action = properties["timeline"]["items"]["properties"];
  knows(action, "timeline: [{ ", " }]");
  knows(action["token"]["properties"], "timeline: [{ token: { ", " } }]");
  knows(properties["expect"]["items"]["properties"], "expect: [{ ", " }]");
  CHECK(findings_of("zzz: 1").at(0).find("[unknown-key]") != std::string::npos);
}

}  // namespace
}  // namespace demarc::testing
