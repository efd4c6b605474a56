// Policy tests: the example's pass, wrong expectations fail at their place, wrong names are found.
#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/zones/findings.h"
#include "zones/policy_tests.h"
#include "zones/repository.h"
#include "zones/yaml/policy_tests_file.h"

namespace demarc::zones {
namespace {

const std::string example = DEMARC_SOURCE_DIR "/zones/example";

geo::Location nowhere(const geo::Address& /*address*/) { return {}; }

std::unique_ptr<Repository> load_example() {
  Diagnostics diagnostics;
  auto repository = load_repository(example, diagnostics);
  REQUIRE(repository != nullptr);
  return repository;
}

struct Ran {
  std::vector<std::string> findings;
  std::vector<std::string> failed;  // "LINE: WHAT: EXPECTED / OBSERVED"
  std::size_t checked = 0;
};

/// Runs one test of the example; `body` is what stands below its name, indented by four.
Ran run(const std::string& body) {
  const auto repository = load_example();
  Diagnostics diagnostics;
  const auto tests =
      yaml::read_policy_tests("tests:\n  - name: one\n" + body, "policy-tests/t.yaml", diagnostics);
  Ran ran;
  if (!diagnostics.has_errors()) {
    for (const auto& result : run_policy_tests(*repository, tests, nowhere, diagnostics)) {
      ran.checked += result.checked;
      for (const FailedExpectation& failed : result.failed) {
        ran.failed.push_back(std::to_string(failed.place.line) + ": " + failed.what + ": " +
                             failed.expected + " / " + failed.observed);
      }
    }
  }
  ran.findings = testing::lines_of(diagnostics);
  return ran;
}

TEST_CASE("policy tests: those of the example pass", "[zones][policy-tests]") {
  const auto repository = load_example();
  Diagnostics diagnostics;
  const auto tests = yaml::load_policy_tests(example, diagnostics);
  CHECK(tests.size() >= 10);
  const auto results = run_policy_tests(*repository, tests, nowhere, diagnostics);
  CHECK(testing::lines_of(diagnostics).empty());
  CHECK(results.size() == tests.size());
  for (const PolicyTestResult& result : results) {
    CAPTURE(result.name);
    CHECK(result.checked > 0);
    CHECK(result.failed.empty());
  }
}

TEST_CASE("policy tests: a wrong expectation fails at its place, with what was seen",
          "[zones][policy-tests]") {
  const auto [body, expected] = GENERATE(table<std::string, std::string>({
      {"    expect:\n      - { service: api.example.com, client: DE, answers: global-failover }\n",
       "4: api.example.com for DE: answers: global-failover / eu"},
      {"    given: { down: eu }\n    expect:\n      - { service: api.example.com, held: false }\n",
       "5: api.example.com: held: false / true"},
      {"    given: { down: eu }\n    expect:\n      - { service: api.example.com, note: exception "
       "}\n",
       "5: api.example.com for an unknown client: note: exception / held"},
      {"    given: { down: shop.eu.example.net }\n    expect:\n"
       "      - { service: shop.example.com, crossing: none }\n",
       "5: shop.example.com: crossing: none / us-east"},
      {"    expect:\n      - { service: api.example.com, rule: hard-residency }\n",
       "4: api.example.com: rule: hard-residency / none"},
      {"    given:\n      tokens: [{ signed-by: legal-1, service: api.example.com, from: eu,\n"
       "                 to: global-failover, mode: scoped-write }]\n"
       "    expect:\n      - token: accepted\n",
       "7: the last token: accepted / refused mode"},
      {"    expect:\n      - { token: accepted }\n",
       "4: the last token: accepted / no token was given"},
      {"    given: { drained: [accounts.ap.example.net] }\n    expect:\n"
       "      - { service: accounts.example.com, client: JP, answers: nodata }\n",
       "5: accounts.example.com for JP: answers: nodata / ap"},
  }));
  const Ran ran = run(body);
  CHECK(ran.findings.empty());
  CHECK(ran.failed == std::vector<std::string>{expected});
}

TEST_CASE("policy tests: what does not exist is a finding, and nothing runs",
          "[zones][policy-tests]") {
  const std::string fine = "    expect: [{ service: api.example.com, held: false }]\n";
  const auto [body, expected] = GENERATE_COPY(table<std::string, std::string>({
      {"    expect: [{ service: nope.example.com, held: false }]\n",
       "policy-tests/t.yaml:3:25: [unknown-service] there is no service `nope.example.com`; "
       "expected an absolute name as api.example.com"},
      {"    given: { down: mars }\n" + fine,
       "policy-tests/t.yaml:3:20: [unknown-target] no record has the region or endpoint `mars`; "
       "expected one of a service"},
      {"    given: { down: accounts.ch.example.net }\n" + fine,
       "policy-tests/t.yaml:3:20: [unchecked-target] no health check belongs to "
       "`accounts.ch.example.net`, so it is never down; expected one that is checked, or "
       "`drained`"},
      {"    given: { tokens: [{ signed-by: nobody }] }\n" + fine,
       "policy-tests/t.yaml:3:36: [unknown-key-id] the policy has no key `nobody`; expected the id "
       "of one of its keys"},
      {"    given: { lag: { mars: 3 } }\n" + fine,
       "policy-tests/t.yaml:3:21: [unknown-region] the policy has no region `mars`; expected one "
       "of "
       "its regions"},
      {"    expect: [{ service: api.example.com, client: ZZ, held: false }]\n",
       "policy-tests/t.yaml:3:50: [bad-client] client is `ZZ`; expected a country as DE, an "
       "address, a network or `unknown`"},
      {"    expect: [{ service: api.example.com }]\n",
       "policy-tests/t.yaml:3:14: [empty-expectation] nothing is expected; expected one of "
       "answers, "
       "note, held, crossing, rule, token"},
      {"    expect: [{ held: true }]\n",
       "policy-tests/t.yaml:3:14: [missing-key] the expectation names no service; expected "
       "`service`"},
  }));
  const Ran ran = run(body);
  CHECK(ran.checked == 0);
  CHECK(ran.findings == std::vector<std::string>{expected});
}

TEST_CASE("policy tests: an unknown key has a hint", "[zones][policy-tests]") {
  const Ran ran =
      run("    given: { dwon: eu }\n    expect: [{ service: api.example.com, held: true }]\n");
  REQUIRE(ran.findings.size() == 1);
  CHECK(ran.findings[0].starts_with("policy-tests/t.yaml:3:14: [unknown-key]"));
  CHECK(ran.findings[0].find("did you mean `down`") != std::string::npos);
}

TEST_CASE("policy tests: the clock of a test decides whether a key still signs",
          "[zones][policy-tests]") {
  auto repository = load_example();
  repository->policy.approvals->keys[0].not_after = default_test_clock() + std::chrono::hours{24};
  const auto with_clock = [&](const std::string& clock) {
    Diagnostics diagnostics;
    const auto tests = yaml::read_policy_tests(
        "tests:\n  - name: one\n    given:\n      clock: " + clock +
            "\n      tokens: [{ signed-by: legal-1, service: api.example.com, from: eu, "
            "to: global-failover, mode: full-write }]\n    expect: [{ token: accepted }]\n",
        "t.yaml", diagnostics);
    const auto results = run_policy_tests(*repository, tests, nowhere, diagnostics);
    REQUIRE(results.size() == 1);
    return results[0].failed.empty() ? std::string{} : results[0].failed[0].observed;
  };
  CHECK(with_clock("2026-01-01T13:00:00Z").empty());
  CHECK(with_clock("2026-01-02T13:00:00Z") == "refused expired-key");
}

}  // namespace
}  // namespace demarc::zones
