// residency-rules, templates, assertions, advisor, activation and capacity: every finding, with its
// place; and what the good ones mean.
#include <catch2/catch.hpp>

#include "tests/zones/findings.h"

namespace demarc::testing {
namespace {

using namespace std::chrono_literals;

struct Row {
  std::string text;                   // line 9 and on
  std::vector<std::string> findings;  // after "policy.yaml:"
};

void check_policy(const std::string& key, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.text);
    std::vector<std::string> expected;
    for (const std::string& line : row.findings) expected.push_back("policy.yaml:" + line);
    CHECK(findings({{"policy.yaml", small_policy + key + ":" + row.text},
                    {"zones/a.yaml", small_zone}}) == expected);
  }
}

const std::string neither_or_both =
    " says neither or both; expected `at-least` with `of`, or `never-together` with two regions or "
    "more";
const std::string milliseconds = "; expected an integer and ms, s, m, h or d, from 10ms to ";

/// A hard service of EU with a record at home and one in us; `record` goes on in the second, which
/// is line 10, `service` is line 11 and on.
Files service_files(const std::string& record, const std::string& service) {
  return {{"policy.yaml", small_policy},
          {"zones/a.yaml", service_head + R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 1, endpoint: a.example.net, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: b.example.net)" +
                               record + " }\n" + service}};
}

void check_service(const std::vector<Row>& rows, bool of_record) {
  for (const Row& row : rows) {
    CAPTURE(row.text);
    std::vector<std::string> expected;
    for (const std::string& line : row.findings) expected.push_back("zones/a.yaml:" + line);
    CHECK(findings(of_record ? service_files(row.text, "") : service_files("", row.text)) ==
          expected);
  }
}

/// One item of `replication-lag`, on line 13.
std::string lag(const std::string& items) {
  return "    activation:\n      replication-lag:\n" + items;
}

}  // namespace

TEST_CASE("policy.yaml: what is refused under residency-rules", "[zones][yaml]") {
  check_policy(
      "residency-rules",
      {{" deny", {"9:18: [wrong-type] residency-rules is text; expected a list"}},
       {" [deny]", {"9:19: [wrong-type] residency rule is text; expected a map"}},
       {" []", {"9:18: [empty-list] residency-rules is an empty list; expected at least one item"}},
       {"\n  - {}",
        {"10:5: [missing-key] residency rule without `id`; expected that key",
         "10:5: [missing-key] residency rule without `effect`; expected that key"}},
       {"\n  - { id: a, effect: refuse }",
        {"10:22: [bad-choice] effect is `refuse`; expected one of allow, deny"}},
       {"\n  - { id: a b, effect: deny }",
        {"10:11: [bad-name] id is `a b`; expected 1 to 63 letters, digits, `-`, `_` or `.`"}},
       {"\n  - { id: default-deny, effect: deny }\n  - { id: grant-required, effect: allow }",
        {"10:11: [reserved-name] id `default-deny`; expected another, it has its own meaning",
         "11:11: [reserved-name] id `grant-required`; expected another, it has its own meaning"}},
       {"\n  - { id: a, effect: deny }\n  - { id: a, effect: allow }",
        {"11:11: [id-twice] id `a` again; expected it once"}},
       {"\n  - { id: a, effect: deny, form: EU }",
        {"10:28: [unknown-key] unknown key `form` in residency rule; did you mean `from`?"}},
       {"\n  - { id: a, effect: deny, from: [EU, EUR], to: UK }",
        {"10:39: [unknown-jurisdiction] unknown jurisdiction `EUR`; did you mean `EU`?",
         "10:49: [unknown-jurisdiction] unknown jurisdiction `UK`; did you mean `US`?"}},
       {"\n  - { id: a, effect: deny, from: [] }",
        {"10:34: [empty-list] from is an empty list; expected at least one item"}},
       {"\n  - { id: a, effect: deny, zone: a..b, service: \"*.example.com\" }",
        {"10:34: [bad-name] `a..b`; expected a domain name or \"*\""}},
       {"\n  - { id: a, effect: deny, zone: \"\", service: ~ }",
        {"10:34: [wrong-type] zone is empty; expected text",
         "10:38: [wrong-type] service is nothing; expected text"}},
       {"\n  - { id: a, effect: deny, mode: write, basis: [] }",
        {"10:34: [bad-choice] mode is `write`; expected one of read-only, scoped-write, full-write",
         "10:48: [wrong-type] basis is a list; expected text"}}});
}

