// zones/*.yaml but for the services: every finding, with its place.
#include <catch2/catch.hpp>

#include "tests/zones/findings.h"

namespace demarc::testing {
namespace {

TEST_CASE("zone file: what is refused, and where", "[zones][yaml]") {
  const std::vector<BadFile> rows = {
      {"nothing",
       "{}",
       {"zones/a.yaml:1:1: [missing-key] zone file without `zone`; expected that key"}},
      {"a bad zone name",
       "zone: a..b",
       {"zones/a.yaml:1:7: [bad-name] zone is `a..b`; expected a domain name"}},
      {"nothing but a name",
       "zone: example.com",
       {"zones/a.yaml:1:7: [soa-missing] zone without an SOA; expected `soa:` or one in an "
        "included master file",
        "zones/a.yaml:1:7: [ns-missing] zone without nameservers; expected `nameservers:` or NS "
        "records of the apex"}},
      {"unknown keys",
       R"(zone: example.com
soa: { primary: a, contact: b, mname: c }
nameserver: x
nameservers: [ns1.example.net.])",
       {"zones/a.yaml:2:32: [unknown-key] unknown key `mname` in soa; expected one of primary, "
        "contact, serial, refresh, retry, expire, negative-ttl",
        "zones/a.yaml:3:1: [unknown-key] unknown key `nameserver` in zone file; did you mean "
        "`nameservers`?"}},
      {"SOA values",
       R"(zone: example.com
soa: { primary: a..b, contact: "@x", serial: -1, refresh: 1x, retry: 1500ms, expire: 2147483648, negative-ttl: ~ }
nameservers: [a..b])",
       {"zones/a.yaml:1:7: [ns-missing] zone without nameservers; expected `nameservers:` or NS "
        "records of the apex",
        "zones/a.yaml:2:17: [bad-name] primary is `a..b`; expected a domain name, or `@` for the "
        "apex",
        "zones/a.yaml:2:32: [bad-name] contact is `@x`; expected a mail address as "
        "hostmaster@example.com",
        "zones/a.yaml:2:46: [bad-integer] serial is `-1`; expected an integer from 0 to 4294967295",
        "zones/a.yaml:2:59: [bad-ttl] refresh is `1x`; expected seconds from 0 to 2147483647, or "
        "an integer and s, m, h or d",
        "zones/a.yaml:2:70: [bad-ttl] retry is `1500ms`; expected seconds from 0 to 2147483647, or "
        "an integer and s, m, h or d",
        "zones/a.yaml:2:86: [bad-ttl] expire is `2147483648`; expected seconds from 0 to "
        "2147483647, or an integer and s, m, h or d",
        "zones/a.yaml:2:98: [wrong-type] negative-ttl is nothing; expected seconds from 0 to "
        "2147483647, or an integer and s, m, h or d",
        "zones/a.yaml:3:15: [bad-name] nameserver is `a..b`; expected a domain name, or `@` for "
        "the apex"}},
      {"the TTL",
       R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
ttl: 05)",
       {"zones/a.yaml:4:6: [bad-ttl] ttl is `05`; expected seconds from 0 to 2147483647, or an "
        "integer and s, m, h or d"}},
      {"owners and types",
       R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
records:
  a..b: { A: 192.0.2.1 }
  other.example.: { A: 192.0.2.1 }
  x: { AX: 1, OPT: 1, ANY: 1, TYPE70000: 1 }
  y: 192.0.2.1
  '': { A: bogus })",
       {"zones/a.yaml:5:3: [bad-name] owner is `a..b`; expected a domain name, or `@` for the apex",
        "zones/a.yaml:6:24: [out-of-zone] other.example. is not in the zone example.com.",
        "zones/a.yaml:7:8: [bad-type] record type is `AX`; expected one as A, MX or TYPE65280",
        "zones/a.yaml:7:15: [bad-type] record type is `OPT`; expected one as A, MX or TYPE65280",
        "zones/a.yaml:7:23: [bad-type] record type is `ANY`; expected one as A, MX or TYPE65280",
        "zones/a.yaml:7:31: [bad-type] record type is `TYPE70000`; expected one as A, MX or "
        "TYPE65280",
        "zones/a.yaml:8:6: [wrong-type] record types is text; expected a map",
        "zones/a.yaml:9:3: [bad-name] owner is ``; expected a domain name, or `@` for the apex"}},
      {"RDATA",
       R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
records:
  a: { A: [192.0.2.256, 192.0.2.1 x] }
  b: { MX: [mail, 65536 mail, 10] }
  c: { TXT: 'a "b' }
  d: { A: [] }
  e: { A: { ttl: x, dat: 192.0.2.1 } }
  f: { SRV: 1 2 x a }
  g: { A: ~ })",
       {"zones/a.yaml:5:12: [bad-rdata] A data is `192.0.2.256`: Syntax error, could not parse the "
        "RR's rdata; expected its presentation format",
        "zones/a.yaml:5:25: [bad-rdata] A data is `192.0.2.1 x`: Syntax error, superfluous text "
        "present; expected its presentation format",
        "zones/a.yaml:6:13: [bad-rdata] MX data is `mail`: field 1 is `mail`, a number from 0 to "
        "65535 belongs there; expected its presentation format",
        "zones/a.yaml:6:19: [bad-rdata] MX data is `65536 mail`: field 1 is `65536`, a number from "
        "0 to 65535 belongs there; expected its presentation format",
        "zones/a.yaml:6:31: [bad-rdata] MX data is `10`: Syntax error, value expected; expected "
        "its presentation format",
        "zones/a.yaml:7:13: [bad-rdata] TXT data is `a \"b`: a quote that is not closed; expected "
        "its presentation format",
        "zones/a.yaml:8:11: [empty-list] data is an empty list; expected at least one item",
        "zones/a.yaml:9:11: [missing-key] RRset without `data`; expected that key",
        "zones/a.yaml:9:18: [bad-ttl] ttl is `x`; expected seconds from 0 to 2147483647, or an "
        "integer and s, m, h or d",
        "zones/a.yaml:9:21: [unknown-key] unknown key `dat` in RRset; did you mean `data`?",
        "zones/a.yaml:10:13: [bad-rdata] SRV data is `1 2 x a`: field 3 is `x`, a number from 0 to "
        "65535 belongs there; expected its presentation format",
        "zones/a.yaml:11:8: [wrong-type] data is nothing; expected text"}},
      {"CNAME and other data",
       R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
records:
  a: { CNAME: b, A: 192.0.2.1 }
  c: { CNAME: [d, e] }
  "@": { CNAME: x })",
       {"zones/a.yaml:5:15: [cname-and-other-data] a.example.com. has a CNAME and A in "
        "zones/a.yaml:5; expected the CNAME alone",
        "zones/a.yaml:6:19: [cname-twice] a second CNAME for c.example.com., first in "
        "zones/a.yaml:6; expected one",
        "zones/a.yaml:7:17: [cname-and-other-data] example.com. has a CNAME and NS in "
        "zones/a.yaml:3; expected the CNAME alone"}},
      {"SOA in records",
       R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
records:
  "@": { SOA: ns1 h 1 2 3 4 5 }
  a: { SOA: ns1 h 1 2 3 4 5 })",
       {"zones/a.yaml:5:15: [soa-twice] a second SOA, first in zones/a.yaml:2; expected one",
        "zones/a.yaml:6:13: [soa-not-apex] an SOA at a.example.com.; expected it at the apex "
        "example.com. only"}},
      {"nameservers without addresses",
       R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
records:
  sub: { NS: [ns.sub, ns.example.net., ok] }
  ok: { AAAA: "2001:db8::1" })",
       {"zones/a.yaml:1:7: [ns-without-address] warning: nameserver ns.sub.example.com. of "
        "sub.example.com. is in the zone and has no address; expected an A or AAAA record"}},
  };
  for (const BadFile& row : rows) {
    CAPTURE(row.name);
    CHECK(findings({{"policy.yaml", small_policy}, {"zones/a.yaml", row.text}}) == row.findings);
  }
}

