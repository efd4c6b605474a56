// The map against the ground: what the databases say against what the policy declares.
#include <algorithm>
#include <map>

#include <catch2/catch.hpp>

#include "tests/zones/findings.h"
#include "tests/zones/world.h"
#include "zones/ground.h"

namespace demarc::zones {
namespace {

using namespace testing;

struct Found {
  const char* country = "";
  const char* registered = "";
  std::uint32_t asn = 0;
};

LocateAddress all_at(Found found) {
  return [found](const geo::Address& /*address*/) {
    geo::Location location;
    if (*found.country != '\0') location.country = code(found.country);
    if (*found.registered != '\0') location.registered_country = code(found.registered);
    location.asn = found.asn;
    return location;
  };
}

/// One service with one record in region eu, at the given address.
Repository repository_at(const char* address, std::vector<std::uint32_t> asns = {}) {
  Service made = service("api", Residency::hard, {record(eu, 100, "api.eu.example.net")});
  made.records[0].addresses = {*geo::parse_address(address)};
  made.records[0].place = {"zones/a.yaml", 7, 9};
  Policy policy = small_policy();
  policy.regions[0].asns = std::move(asns);
  return repository_of({made}, policy);
}

TEST_CASE("ground: the country, where it is registered, the network", "[zones][ground]") {
  const auto [what, found, asns, rule, text] =
      GENERATE(table<const char*, Found, std::vector<std::uint32_t>, std::string, std::string>({
          {"it agrees", {"DE", "FR", 64500}, {64500}, "", ""},
          {"no ASN is declared", {"DE", "DE", 7}, {}, "", ""},
          {"another country",
           {"US", "US", 0},
           {},
           "ground-country",
           "api.example.com record eu 193.0.6.1: the database says US, region eu lies in EU"},
          {"a standby is another country too",
           {"CH", "", 0},
           {},
           "ground-country",
           "api.example.com record eu 193.0.6.1: the database says CH, region eu lies in EU"},
          {"registered elsewhere",
           {"DE", "US", 0},
           {},
           "ground-registered-country",
           "api.example.com record eu 193.0.6.1: the database says it is registered in US, region "
           "eu lies in EU"},
          {"another network",
           {"DE", "DE", 7},
           {64500},
           "ground-asn",
           "api.example.com record eu 193.0.6.1: the database says AS7, which region eu does not "
           "declare"},
          {"nothing is known",
           {"", "", 0},
           {64500},
           "ground-unknown",
           "api.example.com record eu 193.0.6.1: the database does not know it"},
          {"the network alone is known, and right", {"", "", 64500}, {64500}, "", ""},
      }));
  CAPTURE(what);
  const auto report = compare_with_ground(repository_at("193.0.6.1", asns), all_at(found));
  CHECK(report.compared == 1);
  CHECK(report.skipped == 0);
  if (rule.empty()) {
    CHECK(report.findings.empty());
  } else {
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].rule == rule);
    CHECK(report.findings[0].text == text);
    CHECK(report.findings[0].is_disagreement == (rule != "ground-unknown"));
    CHECK(report.findings[0].place == Place{"zones/a.yaml", 7, 9});
  }
}

TEST_CASE("ground: a target whose addresses rotate is one disagreement, told once",
          "[zones][ground]") {
  const auto told_of = [](std::vector<const char*> addresses, Found found) {
    Repository repository = repository_at("193.0.6.1");
    repository.services[0].records[0].addresses.clear();
    ResolvedEndpoint resolved{name("api.eu.example.net"), {}, true};
    for (const char* text : addresses) resolved.addresses.push_back(*geo::parse_address(text));
    Disagreements told;
    add_disagreements(compare_resolved(repository, resolved, true, all_at(found)), told);
    return told;
  };
  const auto first = told_of({"8.8.8.8", "8.8.4.4"}, {"US"});
  REQUIRE(first.size() == 1);
  CHECK(first.begin()->first == std::pair<std::string, std::string>("api.example.com", "eu"));
  CHECK(first.begin()->second.text.find("8.8.4.4") == std::string::npos);
  CHECK(first == told_of({"8.8.4.4"}, {"US"}));
  CHECK(first != told_of({"8.8.8.8"}, {"JP"}));
  CHECK(first != told_of({"8.8.8.8"}, {"DE", "US"}));
  CHECK(told_of({"8.8.8.8"}, {"DE", "DE"}).empty());
  CHECK(told_of({"8.8.8.8"}, {}).empty());  // not known is no disagreement
}

TEST_CASE("ground: addresses that are nobody's are skipped and counted", "[zones][ground]") {
  const auto [address, is_special] = GENERATE(table<const char*, bool>({
      {"192.0.2.10", true},       {"198.51.100.1", true}, {"203.0.113.9", true},
      {"10.255.255.255", true},   {"11.0.0.0", false},    {"172.31.255.255", true},
      {"172.32.0.0", false},      {"192.168.1.1", true},  {"100.64.0.1", true},
      {"100.128.0.0", false},     {"127.0.0.1", true},    {"169.254.1.1", true},
      {"223.255.255.255", false}, {"224.0.0.1", true},    {"255.255.255.255", true},
      {"2001:db8::1", true},      {"2001:db9::1", false}, {"fc00::1", true},
      {"fe80::1", true},          {"::1", true},          {"2a00:1450::1", false},
  }));
  CAPTURE(address);
  const auto report = compare_with_ground(repository_at(address), all_at({"US", "US", 0}));
  CHECK(report.skipped == (is_special ? 1U : 0U));
  CHECK(report.findings.size() == (is_special ? 0U : 1U));
}