TEST_CASE("policy.yaml: what is refused under templates", "[zones][yaml]") {
  const std::string head = "\n  - { id: t, zone: example.com, service: api.example.com, ";
  const std::string whole = head + "from: eu, to: us, mode: read-only";
  check_policy(
      "templates",
      {{" {}", {"9:12: [wrong-type] templates is a map; expected a list"}},
       {"\n  - {}",
        {"10:5: [missing-key] template without `id`; expected that key",
         "10:5: [missing-key] template without `zone`; expected that key",
         "10:5: [missing-key] template without `service`; expected that key",
         "10:5: [missing-key] template without `from`; expected that key",
         "10:5: [missing-key] template without `to`; expected that key",
         "10:5: [missing-key] template without `mode`; expected that key"}},
       {head + "from: eu, to: uss, mode: all }",
        {"10:73: [unknown-region] unknown region `uss`; did you mean `us`?",
         "10:84: [bad-choice] mode is `all`; expected one of read-only, scoped-write, full-write"}},
       {head + "from: [], to: us, mode: read-only }",
        {"10:65: [empty-list] from is an empty list; expected at least one item"}},
       {head + "from: [eu, eu], to: us, mode: read-only }",
        {"10:70: [region-twice] region `eu` again; expected it once in a list"}},
       {whole + ", max-share: 0, max-duration: 0s }",
        {"10:105: [bad-integer] max-share is `0`; expected an integer from 1 to 100",
         "10:122: [bad-duration] max-duration is `0s`; expected an integer and ms, s, m, h or d, "
         "from 1s to 366d"}},
       {whole + ", max-share: 101, max-duration: 367d }",
        {"10:105: [bad-integer] max-share is `101`; expected an integer from 1 to 100",
         "10:124: [bad-duration] max-duration is `367d`; expected an integer and ms, s, m, h or d, "
         "from 1s to 366d"}},
       {"\n  - { id: t, zone: a..b, service: api.example.com, from: eu, to: us, mode: read-only }",
        {"10:20: [bad-name] `a..b`; expected a domain name or \"*\""}},
       {whole + " }\nassertions:\n  - { id: t, at-least: 1, of: eu }",
        {"12:11: [id-twice] id `t` again; expected it once"}}});
}

TEST_CASE("policy.yaml: what is refused under assertions", "[zones][yaml]") {
  const std::string at = "10:5: [bad-assertion] assertion `a`";
  check_policy(
      "assertions",
      {{" one", {"9:13: [wrong-type] assertions is text; expected a list"}},
       {"\n  - {}",
        {"10:5: [missing-key] assertion without `id`; expected that key",
         "10:5: [bad-assertion] assertion ``" + neither_or_both}},
       {"\n  - { id: a }", {at + neither_or_both}},
       {"\n  - { id: a, at-least: 1 }", {at + neither_or_both}},
       {"\n  - { id: a, of: [eu] }", {at + neither_or_both}},
       {"\n  - { id: a, never-together: [eu] }", {at + neither_or_both}},
       {"\n  - { id: a, at-least: 1, of: [eu], never-together: [eu, us] }", {at + neither_or_both}},
       {"\n  - { id: a, at-least: 0, of: [eu] }",
        {at + neither_or_both,
         "10:24: [bad-integer] at-least is `0`; expected an integer from 1 to 1000"}},
       {"\n  - { id: a, at-least: 3, of: [eu, ch] }",
        {at + " asks for 3 of 2 regions; expected as many at most"}},
       {"\n  - { id: a, at-least: 2, of: [eu, ch] }", {}},
       {"\n  - { id: a, at-least: 2, of: [eu, eu] }",
        {"10:36: [region-twice] region `eu` again; expected it once in a list"}},
       {"\n  - { id: a, never-together: [eu, eu] }",
        {"10:35: [region-twice] region `eu` again; expected it once in a list"}},
       {"\n  - { id: a, at-least: 1, of: [eu, mars] }",
        {"10:36: [unknown-region] unknown region `mars`; expected one of eu, ch, us"}},
       {"\n  - { id: a, at-least: 1, of: [eu], service: api..x }",
        {"10:46: [bad-name] `api..x`; expected a domain name or \"*\""}},
       {"\n  - { id: a, at-least: 1, of: [eu], services: api }",
        {"10:37: [unknown-key] unknown key `services` in assertion; did you mean `service`?"}}});
}

