// Base weights against residency, and other rules between records and services.
#include <catch2/catch.hpp>

#include "tests/zones/findings.h"

namespace demarc::testing {
namespace {

TEST_CASE("rules: what base weights may not do", "[zones][rules]") {
  const std::vector<BadFile> rows = {
      {"inside home",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
)",
       {}},
      {"approved standby is inside",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: ch, weight: 100, endpoint: a.ch.example, addresses: 203.0.113.1 }
)",
       {}},
      {"the other way is not",
       R"(    residency: hard
    home: CH
    records:
      - { region: eu, weight: 1, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: ch, weight: 100, endpoint: a.ch.example, addresses: 203.0.113.1 }
)",
       {"zones/a.yaml:9:9: [base-crossing] by base weights, record `a.eu.example` in region eu "
        "(EU) answers clients everywhere, outside home CH of hard service `api`; expected weight 0 "
        "for it, or a route that reaches a record inside first"}},
      {"one weighted set",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 100, endpoint: a.us.example, addresses: 198.51.100.1 }
)",
       {"zones/a.yaml:10:9: [base-crossing] by base weights, record `a.us.example` in region us "
        "(US) answers clients everywhere, outside home EU of hard service `api`; expected weight 0 "
        "for it, or a route that reaches a record inside first"}},
      {"soft may cross",
       R"(    residency: soft
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 100, endpoint: a.us.example, addresses: 198.51.100.1 }
)",
       {}},
      {"all weights zero",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 0, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
)",
       {}},
      {"foreign alone has weight",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 0, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 100, endpoint: a.us.example, addresses: 198.51.100.1 }
)",
       {"zones/a.yaml:10:9: [base-crossing] by base weights, record `a.us.example` in region us "
        "(US) answers clients everywhere, outside home EU of hard service `api`; expected weight 0 "
        "for it, or a route that reaches a record inside first"}},
      {"lines: foreign for some",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 100, endpoint: a.us.example, addresses: 198.51.100.1 }
    route:
      - { country: [US, CA], to: [us, eu] }
      - { default: [eu, us] })",
       {"zones/a.yaml:10:9: [base-crossing] by base weights, record `a.us.example` in region us "
        "(US) answers clients in CA, in US, outside home EU of hard service `api`; expected weight "
        "0 for it, or a route that reaches a record inside first"}},
      {"lines: foreign second is fine",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 100, endpoint: a.us.example, addresses: 198.51.100.1 }
    route: [{ default: [eu, us] }])",
       {}},
      {"lines: only foreign",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    route:
      - { continent: NA, to: us }
      - { default: eu })",
       {"zones/a.yaml:5:3: [route-all-foreign] the route of hard service `api` names no region "
        "with a record inside home EU for clients in AG, in AI, in AW and 38 more; expected at "
        "least one"}},
      {"lines: asn, network, subdivision",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 100, endpoint: a.us.example, addresses: 198.51.100.1 }
    route:
      - { asn: 64500, to: us }
      - { network: 192.0.2.0/24, to: [us, eu] }
      - { subdivision: US-CA, to: [us, eu] }
      - { default: eu })",
       {"zones/a.yaml:5:3: [route-all-foreign] the route of hard service `api` names no region "
        "with a record inside home EU for clients of AS64500; expected at least one",
        "zones/a.yaml:10:9: [base-crossing] by base weights, record `a.us.example` in region us "
        "(US) answers clients of AS64500, in US-CA, in 192.0.2.0/24, outside home EU of hard "
        "service `api`; expected weight 0 for it, or a route that reaches a record inside first"}},
      {"nearest",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 100, endpoint: a.us.example, addresses: 198.51.100.1 }
    route: nearest)",
       {"zones/a.yaml:10:9: [base-crossing] by base weights, record `a.us.example` in region us "
        "(US) answers clients in AG, in AI, in AQ and 75 more, outside home EU of hard service "
        "`api`; expected weight 0 for it, or a route that reaches a record inside first"}},
      {"nearest with a limit",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    route: { nearest: [eu, us], limit: 1 })",
       {"zones/a.yaml:5:3: [route-all-foreign] the route of hard service `api` names no region "
        "with a record inside home EU for clients in AG, in AI, in AQ and 75 more; expected at "
        "least one"}},
      {"nearest with weight zero abroad",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    route: nearest)",
       {}},
      {"no record at home",
       R"(    residency: hard
    home: EU
    records:
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
)",
       {"zones/a.yaml:5:3: [home-without-record] hard service `api` has no record inside its home "
        "EU; expected at least one"}},
      {"client: each at home",
       R"(    residency: hard
    home: client
    default-home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: ch, weight: 100, endpoint: a.ch.example, addresses: 203.0.113.1 }
      - { region: us, weight: 100, endpoint: a.us.example, addresses: 198.51.100.1 }
    route:
      - { jurisdiction: US, to: us }
      - { jurisdiction: CH, to: ch }
      - { default: eu })",
       {}},
      {"client: a home without record",
       R"(    residency: hard
    home: client
    default-home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 100, endpoint: a.us.example, addresses: 198.51.100.1 }
    route:
      - { jurisdiction: US, to: us }
      - { default: eu })",
       {"zones/a.yaml:5:3: [home-without-record] warning: hard service `api` has no record inside "
        "CH, the home of clients in CH; expected one, `on-block` alone answers them"}},
      {"client: one weighted set crosses",
       R"(    residency: hard
    home: client
    default-home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 100, endpoint: a.us.example, addresses: 198.51.100.1 }
)",
       {"zones/a.yaml:5:3: [home-without-record] warning: hard service `api` has no record inside "
        "CH, the home of clients in CH; expected one, `on-block` alone answers them",
        "zones/a.yaml:10:9: [base-crossing] by base weights, record `a.eu.example` in region eu "
        "(EU) answers clients in US, outside home US of hard service `api`; expected weight 0 for "
        "it, or a route that reaches a record inside first",
        "zones/a.yaml:11:9: [base-crossing] by base weights, record `a.us.example` in region us "
        "(US) answers clients in AD, in AE, in AF and 246 more, outside home EU of hard service "
        "`api`; expected weight 0 for it, or a route that reaches a record inside first"}},
      {"client: an ASN may cross",
       R"(    residency: hard
    home: client
    default-home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: ch, weight: 100, endpoint: a.ch.example, addresses: 203.0.113.1 }
      - { region: us, weight: 100, endpoint: a.us.example, addresses: 198.51.100.1 }
    route:
      - { asn: 64500, to: [us, eu, ch] }
      - { jurisdiction: US, to: us }
      - { jurisdiction: CH, to: ch }
      - { default: eu })",
       {"zones/a.yaml:12:9: [base-crossing] warning: by base weights, record `a.us.example` in "
        "region us (US) answers clients of AS64500, outside home EU of hard service `api`; "
        "expected weight 0 for it, or a route that reaches a record inside first"}},
      {"answers all, an address twice",
       R"(    answers: all
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 1, endpoint: a.us.example, addresses: 192.0.2.1 }
)",
       {"zones/a.yaml:9:9: [shared-address] address 192.0.2.1 of `a.us.example` is also one of "
        "`a.eu.example`; expected each once where `answers` is not one"}},
      {"answers one, an address twice",
       R"(    answers: one
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 1, endpoint: a.us.example, addresses: 192.0.2.1 }
)",
       {}},
      {"answers 2 with a CNAME",
       R"(    answers: 2
    records:
      - { region: eu, weight: 1, endpoint: a.eu.example }
      - { region: us, weight: 1, endpoint: a.us.example, addresses: 192.0.2.1 })",
       {"zones/a.yaml:8:9: [answers-with-cname] `a.eu.example` has no addresses and answers as "
        "CNAME; expected `addresses` in every record where `answers` is not one"}},
      {"a hard service trusts one tag",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
  web:
    records:
      - { region: us, weight: 1, endpoint: a.us.example, addresses: 192.0.2.1 }
)",
       {"zones/a.yaml:12:9: [contradictory-jurisdiction] `a.us.example` in US, but a hard service "
        "has its address or name in EU (zones/a.yaml:9); expected one jurisdiction"}},
      {"a target's declared place is its tag",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example }
  web:
    records:
      - { region: eu, weight: 1, endpoint: a.eu.example, jurisdiction: US }
)",
       {"zones/a.yaml:12:9: [contradictory-jurisdiction] `a.eu.example` in US, but a hard service "
        "has its address or name in EU (zones/a.yaml:9); expected one jurisdiction"}},
      {"a region elsewhere, and the same declared place",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: b.example, jurisdiction: CH }
  web:
    records:
      - { region: ch, weight: 1, endpoint: b.example }
)",
       {}},
      {"a base weight for a target declared abroad",
       R"(    residency: hard
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: eu, weight: 1, endpoint: b.example, jurisdiction: US }
)",
       {"zones/a.yaml:10:9: [base-crossing] by base weights, record `b.example` in region eu (US) "
        "answers clients everywhere, outside home EU of hard service `api`; expected weight 0 for "
        "it, or a route that reaches a record inside first"}},
      {"on-block with a target declared abroad",
       R"(    residency: hard
    home: EU
    on-block: b.example
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: eu, weight: 0, endpoint: b.example, jurisdiction: US }
)",
       {"zones/a.yaml:8:15: [on-block-abroad] on-block answers `b.example` in US, outside home EU; "
        "expected a record inside it"}},
      {"a chain to a service",
       R"(    residency: hard
    home: EU
    records: [{ region: eu, weight: 1, endpoint: web.example.com }]
  web:
    records:
      - { region: us, weight: 1, endpoint: a.us.example, addresses: 192.0.2.1 }
)",
       {"zones/a.yaml:8:15: [endpoint-in-own-zone] endpoint `web.example.com` lies in zone "
        "example.com, where other records decide where it leads; expected `addresses`, or a name "
        "outside our zones"}},
      {"an endpoint that is the service",
       "    records: [{ region: eu, weight: 1, endpoint: api.example.com }]",
       {"zones/a.yaml:6:50: [cname-to-itself] endpoint `api.example.com` is the service itself; "
        "expected `addresses` or another name"}},
  };
  for (const BadFile& row : rows) {
    CAPTURE(row.name);
    CHECK(findings({{"policy.yaml", small_policy}, {"zones/a.yaml", service_head + row.text}}) ==
          row.findings);
  }
}

