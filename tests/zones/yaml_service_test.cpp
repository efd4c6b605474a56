// The body of a service: every finding, with its place. The body begins in line 6.
#include <catch2/catch.hpp>

#include "tests/zones/findings.h"

namespace demarc::testing {
namespace {

TEST_CASE("service: what is refused, and where", "[zones][yaml]") {
  const std::vector<BadFile> rows = {
      {"no map", "    [1]", {"zones/a.yaml:6:5: [wrong-type] service is a list; expected a map"}},
      {"nothing",
       "    ttl: 30",
       {"zones/a.yaml:6:5: [missing-key] service without `records`; expected that key"}},
      {"unknown keys",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    healthchecks: []
    resident: hard)",
       {"zones/a.yaml:9:5: [unknown-key] unknown key `healthchecks` in service; did you mean "
        "`health-checks`?",
        "zones/a.yaml:10:5: [unknown-key] unknown key `resident` in service; did you mean "
        "`residency`?"}},
      {"records",
       R"(    records:
      - { region: eu, weight: 010, endpoint: a.eu.example }
      - { region: eu, weight: 65536, endpoint: b.eu.example }
      - { region: eu, weight: -1, endpoint: c.eu.example }
      - { region: ue, weight: 1, endpoint: d.eu.example }
      - { region: eu, weight: 1, endpoint: 192.0.2.1 }
      - { region: eu, weight: 1, endpoint: a..b }
      - { region: eu, weight: 1, endpoint: e.eu.example, addresses: [192.0.2.300, 192.0.2.1, 192.0.2.1] }
      - { region: eu, weight: 1, endpoint: f.eu.example, endpont: x }
      - { region: eu, weight: 1, endpoint: F.eu.example. }
      - { region: eu }
      - { region: eu, weight: 1, endpoint: f.eu.example, addresses: [] }
      - { region: eu, weight: 1, endpoint: api.example.com })",
       {"zones/a.yaml:7:31: [bad-integer] weight is `010`; expected an integer from 0 to 65535",
        "zones/a.yaml:8:31: [bad-integer] weight is `65536`; expected an integer from 0 to 65535",
        "zones/a.yaml:9:31: [bad-integer] weight is `-1`; expected an integer from 0 to 65535",
        "zones/a.yaml:10:19: [unknown-region] unknown region `ue`; did you mean `eu`?",
        "zones/a.yaml:11:44: [bad-endpoint] endpoint is the address 192.0.2.1; expected a name, "
        "and the address under `addresses`",
        "zones/a.yaml:12:44: [bad-endpoint] endpoint is `a..b`; expected a domain name",
        "zones/a.yaml:13:70: [bad-address] address is `192.0.2.300`; expected an IPv4 or IPv6 "
        "address, as 192.0.2.10 or \"2001:db8::10\"",
        "zones/a.yaml:13:94: [address-twice] address 192.0.2.1 again; expected it once in a record",
        "zones/a.yaml:14:58: [unknown-key] unknown key `endpont` in record; did you mean "
        "`endpoint`?",
        "zones/a.yaml:15:44: [endpoint-twice] endpoint `F.eu.example.` in a second record; "
        "expected one of its own, by which checks and on-fail know the record",
        "zones/a.yaml:16:9: [missing-key] record without `weight`; expected that key",
        "zones/a.yaml:16:9: [missing-key] record without `endpoint`; expected that key",
        "zones/a.yaml:17:44: [endpoint-twice] endpoint `f.eu.example` in a second record; expected "
        "one of its own, by which checks and on-fail know the record",
        "zones/a.yaml:17:69: [empty-list] addresses is an empty list; expected at least one item",
        "zones/a.yaml:18:44: [cname-to-itself] endpoint `api.example.com` is the service itself; "
        "expected `addresses` or another name"}},
      {"an empty list of records",
       "    records: []",
       {"zones/a.yaml:6:14: [empty-list] records is an empty list; expected at least one item"}},
      {"choices",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    residency: hrad
    home: EU
    access: rw
    answers: 0
    ttl: 1w)",
       {"zones/a.yaml:9:16: [bad-choice] residency is `hrad`; did you mean `hard`?",
        "zones/a.yaml:11:13: [bad-choice] access is `rw`; expected one of read, scoped-write, "
        "write",
        "zones/a.yaml:12:14: [bad-choice] answers is `0`; expected one, all or an integer from 1 "
        "to 1000",
        "zones/a.yaml:13:10: [bad-ttl] ttl is `1w`; expected seconds from 0 to 2147483647, or an "
        "integer and s, m, h or d"}},
      {"later keys",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    sticky: clients
    https: { alpn: [h2] }
    home: tenant
    client-subnet: off)",
       {"zones/a.yaml:9:13: [bad-choice] sticky is `clients`; did you mean `client`?",
        "zones/a.yaml:11:11: [default-home-missing] `home: tenant` without `default-home`; "
        "expected it, the home of the service's own name",
        "zones/a.yaml:11:11: [tenants-missing] `home: tenant` without `tenants`; expected it, with "
        "`key` for opaque labels or with `labels: plain`",
        "zones/a.yaml:12:20: [bad-choice] client-subnet is `off`; expected one of use, ignore"}},
      {"hard without home",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    residency: hard)",
       {"zones/a.yaml:9:16: [home-missing] residency `hard` without `home`; expected a "
        "jurisdiction, `client` or `tenant`"}},
      {"an unknown home",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    residency: hard
    home: EUU)",
       {"zones/a.yaml:10:11: [unknown-jurisdiction] unknown jurisdiction `EUU`; did you mean "
        "`EU`?"}},
      {"home client without default",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    residency: soft
    home: client)",
       {"zones/a.yaml:10:11: [default-home-missing] `home: client` without `default-home`; "
        "expected it, for clients of no jurisdiction"}},
      {"a default home alone",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    residency: soft
    home: EU
    default-home: EU)",
       {"zones/a.yaml:11:19: [default-home-unused] `default-home` without `home: client` or "
        "`home: tenant`; expected both or neither"}},
      {"keys without effect",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    home: EU
    access: read
    on-block: nodata)",
       {"zones/a.yaml:9:11: [unused-key] warning: `home` has no effect here; expected it with "
        "residency soft or hard",
        "zones/a.yaml:10:13: [unused-key] warning: `access` has no effect here; expected it with "
        "residency hard",
        "zones/a.yaml:11:15: [unused-key] warning: `on-block` has no effect here; expected it with "
        "residency hard"}},
      {"on-block",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    residency: hard
    home: EU
    on-block: a.us)",
       {"zones/a.yaml:11:15: [on-block-abroad] on-block answers `a.us.example` in US, outside home "
        "EU; expected a record inside it"}},
      {"on-block of nobody",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    residency: hard
    home: EU
    on-block: hodl)",
       {"zones/a.yaml:11:15: [unknown-record] `hodl` begins no record's endpoint; expected one of "
        "a.eu.example, a.us.example"}},
      {"route words",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    route: neares)",
       {"zones/a.yaml:9:12: [bad-route] route is `neares`; expected `nearest`, { nearest: [REGION, "
        "...] } or a list of lines"}},
      {"an empty route",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    route: ~)",
       {"zones/a.yaml:9:5: [bad-route] route is nothing; expected `nearest`, { nearest: [REGION, "
        "...] } or a list of lines"}},
      {"nearest",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    route: { nearest: [eu, uk, eu], limit: 0, max: 1 })",
       {"zones/a.yaml:9:28: [unknown-region] unknown region `uk`; did you mean `us`?",
        "zones/a.yaml:9:32: [region-twice] region `eu` again; expected it once in a list",
        "zones/a.yaml:9:44: [bad-integer] limit is `0`; expected an integer from 1 to 1000",
        "zones/a.yaml:9:47: [unknown-key] unknown key `max` in route; expected one of nearest, "
        "limit"}},
      {"route lines",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    route:
      - { country: DE }
      - { country: DE, asn: 1, to: eu }
      - { to: eu }
      - { default: eu, to: eu }
      - { default: eu }
      - { jurisdiction: XX, to: [ue] }
      - { contry: DE, to: eu }
      - { asn: 0, to: eu }
      - { network: 10.0.0.1/8, to: eu }
      - { subdivision: CA, to: eu }
      - { continent: EUR, to: eu }
      - eu)",
       {"zones/a.yaml:8:9: [record-without-route] warning: record `a.us.example` in a region that "
        "no route line names; expected a line for it, it never answers",
        "zones/a.yaml:10:9: [bad-route-line] a route line with 1 matches; expected one match and "
        "`to`, or `default` alone",
        "zones/a.yaml:11:9: [bad-route-line] a route line with 2 matches and `to`; expected one "
        "match and `to`, or `default` alone",
        "zones/a.yaml:12:9: [bad-route-line] a route line with 0 matches and `to`; expected one "
        "match and `to`, or `default` alone",
        "zones/a.yaml:13:9: [bad-route-line] a route line with 0 matches and `to` and `default`; "
        "expected one match and `to`, or `default` alone",
        "zones/a.yaml:13:28: [region-twice] region `eu` again; expected it once in a list",
        "zones/a.yaml:15:25: [unknown-jurisdiction] unknown jurisdiction `XX`; expected one of EU, "
        "CH, US",
        "zones/a.yaml:15:34: [unknown-region] unknown region `ue`; did you mean `eu`?",
        "zones/a.yaml:16:9: [bad-route-line] a route line with 0 matches and `to`; expected one "
        "match and `to`, or `default` alone",
        "zones/a.yaml:16:11: [unknown-key] unknown key `contry` in route line; did you mean "
        "`country`?",
        "zones/a.yaml:17:16: [bad-integer] asn is `0`; expected an integer from 1 to 4294967295",
        "zones/a.yaml:18:20: [bad-network] network is `10.0.0.1/8`; expected a network with no "
        "bits set after its length, as 203.0.113.0/24 or \"2001:db8::/32\"",
        "zones/a.yaml:19:24: [bad-subdivision] subdivision is `CA`; expected an ISO 3166-2 code "
        "with its country, as US-CA or DE-BE",
        "zones/a.yaml:20:22: [bad-continent] continent is `EUR`; expected one of AF, AN, AS, EU, "
        "NA, OC, SA",
        "zones/a.yaml:21:9: [wrong-type] route line is text; expected a map"}},
      {"a default in the middle, none at the end",
       R"(    records: [{ region: eu, weight: 1, endpoint: a.example, addresses: 192.0.2.1 }]
    route:
      - { default: eu }
      - { country: DE, to: eu })",
       {"zones/a.yaml:8:9: [default-not-last] `default` before the last line; expected it as the "
        "last one",
        "zones/a.yaml:9:9: [default-missing] the last route line is no `default`; expected { "
        "default: [REGION, ...] }, where unknown clients end"}},
      {"regions without records",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    route:
      - { country: DE, to: [ch, eu] }
      - { default: eu })",
       {"zones/a.yaml:8:9: [record-without-route] warning: record `a.us.example` in a region that "
        "no route line names; expected a line for it, it never answers",
        "zones/a.yaml:10:29: [region-without-record] warning: region `ch`, in which the service "
        "has no record; expected one of its own"}},
  };
  for (const BadFile& row : rows) {
    CAPTURE(row.name);
    CHECK(findings({{"policy.yaml", small_policy}, {"zones/a.yaml", service_head + row.text}}) ==
          row.findings);
  }
}

