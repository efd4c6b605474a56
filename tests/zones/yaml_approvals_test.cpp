// `approvals` in policy.yaml: break-glass, drills and the key list.
#include <catch2/catch.hpp>

#include "tests/zones/findings.h"
#include "zones/jws.h"
#include "zones/key_list.h"
#include "zones/time_text.h"

namespace demarc::testing {
namespace {

using namespace std::chrono_literals;

const zones::KeyPair& key() {
  static const zones::KeyPair pair = zones::make_key_pair(zones::KeyAlgorithm::EdDSA).value();
  return pair;
}

/// The first 9 lines of a policy; what is under `approvals` follows, indented by two.
std::string policy(const std::string& approvals) {
  return small_policy + "approvals:\n  audience: prod\n" +
         "  keys: [{ id: l-1, person: anna, role: legal, alg: EdDSA, public-key: l.pem }]\n" +
         "  rules: [{ zone: \"*\", mode: read-only, require: { legal: 1 } }]\n" + approvals;
}

std::string token(std::uint32_t version, const std::string& digest) {
  const zones::Claims claims{.type = zones::TokenType::key_list,
                             .issuer = "i",
                             .audience = "prod",
                             .id = "k-1",
                             .expires = WallTime(1h),
                             .reason = "r",
                             .case_id = "c",
                             .version = version,
                             .keys_digest = digest};
  return *zones::issue_token(claims, "l-1", zones::KeyAlgorithm::EdDSA, key().private_key_pem);
}

Files files(const std::string& approvals) {
  return {{"policy.yaml", policy(approvals)},
          {"zones/a.yaml", small_zone},
          {"l.pem", key().public_key_pem},
          {"other.jwt", token(1, std::string(64, '0')) + "\n"},
          {"text.jwt", "hello"}};
}

TEST_CASE("policy.yaml: break-glass, drill and key-list are read", "[zones][yaml]") {
  Files made = files(
      "  break-glass: { max-duration: 90m, require: { legal: 1 }, review: { legal: 1 } }\n"
      "  drill: { legal: 1 }\n"
      "  key-list: { version: 2, require: { legal: 1 }, not-after: 2027-06-30T00:00:00Z }\n");
  Diagnostics diagnostics;
  const auto repository = load(made, diagnostics);
  CHECK(lines_of(diagnostics).empty());
  REQUIRE(repository);
  const zones::Approvals& approvals = *repository->policy.approvals;
  REQUIRE(approvals.break_glass);
  CHECK(approvals.break_glass->max_duration == 90min);
  CHECK(approvals.break_glass->review == zones::Required{{"legal", 1}});
  CHECK(approvals.drill == zones::Required{{"legal", 1}});
  REQUIRE(approvals.key_list);
  CHECK(approvals.key_list->version == 2);
  CHECK(approvals.key_list->not_after == zones::parse_rfc3339("2027-06-30T00:00:00Z"));
  CHECK(approvals.key_list->digest == zones::key_list_digest(approvals));

  // A signature is part of the policy's digest, not of the list's.
  made["l.jwt"] = token(2, approvals.key_list->digest) + "\n";
  std::string& text = made["policy.yaml"];
  text.insert(text.find(", not-after"), ", signatures: l.jwt");
  const auto again = load(made, diagnostics);
  CHECK(lines_of(diagnostics).empty());
  REQUIRE(again);
  CHECK(again->policy.approvals->key_list->digest == approvals.key_list->digest);
  CHECK(again->policy.approvals->key_list->tokens ==
        std::vector{token(2, approvals.key_list->digest)});
  CHECK(again->policy.digest != repository->policy.digest);
}

TEST_CASE("policy.yaml: what is refused under break-glass, drill and key-list", "[zones][yaml]") {
  const std::vector<BadFile> rows = {
      {"break-glass",
       "  break-glass: { max-duration: 241m, require: {}, reviews: { legal: 1 } }\n",
       {"policy.yaml:13:16: [missing-key] break-glass without `review`; expected that key",
        "policy.yaml:13:32: [bad-duration] max-duration is `241m`; expected an integer and ms, s, "
        "m, h or d, "
        "from 1s to 4h",
        "policy.yaml:13:47: [empty-require] require names no role; expected at least one, as "
        "{ legal: 1 }",
        "policy.yaml:13:51: [unknown-key] unknown key `reviews` in break-glass; did you mean "
        "`review`?"}},
      {"nobody can",
       "  break-glass: { require: { legal: 2 }, review: { sre: 1 } }\n  drill: { legal: 2 }\n",
       {"policy.yaml:13:29: [rule-unreachable] warning: 2 of role `legal` required, 1 have a key; "
        "expected "
        "enough keys, nothing can be approved by this rule",
        "policy.yaml:13:51: [rule-unreachable] warning: 1 of role `sre` required, 0 have a key; "
        "expected "
        "enough keys, nothing can be approved by this rule",
        "policy.yaml:14:12: [rule-unreachable] warning: 2 of role `legal` required, 1 have a key; "
        "expected "
        "enough keys, nothing can be approved by this rule"}},
      {"key-list",
       "  key-list: { version: 0, signatures: [none.jwt, text.jwt, l.pem] }\n",
       {"policy.yaml:13:13: [missing-key] key-list without `require`; expected that key",
        "policy.yaml:13:24: [bad-integer] version is `0`; expected an integer from 1 to 4294967295",
        "policy.yaml:13:40: [unreadable-file] none.jwt: No such file or directory; expected a "
        "readable file",
        "policy.yaml:13:50: [key-list-signature] text.jwt: it is no compact JWS: expected three "
        "parts with two dots; expected a token of type key-list",
        "policy.yaml:13:60: [key-list-signature] l.pem: it is no compact JWS: expected three "
        "parts with two dots; expected a token of type key-list"}},
  };
  for (const BadFile& row : rows) {
    CAPTURE(row.name);
    CHECK(findings(files(row.text)) == row.findings);
  }
  const auto other =
      findings(files("  key-list: { version: 1, require: { legal: 1 }, signatures: other.jwt }\n"));
  REQUIRE(other.size() == 1);
  CHECK(other[0].starts_with(
      "policy.yaml:13:62: [key-list-signature] warning: other.jwt signs list 1 with "
      "keys-sha256 0000"));
}

}  // namespace
}  // namespace demarc::testing