TEST_CASE("policy.yaml: what is refused under advisor", "[zones][yaml]") {
  check_policy(
      "advisor",
      {{" http://opa/", {"9:10: [wrong-type] advisor is text; expected a map"}},
       {" {}", {"9:10: [missing-key] advisor without `url`; expected that key"}},
       {" { url: ftp://opa/, timeout: 9ms }",
        {"9:17: [bad-url] url is `ftp://opa/`; expected http:// or https://",
         "9:38: [bad-duration] timeout is `9ms`" + milliseconds + "10s"}},
       {" { url: opa, timeout: 10001ms }",
        {"9:17: [bad-url] url is `opa`; expected http:// or https://",
         "9:31: [bad-duration] timeout is `10001ms`" + milliseconds + "10s"}},
       {" { url: \"https://opa/\", timeout: 1 }",
        {"9:42: [bad-duration] timeout is `1`" + milliseconds + "10s"}},
       {" { url: \"http://opa/\", time-out: 1s }",
        {"9:32: [unknown-key] unknown key `time-out` in advisor; did you mean `timeout`?"}},
       {" { url: \"http://opa/\", timeout: 10s }", {}}});
}

TEST_CASE("service: what is refused under activation", "[zones][yaml]") {
  const std::string percent = "; expected percent, as 60%";
  const std::string url = "url: \"http://x/\", ";
  check_service(
      {{"    activation: healthy", {"11:17: [wrong-type] activation is text; expected a map"}},
       {"    activation: { target: up }",
        {"11:27: [bad-choice] target is `up`; expected one of healthy, any"}},
       {"    activation: { capacity: much }",
        {"11:29: [bad-percent] capacity is `much`" + percent}},
       {"    activation: { capacity: -1% }", {"11:29: [bad-percent] capacity is `-1%`" + percent}},
       {"    activation: { capacity: 60 % }",
        {"11:29: [bad-percent] capacity is `60 %`" + percent}},
       {"    activation: { capacity: 60%% }",
        {"11:29: [bad-percent] capacity is `60%%`" + percent}},
       {"    activation: { capacity: \"%\" }", {"11:29: [bad-percent] capacity is `%`" + percent}},
       {"    activation: { capacity: 10001 }",
        {"11:29: [bad-percent] capacity is `10001`" + percent}},
       {"    activation: { capacity: [60%] }",
        {"11:29: [wrong-type] capacity is a list; expected text"}},
       {"    activation: { lag: 3 }",
        {"11:19: [unknown-key] unknown key `lag` in activation; expected one of target, capacity, "
         "replication-lag"}},
       {"    activation: { replication-lag: {} }",
        {"11:36: [wrong-type] replication-lag is a map; expected a list"}},
       {lag("        - {}"),
        {"13:11: [missing-key] replication-lag without `region`; expected that key",
         "13:11: [missing-key] replication-lag without `url`; expected that key",
         "13:11: [missing-key] replication-lag without `pointer`; expected that key",
         "13:11: [missing-key] replication-lag without `max`; expected that key"}},
       {lag("        - { region: uss, url: \"ftp://x/\", pointer: lag, max: -1 }"),
        {"13:21: [unknown-region] unknown region `uss`; did you mean `us`?",
         "13:31: [bad-url] url is `ftp://x/`; expected http:// or https://",
         "13:52: [bad-pointer] pointer is `lag`; expected it to begin with /, and ~ as ~0 (RFC "
         "6901)",
         "13:62: [bad-integer] max is `-1`; expected an integer from 0 to 1000000000"}},
       {lag("        - { region: us, " + url + "pointer: /a~2, max: 1.5 }"),
        {"13:52: [bad-pointer] pointer is `/a~2`; expected it to begin with /, and ~ as ~0 (RFC "
         "6901)",
         "13:63: [bad-integer] max is `1.5`; expected an integer from 0 to 1000000000"}},
       {lag("        - { region: us, " + url + "pointer: /a~, max: 1 }"),
        {"13:52: [bad-pointer] pointer is `/a~`; expected it to begin with /, and ~ as ~0 (RFC "
         "6901)"}},
       {lag("        - { region: us, " + url +
            "pointer: /lag, max: 1000000001, interval: 9ms, timeout: 25h, probe-at: here }"),
        {"13:63: [bad-integer] max is `1000000001`; expected an integer from 0 to 1000000000",
         "13:85: [bad-duration] interval is `9ms`" + milliseconds + "1d",
         "13:99: [bad-duration] timeout is `25h`" + milliseconds + "1d",
         "13:114: [bad-probe-at] probe-at is `here`; expected an address and a port, as "
         "127.0.0.1:8081"}},
       // Two of one region would share a key: one would be measured, and both judged by it.
       {lag("        - { region: us, " + url + "pointer: /a, max: 1 }\n        - { region: us, " +
            url + "pointer: /b, max: 2 }"),
        {"14:21: [region-twice] region `us` again; expected one lag for each"}},
       {lag("        - { region: ch, " + url + "pointer: /a, max: 1 }"),
        {"13:21: [region-without-record] warning: region `ch`, in which the service has no record; "
         "expected one of its own"}}},
      false);
}