TEST_CASE("zone file: a DNAME leaves nothing below it (RFC 6672)", "[zones][yaml]") {
  const std::vector<BadFile> rows = {
      {"beside other data, and below a delegation that hides all of it",
       small_zone + R"(records:
  d: { DNAME: example.net., A: 192.0.2.1, TXT: x }
  d.e: { DNAME: d }
  sub: { NS: ns.example.net. }
  x.sub: { DNAME: example.net. }
  y.x.sub: { A: 192.0.2.1 })",
       {}},
      {"two of them",
       small_zone + R"(records:
  d: { DNAME: [example.net., example.net., example.org.] })",
       {"zones/a.yaml:5:44: [dname-twice] a second DNAME for d.example.com., first in "
        "zones/a.yaml:5; expected one"}},
      {"a CNAME beside it",
       small_zone + R"(records:
  d: { DNAME: example.net., CNAME: example.org. })",
       {"zones/a.yaml:5:36: [cname-and-other-data] d.example.com. has a CNAME and DNAME in "
        "zones/a.yaml:5; expected the CNAME alone"}},
      {"a wildcard's",
       small_zone + R"(records:
  "*.d": { DNAME: example.net. })",
       {"zones/a.yaml:5:19: [dname-at-wildcard] a DNAME at *.d.example.com., which servers expand "
        "each in its own way (RFC 6672 §3.3); expected an owner without `*`"}},
      {"a delegation's",
       small_zone + R"(records:
  d: { DNAME: example.net., NS: ns.example.net. })",
       {"zones/a.yaml:5:15: [dname-at-delegation] a DNAME and NS records at d.example.com.; "
        "expected one of them, both stand beside each other at the apex alone (RFC 6672 §2.3)"}},
      {"data below, once an owner, whatever lies between",
       small_zone + R"(records:
  d: { DNAME: example.net. }
  a.b.d: { A: 192.0.2.1, TXT: x }
  "*.d": { A: 192.0.2.1 }
  sub.d: { NS: ns.example.net. }
  x.sub.d: { A: 192.0.2.1 })",
       {"zones/a.yaml:6:15: [below-dname] a.b.d.example.com. is below d.example.com., whose DNAME "
        "in zones/a.yaml:5 leads all names below it elsewhere; expected no records there (RFC "
        "6672 §2.4)",
        "zones/a.yaml:7:15: [below-dname] *.d.example.com. is below d.example.com., whose DNAME in "
        "zones/a.yaml:5 leads all names below it elsewhere; expected no records there (RFC 6672 "
        "§2.4)",
        "zones/a.yaml:8:16: [below-dname] sub.d.example.com. is below d.example.com., whose DNAME "
        "in zones/a.yaml:5 leads all names below it elsewhere; expected no records there (RFC "
        "6672 §2.4)",
        "zones/a.yaml:9:17: [below-dname] x.sub.d.example.com. is below d.example.com., whose "
        "DNAME "
        "in zones/a.yaml:5 leads all names below it elsewhere; expected no records there (RFC "
        "6672 §2.4)"}},
      {"the apex's, and services below it",
       small_zone + R"(records:
  "@": { DNAME: example.net., A: 192.0.2.1 }
services:
  api.soft:
    records: [{ region: eu, weight: 1, endpoint: a.example, addresses: 192.0.2.1 }])",
       {"zones/a.yaml:7:3: [service-below-dname] service `api.soft` is below example.com., whose "
        "DNAME leads all names below it elsewhere; expected it outside"}},
      {"at the owner of services: a soft one may, a hard one's names below it tell of it",
       small_zone + R"(records:
  soft: { DNAME: example.net. }
  api: { DNAME: example.net. }
services:
  soft:
    records: [{ region: eu, weight: 1, endpoint: a.example, addresses: 192.0.2.1 }]
  api:
    residency: hard
    home: EU
    records: [{ region: eu, weight: 1, endpoint: b.example, addresses: 192.0.2.2 }])",
       {"zones/a.yaml:10:3: [service-below-dname] service `api`, whose names below it tell of it "
        "or are tenants', has a DNAME at its owner, which leads them elsewhere; expected none"}},
  };
  for (const BadFile& row : rows) {
    CAPTURE(row.name);
    CHECK(findings({{"policy.yaml", small_policy}, {"zones/a.yaml", row.text}}) == row.findings);
  }
}