TEST_CASE("service: what needs policy.yaml", "[zones][yaml]") {
  const std::vector<BadFile> rows = {
      {"no residency",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 100, endpoint: a.us.example, addresses: 198.51.100.1 }
)",
       {}},
      {"soft",
       R"(    residency: soft
    home: EU
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 100, endpoint: a.us.example, addresses: 198.51.100.1 }
)",
       {"zones/a.yaml:6:16: [policy-missing] residency `soft` without policy.yaml; expected that "
        "file, it says which jurisdiction a region lies in",
        "zones/a.yaml:7:11: [unknown-jurisdiction] unknown jurisdiction `EU`; expected it in "
        "policy.yaml"}},
      {"nearest",
       R"(    route: nearest
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
)",
       {"zones/a.yaml:6:12: [policy-missing] route by `nearest` without policy.yaml; expected that "
        "file, it says where a region is"}},
      {"a jurisdiction",
       R"(    route: [{ jurisdiction: EU, to: eu }, { default: eu }]
    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
)",
       {"zones/a.yaml:6:29: [unknown-jurisdiction] unknown jurisdiction `EU`; expected it in "
        "policy.yaml"}},
  };
  for (const BadFile& row : rows) {
    CAPTURE(row.name);
    CHECK(findings({{"zones/a.yaml", service_head + row.text}}) == row.findings);
  }
}

}  // namespace
}  // namespace demarc::testing
