// policy.yaml and networks.yaml: every finding, with its place.
#include <catch2/catch.hpp>

#include "tests/zones/findings.h"

namespace demarc::testing {
namespace {

// Made for this test; nothing else knows them.
const std::string ed25519_key = R"(-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAn8uUBNyu8xuBFWBB9fF5HYcAGHF8E7TwdTu7sLiSEJ8=
-----END PUBLIC KEY-----
)";
const std::string p256_key = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDMCDRu2NNZb9tlqhvJVvB/Cd2x3n
m4ay2r2uO6f9BLEEZTNTE2xMFi0PE5WGYlAc7kApa26dVE91MFSR90QLrA==
-----END PUBLIC KEY-----
)";
// Recognised by its first line; the rest is nobody's key.
const std::string private_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n";

Files with_keys(const std::string& policy) {
  return {{"policy.yaml", policy},           {"zones/a.yaml", small_zone},
          {"keys/good.pem", ed25519_key},    {"keys/p256.pem", p256_key},
          {"keys/private.pem", private_key}, {"keys/text.pem", "hello"}};
}

TEST_CASE("policy.yaml: what is refused, and where", "[zones][yaml]") {
  const std::vector<BadFile> rows = {
      {"not a map", "[1]", {"policy.yaml:1:1: [wrong-type] policy.yaml is a list; expected a map"}},
      {"empty", "", {"policy.yaml:0:0: [wrong-type] policy.yaml is nothing; expected a map"}},
      {"missing keys",
       "approvals: {}",
       {"policy.yaml:1:1: [missing-key] policy.yaml without `jurisdictions`; expected that key",
        "policy.yaml:1:1: [missing-key] policy.yaml without `regions`; expected that key",
        "policy.yaml:1:12: [missing-key] approvals without `audience`; expected that key",
        "policy.yaml:1:12: [missing-key] approvals without `keys`; expected that key",
        "policy.yaml:1:12: [missing-key] approvals without `rules`; expected that key"}},
      {"unknown keys",
       R"(jurisdiction: {}
jurisdictions: {}
regions: {}
zzz: 1)",
       {"policy.yaml:1:1: [unknown-key] unknown key `jurisdiction` in policy.yaml; did you mean "
        "`jurisdictions`?",
        "policy.yaml:4:1: [unknown-key] unknown key `zzz` in policy.yaml; expected one of "
        "jurisdictions, regions, residency-rules, templates, assertions, advisor, vantages, leash, "
        "drill-due, "
        "approvals"}},
      {"lists where maps belong",
       R"(jurisdictions: [EU]
regions: [eu])",
       {"policy.yaml:1:16: [wrong-type] jurisdictions is a list; expected a map",
        "policy.yaml:2:10: [wrong-type] regions is a list; expected a map"}},
      {"a bad jurisdiction",
       R"(jurisdictions:
  EU: [DE]
  "E U": { countries: [FR], aproved-standby: [CH] }
  client: { countries: [CH] }
  US: {}
regions: {})",
       {"policy.yaml:2:7: [wrong-type] jurisdiction is a list; expected a map",
        "policy.yaml:3:3: [bad-name] jurisdiction is `E U`; expected 1 to 63 letters, digits, `-`, "
        "`_` or `.`",
        "policy.yaml:3:29: [unknown-key] unknown key `aproved-standby` in jurisdiction; did you "
        "mean `approved-standby`?",
        "policy.yaml:4:3: [reserved-name] jurisdiction `client`; expected another name, `home:` "
        "has its own meaning for it",
        "policy.yaml:5:7: [missing-key] jurisdiction without `countries`; expected that key"}},
      {"countries",
       R"(jurisdictions:
  A: { countries: [NO, no, UK, ZZ, Germany, ~] }
  B: { countries: DE }
  C: { countries: [DE, FR, FR] }
  D: { countries: [] }
regions: {})",
       {"policy.yaml:2:24: [bad-country] country is `no`; did you mean `NO`?",
        "policy.yaml:2:28: [bad-country] country is `UK`; did you mean `GB`?",
        "policy.yaml:2:32: [bad-country] country is `ZZ`; expected a two-letter country code of "
        "ISO 3166-1, as DE",
        "policy.yaml:2:36: [bad-country] country is `Germany`; expected a two-letter country code "
        "of ISO 3166-1, as DE",
        "policy.yaml:2:45: [wrong-type] country is nothing; expected a two-letter country code of "
        "ISO 3166-1, as DE",
        "policy.yaml:4:20: [country-twice] country DE again, already in jurisdiction `B`; expected "
        "it once",
        "policy.yaml:4:28: [country-twice] country FR again, already in jurisdiction `C`; expected "
        "it once",
        "policy.yaml:5:19: [empty-list] countries is an empty list; expected at least one item"}},
      {"standby",
       R"(jurisdictions:
  EU: { countries: [DE], approved-standby: [EU, CHH, US] }
  CH: { countries: [CH], approved-standby: [] }
regions: {})",
       {"policy.yaml:2:45: [standby-of-itself] jurisdiction `EU` as its own standby; expected "
        "another one",
        "policy.yaml:2:49: [unknown-jurisdiction] unknown jurisdiction `CHH`; did you mean `CH`?",
        "policy.yaml:2:54: [unknown-jurisdiction] unknown jurisdiction `US`; expected one of EU, "
        "CH"}},
      {"regions",
       R"(jurisdictions:
  EU: { countries: [DE] }
regions:
  a: { jurisdiction: EV, location: [50, 8] }
  b: { jurisdiction: EU, location: [91, 8] }
  c: { jurisdiction: EU, location: 50 }
  d: { jurisdiction: EU }
  e: { location: [1, 2], zone: x })",
       {"policy.yaml:4:22: [unknown-jurisdiction] unknown jurisdiction `EV`; did you mean `EU`?",
        "policy.yaml:5:36: [bad-location] location is not two numbers; expected [latitude, "
        "longitude] in degrees, -90 to 90 and -180 to 180",
        "policy.yaml:6:36: [bad-location] location is not two numbers; expected [latitude, "
        "longitude] in degrees, -90 to 90 and -180 to 180",
        "policy.yaml:7:6: [missing-key] region without `location`; expected that key",
        "policy.yaml:8:6: [missing-key] region without `jurisdiction`; expected that key",
        "policy.yaml:8:26: [unknown-key] unknown key `zone` in region; expected one of "
        "jurisdiction, location, asns"}},
      {"approvals",
       R"(jurisdictions:
  EU: { countries: [DE, FR], approved-standby: [CH] }
  CH: { countries: [CH] }
  US: { countries: [US] }
regions:
  eu: { jurisdiction: EU, location: [50, 8] }
  ch: { jurisdiction: CH, location: [47, 8] }
  us: { jurisdiction: US, location: [39, -77] }
approvals:
  audience: ~
  max-duration: 1y
  keys: []
  rules: nobody)",
       {"policy.yaml:10:3: [wrong-type] audience is nothing; expected text",
        "policy.yaml:11:17: [bad-duration] max-duration is `1y`; expected an integer and ms, s, m, "
        "h or d, from 1s to 366d",
        "policy.yaml:12:9: [empty-list] keys is an empty list; expected at least one item",
        "policy.yaml:13:10: [wrong-type] rules is text; expected a list"}},
      {"approval keys",
       R"(jurisdictions:
  EU: { countries: [DE, FR], approved-standby: [CH] }
  CH: { countries: [CH] }
  US: { countries: [US] }
regions:
  eu: { jurisdiction: EU, location: [50, 8] }
  ch: { jurisdiction: CH, location: [47, 8] }
  us: { jurisdiction: US, location: [39, -77] }
approvals:
  audience: prod
  keys:
    - { id: a, person: p, role: legal, alg: EdDSA, public-key: keys/good.pem, not-after: 2027-01-31 }
    - { id: a, person: q, role: legal, alg: EdDSA, public-key: keys/good.pem }
    - { id: b, person: p, role: legal, alg: RS256, public-key: keys/good.pem }
    - { id: c, person: p, role: legal, alg: ES256, public-key: keys/good.pem }
    - { id: d, person: p, role: legal, alg: EdDSA, public-key: keys/p256.pem }
    - { id: e, person: p, role: legal, alg: EdDSA, public-key: keys/private.pem }
    - { id: f, person: p, role: legal, alg: EdDSA, public-key: keys/none.pem }
    - { id: g, person: p, role: legal, alg: EdDSA, public-key: keys/text.pem }
    - { id: h, person: p, role: legal, alg: EdDSA, public-key: ../keys/good.pem }
    - { id: i, person: p, role: legal, alg: EdDSA, public-key: /etc/passwd }
    - { id: "j k", person: p, role: legal, alg: EdDSA, public-key: keys }
    - { id: l }
  rules:
    - { zone: "*", mode: read-only, require: { legal: 1 } })",
       {"policy.yaml:12:90: [bad-time] not-after is `2027-01-31`; expected a UTC time as "
        "2027-01-31T00:00:00Z",
        "policy.yaml:13:13: [key-twice] key id `a` again; expected it once",
        "policy.yaml:13:64: [key-of-two-persons] the key of person `p` also for `q`; expected a "
        "key of their own",
        "policy.yaml:14:45: [bad-choice] alg is `RS256`; did you mean `ES256`?",
        "policy.yaml:15:64: [key-algorithm] keys/good.pem holds a key of another kind; expected "
        "P-256, as `alg: ES256` says",
        "policy.yaml:16:64: [key-algorithm] keys/p256.pem holds a key of another kind; expected "
        "Ed25519, as `alg: EdDSA` says",
        "policy.yaml:17:64: [private-key] keys/private.pem holds a private key; expected the "
        "public one (openssl pkey -pubout), private keys never come to the server",
        "policy.yaml:18:64: [unreadable-file] keys/none.pem: No such file or directory; expected a "
        "readable file",
        "policy.yaml:19:64: [bad-public-key] keys/text.pem holds no public key; expected PEM with "
        "PUBLIC KEY",
        "policy.yaml:20:64: [unreadable-file] ../keys/good.pem: a path that leaves the repository; "
        "expected one inside it",
        "policy.yaml:21:64: [unreadable-file] /etc/passwd: a path that leaves the repository; "
        "expected one inside it",
        "policy.yaml:22:13: [bad-name] id is `j k`; expected 1 to 63 letters, digits, `-`, `_` or "
        "`.`",
        "policy.yaml:22:68: [unreadable-file] keys: not a regular file; expected a regular file",
        "policy.yaml:23:7: [missing-key] key without `person`; expected that key",
        "policy.yaml:23:7: [missing-key] key without `role`; expected that key",
        "policy.yaml:23:7: [missing-key] key without `alg`; expected that key",
        "policy.yaml:23:7: [missing-key] key without `public-key`; expected that key"}},
      {"approval rules",
       R"(jurisdictions:
  EU: { countries: [DE, FR], approved-standby: [CH] }
  CH: { countries: [CH] }
  US: { countries: [US] }
regions:
  eu: { jurisdiction: EU, location: [50, 8] }
  ch: { jurisdiction: CH, location: [47, 8] }
  us: { jurisdiction: US, location: [39, -77] }
approvals:
  audience: prod
  keys: [{ id: a, person: p, role: legal, alg: EdDSA, public-key: keys/good.pem }]
  rules:
    - { zone: "*", mode: read, require: { legal: 1 } }
    - { zone: a..b, mode: read-only, require: { legal: 1 } }
    - { zone: "*", mode: read-only, require: {} }
    - { zone: "*", mode: read-only, require: { legal: 0 } }
    - { zone: "*", mode: read-only, require: { legal: 2, security: 1 } })",
       {"policy.yaml:13:26: [bad-choice] mode is `read`; expected one of read-only, scoped-write, "
        "full-write",
        "policy.yaml:14:15: [bad-name] zone is `a..b`; expected a domain name or \"*\"",
        "policy.yaml:15:46: [empty-require] require names no role; expected at least one, as { "
        "legal: 1 }",
        "policy.yaml:16:55: [bad-integer] require is `0`; expected an integer from 1 to 100",
        "policy.yaml:17:48: [rule-unreachable] warning: 2 of role `legal` required, 1 have a key; "
        "expected enough keys, nothing can be approved by this rule",
        "policy.yaml:17:58: [rule-unreachable] warning: 1 of role `security` required, 0 have a "
        "key; expected enough keys, nothing can be approved by this rule"}},
      {"vantages",
       std::string(small_policy) + R"(vantages:
  good: { alg: EdDSA, public-key: keys/good.pem }
  p256: { alg: EdDSA, public-key: keys/p256.pem }
  private: { alg: EdDSA, public-key: keys/private.pem }
  none: { alg: EdDSA, public-key: keys/none.pem }
  rsa: { alg: RSA, key: keys/good.pem })",
       {"policy.yaml:11:35: [key-algorithm] keys/p256.pem holds a key of another kind; expected "
        "Ed25519, as `alg: EdDSA` says",
        "policy.yaml:12:38: [private-key] keys/private.pem holds a private key; expected the "
        "public one (openssl pkey -pubout), private keys never come to the server",
        "policy.yaml:13:35: [unreadable-file] keys/none.pem: No such file or directory; expected a "
        "readable file",
        "policy.yaml:14:8: [missing-key] vantage without `public-key`; expected that key",
        "policy.yaml:14:15: [bad-choice] alg is `RSA`; expected one of EdDSA, ES256",
        "policy.yaml:14:20: [unknown-key] unknown key `key` in vantage; expected one of alg, "
        "public-key"}},
  };
  for (const BadFile& row : rows) {
    CAPTURE(row.name);
    CHECK(findings(with_keys(row.text)) == row.findings);
  }
}