TEST_CASE("service: what is refused of a record's capacity", "[zones][yaml]") {
  check_service(
      {{", capacity: lots", {"10:69: [bad-percent] capacity is `lots`; expected percent, as 60%"}},
       {", capacity: 10001%",
        {"10:69: [bad-percent] capacity is `10001%`; expected percent, as 60%"}},
       {", capacity: ~", {"10:59: [wrong-type] capacity is nothing; expected text"}},
       {", capcity: 3",
        {"10:59: [unknown-key] unknown key `capcity` in record; did you mean `capacity`?"}},
       {", capacity: 10000%", {}},
       {", capacity: 0", {}}},
      true);
}

TEST_CASE("service: activation and capacity are read as they are written", "[zones][yaml]") {
  Diagnostics diagnostics;
  const auto repository = load(service_files(", capacity: 45%", R"(    activation:
      target: any
      capacity: 60
      replication-lag:
        - region: us
          url: "https://replica.example:8443/health"
          pointer: /a~1b/m~0n/0
          max: 30
          probe-at: "[2001:db8::1]:8443"
          interval: 5s
          timeout: 250ms
        - { region: eu, url: "http://home.example/", pointer: /lag, max: 0 }
)"),
                               diagnostics);
  CHECK(lines_of(diagnostics) == std::vector<std::string>{});
  REQUIRE(repository);
  const zones::Service& api = repository->services.at(0);
  CHECK_FALSE(api.records.at(0).capacity);
  CHECK(api.records.at(1).capacity == 45U);
  CHECK_FALSE(api.activation.target_healthy);
  CHECK(api.activation.capacity == 60U);
  REQUIRE(api.activation.lag.size() == 2);
  const zones::LagCheck& first = api.activation.lag[0];
  CHECK(first.key == "example.com/api/lag/us");
  CHECK(first.region == repository->policy.find_region("us"));
  CHECK(first.url == "https://replica.example:8443/health");
  CHECK(first.pointer == "/a~1b/m~0n/0");
  CHECK(first.max == 30);
  REQUIRE(first.probe_at.has_value());
  CHECK(first.probe_at->port == 8443);
  CHECK(first.interval == 5s);
  CHECK(first.timeout == 250ms);
  CHECK(api.activation.lag[1].key == "example.com/api/lag/eu");
  CHECK_FALSE(api.activation.lag[1].probe_at);

  Diagnostics none;
  const auto plain = load(service_files("", ""), none);
  REQUIRE(plain);
  CHECK(plain->services.at(0).activation.target_healthy);  // without the key as well
  CHECK_FALSE(plain->services.at(0).activation.capacity);
}