TEST_CASE("rules: no static record leads past the gate of a hard service", "[zones][rules]") {
  const auto zone = [](const std::string& records, const std::string& residency) {
    return small_zone + "records:\n" + records +
           "\nservices:\n  api:\n    residency: " + residency +
           "\n    home: EU\n    records: [{ region: eu, weight: 1, endpoint: a.example, addresses: "
           "192.0.2.1 }]\n";
  };
  const auto found = [&](const std::string& records, const std::string& residency = "hard") {
    return findings({{"policy.yaml", small_policy}, {"zones/a.yaml", zone(records, residency)}});
  };
  for (const char* lawful :
       {R"(  api: { SVCB: "1 . alpn=h2" })", R"(  api: { SVCB: "0 api" })",
        R"(  _8443._https.api: { HTTPS: "0 api.example.com." })",
        R"(  other: { SVCB: "1 . ipv4hint=198.51.100.1" })", R"(  api: { TXT: "text" })",
        R"(  _dns.other: { SVCB: "1 us.example." })", R"(  "*._https.api": { HTTPS: "0 api" })",
        R"(  _8443._https.api: { CNAME: api })", R"(  "*.api": { A: 192.0.2.7 })",
        R"(  _acme-challenge.api: { CNAME: us.example. })",
        R"(  _443._tcp.api: { CNAME: us.example. })", R"(  sub.api: { NS: us.example. })",
        R"(  _https.sub.api: { CNAME: us.example. })"}) {
    CAPTURE(lawful);
    CHECK(found(lawful).empty());
  }
  for (const char* unlawful :
       {R"(  api: { SVCB: "1 . ipv4hint=198.51.100.1" })",
        R"(  api: { SVCB: "1 . alpn=h2 ipv6hint=2001:db8::1" })",
        R"(  api: { SVCB: "1 us.example." })", R"(  api: { SVCB: ["1 .", "2 us.example."] })",
        R"(  _8443._https.api: { HTTPS: "1 . alpn=h2" })",
        R"(  _8443._https.api: { HTTPS: "1 api ipv4hint=198.51.100.1" })",
        R"(  _8443._https.api: { HTTPS: "0 us.example." })",
        R"(  _dns.api: { SVCB: "1 us.example." })",
        R"(  "*._https.api": { HTTPS: "1 . ipv4hint=198.51.100.1" })",
        R"(  "*.api": { HTTPS: "1 us.example." })", R"(  "*.api": { CNAME: us.example. })",
        R"(  _8443._https.api: { CNAME: us.example. })", R"(  _https.api: { DNAME: us.example. })",
        R"(  _https.api: { NS: us.example. })", R"(  _8443._https.api: { NS: us.example. })",
        R"(  "*._https.api": { CNAME: us.example. })",
        R"(  api: { IPSECKEY: '\# 7 0a0100c6336401' })"}) {
    CAPTURE(unlawful);
    const auto lines = found(unlawful);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find("[static-bypass]") != std::string::npos);
    CHECK(found(unlawful, "soft").empty());
  }
  CHECK(found(R"(  _8443._https.api: { HTTPS: "0 us.example." })") ==
        std::vector<std::string>{
            "zones/a.yaml:7:3: [static-bypass] _8443._https.api.example.com. has static HTTPS "
            "records, which would lead clients of hard service `api` past the gate; expected the "
            "target api.example.com. without address hints"});
}

}  // namespace
}  // namespace demarc::testing