TEST_CASE("networks.yaml: what is refused, and where", "[zones][yaml]") {
  const std::vector<BadFile> rows = {
      {"a map",
       "network: 10.0.0.0/8",
       {"networks.yaml:1:1: [wrong-type] networks.yaml is a map; expected a list"}},
      {"bad values",
       R"(- { network: 10.0.0.1/8, country: DE }
- { network: 10.0.0.0/8 }
- { network: [10.0.0.0/8, "2001:db8::/32"], country: XX }
- { country: DE }
- { network: 192.0.2.0/24, continent: XX, asn: 0, location: [1], subdivision: DE }
- { network: 198.51.100.0/24, country: DE, subdivision: US-CA }
- 10.0.0.0/8
- { network: 203.0.113.0/24, asn: AS64500 })",
       {"networks.yaml:1:14: [bad-network] network is `10.0.0.1/8`; expected a network with no "
        "bits set after its length, as 203.0.113.0/24 or \"2001:db8::/32\"",
        "networks.yaml:2:3: [network-says-nothing] a network line with nothing but its network; "
        "expected country, subdivision, continent, asn or location",
        "networks.yaml:3:15: [network-twice] network 10.0.0.0/8 again, first in line 2; expected "
        "it once",
        "networks.yaml:3:54: [bad-country] country is `XX`; expected a two-letter country code of "
        "ISO 3166-1, as DE",
        "networks.yaml:4:3: [missing-key] network line without `network`; expected that key",
        "networks.yaml:5:39: [bad-continent] continent is `XX`; expected one of AF, AN, AS, EU, "
        "NA, OC, SA",
        "networks.yaml:5:48: [bad-integer] asn is `0`; expected an integer from 1 to 4294967295",
        "networks.yaml:5:61: [bad-location] location is not two numbers; expected [latitude, "
        "longitude] in degrees, -90 to 90 and -180 to 180",
        "networks.yaml:5:79: [bad-subdivision] subdivision is `DE`; expected an ISO 3166-2 code "
        "with its country, as US-CA or DE-BE",
        "networks.yaml:6:3: [subdivision-elsewhere] subdivision `US-CA` in country `DE`; expected "
        "one of that country",
        "networks.yaml:7:3: [wrong-type] network line is text; expected a map",
        "networks.yaml:8:35: [bad-integer] asn is `AS64500`; expected an integer from 1 to "
        "4294967295"}},
  };
  for (const BadFile& row : rows) {
    CAPTURE(row.name);
    CHECK(findings({{"networks.yaml", row.text}, {"zones/a.yaml", small_zone}}) == row.findings);
  }
}

}  // namespace
}  // namespace demarc::testing