TEST_CASE("ground: a jurisdiction without countries cannot be compared", "[zones][ground]") {
  Repository repository = repository_at("193.0.6.1");
  repository.policy.jurisdictions[0].countries.clear();
  CHECK(compare_with_ground(repository, all_at({"US", "", 0})).compared == 0);
}

TEST_CASE("ground: a CNAME endpoint is compared by what it resolves to", "[zones][ground]") {
  Repository repository = repository_at("193.0.6.1");
  repository.services[0].records[0].addresses.clear();
  const Name target = name("api.eu.example.net");
  CHECK(cname_targets(repository) == std::vector{target});
  const ResolvedEndpoint good{target, {*geo::parse_address("8.8.8.8")}, true};
  const auto report = compare_resolved(repository, good, true, all_at({"US", "US", 0}));
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].rule == "ground-cname");
  CHECK(report.findings[0].text ==
        "api.example.com record eu api.eu.example.net (8.8.8.8): the database says US, region eu "
        "lies in EU");
  // Its own declaration wins over its region's.
  repository.services[0].records[0].jurisdiction = US;
  CHECK(compare_resolved(repository, good, true, all_at({"US", "US", 0})).findings.empty());
}

TEST_CASE("ground: a CNAME target declared elsewhere than its region is foreign to a hard service",
          "[zones][ground]") {
  Repository repository = repository_at("193.0.6.1");
  Service& api = repository.services[0];
  api.records[0].addresses.clear();
  CHECK(is_eligible(repository.policy, api, api.records[0], EU));
  api.records[0].jurisdiction = US;
  CHECK_FALSE(is_eligible(repository.policy, api, api.records[0], EU));
  api.records[0].jurisdiction = CH;  // the standby
  CHECK(is_eligible(repository.policy, api, api.records[0], EU));
}

TEST_CASE("ground: regions declare networks, CNAME records their law", "[zones][ground]") {
  std::string policy = demarc::testing::small_policy;
  policy.insert(policy.find("location: [50, 8]"), "asns: [64500, 64501], ");
  const auto with = [&](const std::string& record) {
    return demarc::testing::Files{
        {"policy.yaml", policy},
        {"zones/a.yaml", demarc::testing::service_head +
                             "    records:\n      - { region: eu, weight: "
                             "1, endpoint: a.example.net, " +
                             record + " }\n"}};
  };
  Diagnostics diagnostics;
  const auto repository = demarc::testing::load(with("jurisdiction: CH"), diagnostics);
  REQUIRE(repository != nullptr);
  CHECK(repository->policy.regions[0].asns == std::vector<std::uint32_t>{64500, 64501});
  CHECK(repository->services[0].records[0].jurisdiction ==
        repository->policy.find_jurisdiction("CH"));
  CHECK(demarc::testing::findings(with("jurisdiction: MARS")) ==
        std::vector<std::string>{"zones/a.yaml:7:73: [unknown-jurisdiction] unknown jurisdiction "
                                 "`MARS`; expected one of policy.yaml"});
  CHECK(demarc::testing::findings(with("jurisdiction: CH, addresses: 192.0.2.1")) ==
        std::vector<std::string>{
            "zones/a.yaml:7:73: [jurisdiction-of-addresses] jurisdiction `CH` "
            "beside addresses, which lie where the region does; expected it with "
            "a CNAME's endpoint alone"});
}

TEST_CASE("ground: what was not validated is not compared, unless that is asked for",
          "[zones][ground]") {
  Repository repository = repository_at("193.0.6.1");
  repository.services[0].records[0].addresses.clear();
  const ResolvedEndpoint plain{name("api.eu.example.net"), {*geo::parse_address("8.8.8.8")}, false};
  const auto strict = compare_resolved(repository, plain, true, all_at({"US", "US", 0}));
  REQUIRE(strict.findings.size() == 1);
  CHECK(strict.findings[0].rule == "ground-unvalidated");
  CHECK_FALSE(strict.findings[0].is_disagreement);
  CHECK(strict.compared == 0);
  const auto lax = compare_resolved(repository, plain, false, all_at({"US", "US", 0}));
  REQUIRE(lax.findings.size() == 1);
  CHECK(lax.findings[0].rule == "ground-cname");
}

TEST_CASE("ground: check warns of disagreements alone", "[zones][ground]") {
  Diagnostics diagnostics;
  add_ground_warnings(compare_with_ground(repository_at("193.0.6.1"), all_at({"US", "", 0})),
                      diagnostics);
  add_ground_warnings(compare_with_ground(repository_at("193.0.6.1"), all_at({"", "", 0})),
                      diagnostics);
  REQUIRE(diagnostics.list().size() == 1);
  CHECK(diagnostics.list()[0].line() ==
        "zones/a.yaml:7:9: [ground-country] warning: api.example.com record eu 193.0.6.1: the "
        "database says US, region eu lies in EU; expected addresses of the region's jurisdiction");
}

}  // namespace
}  // namespace demarc::zones