TEST_CASE("policy.yaml: rules, templates, assertions and advisor are read as they are written",
          "[zones][yaml]") {
  const std::string text = R"(residency-rules:
  - { id: reads, effect: allow, zone: Example.COM., service: "*", from: EU, to: [CH, US],
      mode: read-only, basis: Art. 45 }
  - { id: nothing-else, effect: deny }
templates:
  - { id: t, zone: example.com, service: api.example.com., from: eu, to: [us, ch],
      mode: full-write, max-share: 30, max-duration: 2h }
assertions:
  - { id: one, at-least: 1, of: [ch, eu], service: api.example.com }
  - { id: apart, never-together: [eu, us], zone: example.com }
advisor: { url: "http://127.0.0.1:8181/v1/data/crossing", timeout: 250ms }
)";
  const auto load_policy = [&](const std::string& rules) {
    Diagnostics diagnostics;
    auto repository =
        load({{"policy.yaml", small_policy + rules}, {"zones/a.yaml", small_zone}}, diagnostics);
    CHECK(lines_of(diagnostics) == std::vector<std::string>{});
    REQUIRE(repository);
    return repository;
  };
  const auto repository = load_policy(text);
  const zones::Policy& policy = repository->policy;
  REQUIRE(policy.residency_rules.size() == 2);
  const zones::ResidencyRule& reads = policy.residency_rules[0];
  CHECK(reads.effect == zones::Effect::allow);
  CHECK(reads.zone == "example.com");
  CHECK(reads.service == "*");
  CHECK(reads.from == std::vector{*policy.find_jurisdiction("EU")});
  CHECK(reads.to == std::vector{*policy.find_jurisdiction("CH"), *policy.find_jurisdiction("US")});
  CHECK(reads.mode == zones::Mode::read_only);
  CHECK(reads.basis == "Art. 45");
  CHECK(policy.residency_rules[1].to.empty());
  CHECK_FALSE(policy.residency_rules[1].mode);

  REQUIRE(policy.templates.size() == 1);
  const zones::PlanTemplate& plan = policy.templates[0];
  CHECK(plan.service == "api.example.com");
  CHECK(plan.to == std::vector<std::string>{"ch", "us"});  // sorted
  CHECK(plan.max_share == 30);
  CHECK(plan.max_duration == 2h);
  CHECK(plan.digest.size() == 64);

  REQUIRE(policy.assertions.size() == 2);
  CHECK(policy.assertions[0].kind == zones::Assertion::Kind::at_least);
  CHECK(policy.assertions[0].count == 1);
  CHECK(policy.assertions[0].regions ==  // the file's order says which are kept
        std::vector{*policy.find_region("ch"), *policy.find_region("eu")});
  CHECK(policy.assertions[0].zone == "*");
  CHECK(policy.assertions[1].kind == zones::Assertion::Kind::never_together);
  CHECK(policy.assertions[1].zone == "example.com");
  REQUIRE(policy.advisor.has_value());
  CHECK(policy.advisor->url == "http://127.0.0.1:8181/v1/data/crossing");
  CHECK(policy.advisor->timeout == 250ms);

  // A template's digest is of all that it says: a grant under it ends with any change.
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"max-share: 30", "max-share: 31"},
                                                        {"max-duration: 2h", "max-duration: 3h"},
                                                        {"mode: full-write", "mode: scoped-write"},
                                                        {"to: [us, ch]", "to: [us]"}}) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    CAPTURE(to);
    CHECK(load_policy(changed)->policy.templates[0].digest != plan.digest);
  }
}

}  // namespace demarc::testing