TEST_CASE("zone file: a DNAME of a master file is placed there", "[zones][yaml]") {
  CHECK(findings({{"policy.yaml", small_policy},
                  {"zones/a.yaml", small_zone + "include: [more.zone]\nrecords: { b.d: { A: "
                                                "192.0.2.1 } }\n"},
                  {"zones/more.zone", "\nd 60 IN DNAME example.net.\na.d 60 IN A 192.0.2.1\n"}}) ==
        std::vector<std::string>{
            "zones/a.yaml:5:22: [below-dname] b.d.example.com. is below d.example.com., whose "
            "DNAME in zones/more.zone:2 leads all names below it elsewhere; expected no records "
            "there (RFC 6672 §2.4)",
            "zones/more.zone:3:1: [below-dname] a.d.example.com. is below d.example.com., whose "
            "DNAME in zones/more.zone:2 leads all names below it elsewhere; expected no records "
            "there (RFC 6672 §2.4)"});
}

TEST_CASE("zone files: no zone lies below another's DNAME", "[zones][yaml]") {
  const auto other = [](const std::string& apex) {
    return "zone: " + apex +
           "\nsoa: { primary: ns1.example.net., contact: h@example.net }\n"
           "nameservers: [ns1.example.net.]\n";
  };
  const Files files{
      {"policy.yaml", small_policy},
      {"zones/a.yaml", small_zone + "records: { d: { DNAME: example.net. } }\n"},
      {"zones/b.yaml", other("x.y.d.example.com")},
      {"zones/c.yaml", other("d.example.com")},
      {"zones/d.yaml", other("e.example.com") + "records: { '@': { DNAME: example.net. } }\n"}};
  CHECK(findings(files) ==
        std::vector<std::string>{
            "zones/b.yaml:0:0: [zone-below-dname] zone x.y.d.example.com is at or below "
            "d.example.com., where zones/a.yaml has a DNAME; expected it outside",
            "zones/c.yaml:0:0: [zone-below-dname] zone d.example.com is at or below "
            "d.example.com., where zones/a.yaml has a DNAME; expected it outside"});
}

