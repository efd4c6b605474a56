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

}  // namespace
}  // namespace demarc::testing