TEST_CASE("zone file: services beside other data", "[zones][yaml]") {
  const std::vector<BadFile> rows = {
      {"an apex CNAME",
       R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
services:
  "@":
    records: [{ region: eu, weight: 1, endpoint: a.example }])",
       {"zones/a.yaml:6:50: [cname-at-apex] endpoint `a.example` without addresses at the apex, "
        "where no CNAME can be (RFC 1034 §3.6.2); expected `addresses`"}},
      {"a CNAME service and TXT",
       R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
records: { api: { TXT: x } }
services:
  api:
    records: [{ region: eu, weight: 1, endpoint: a.example }])",
       {"zones/a.yaml:6:3: [service-and-static] service `api` answers as CNAME, and its owner has "
        "static TXT records; expected `addresses` in every record, or no static records"}},
      {"a service and A",
       R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
records: { api: { A: 192.0.2.1 } }
services:
  api:
    records: [{ region: eu, weight: 1, endpoint: a.example, addresses: 192.0.2.1 }])",
       {"zones/a.yaml:6:3: [service-and-static] service `api`, and its owner has static A records; "
        "expected one of them"}},
      {"the same owner twice",
       R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
services:
  api:
    records: [{ region: eu, weight: 1, endpoint: a.example, addresses: 192.0.2.1 }]
  API:
    records: [{ region: eu, weight: 1, endpoint: a.example, addresses: 192.0.2.1 }])",
       {"zones/a.yaml:7:3: [service-twice] service `API` has the owner of `api` in line 5; "
        "expected one service a name"}},
      {"a service below a delegation",
       R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
records: { sub: { NS: ns.example.net. } }
services:
  api.sub:
    records: [{ region: eu, weight: 1, endpoint: a.example, addresses: 192.0.2.1 }])",
       {"zones/a.yaml:6:3: [service-below-delegation] service `api.sub` at or below the delegation "
        "sub.example.com.; expected it in that zone"}},
      {"a static record where a service tells its mode",
       R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
records: { _mode.api: { A: 192.0.2.9 }, _mode.soft: { A: 192.0.2.9 }, x._mode.api: { A: 192.0.2.9 } }
services:
  api:
    residency: hard
    home: EU
    records: [{ region: eu, weight: 1, endpoint: a.example, addresses: 192.0.2.1 }]
  soft:
    records: [{ region: eu, weight: 1, endpoint: b.example, addresses: 192.0.2.2 }])",
       {"zones/a.yaml:6:3: [mode-name-taken] _mode.api.example.com. has static A records, and "
        "tells "
        "the mode of hard service `api`; expected no records there"}},
      {"a service where another tells its mode",
       R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
services:
  _mode.api:
    records: [{ region: eu, weight: 1, endpoint: a.example, addresses: 192.0.2.1 }]
  api:
    residency: hard
    home: EU
    records: [{ region: eu, weight: 1, endpoint: b.example, addresses: 192.0.2.2 }])",
       {"zones/a.yaml:5:3: [mode-name-taken] service `_mode.api` has the name that tells the mode "
        "of hard service `api`; expected another name"}},
      {"a service outside",
       R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
services:
  api.example.net.:
    records: [{ region: eu, weight: 1, endpoint: a.example, addresses: 192.0.2.1 }]
  a..b:
    records: [{ region: eu, weight: 1, endpoint: a.example, addresses: 192.0.2.1 }])",
       {"zones/a.yaml:5:3: [out-of-zone] service `api.example.net.` is not in zone `example.com`",
        "zones/a.yaml:7:3: [bad-name] service is `a..b`; expected a domain name"}},
  };
  for (const BadFile& row : rows) {
    CAPTURE(row.name);
    CHECK(findings({{"policy.yaml", small_policy}, {"zones/a.yaml", row.text}}) == row.findings);
  }
}

}  // namespace
}  // namespace demarc::testing

TEST_CASE("zone: an RRset that fits no message does not load", "[zones][yaml]") {
  using namespace demarc::testing;
  const auto with_texts = [](std::size_t count) {
    std::string text =
        "zone: example.com\n"
        "soa: { primary: ns1.example.net., contact: h@example.net }\n"
        "nameservers: [ns1.example.net.]\n"
        "records:\n  big:\n    TXT:\n";
    for (std::size_t i = 0; i < count; ++i) {
      text += "      - '" + std::to_string(1000 + i) + std::string(240, 'x') + "'\n";
    }
    return findings({{"policy.yaml", small_policy}, {"zones/a.yaml", text}});
  };
  CHECK(with_texts(250).empty());
  const auto found = with_texts(260);
  REQUIRE(found.size() == 1);
  CHECK(found[0].find("[rrset-too-large] the TXT records of big.example.com. need 66928 bytes in "
                      "an answer; expected at most 65535") != std::string::npos);
}
