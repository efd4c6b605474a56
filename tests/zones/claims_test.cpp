#include "zones/claims.h"

#include <nlohmann/json.hpp>

#include "tests/zones/token_story.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;
using nlohmann::json;

namespace {

const std::vector<TokenType> all_types = {TokenType::approval, TokenType::break_glass,
                                          TokenType::review, TokenType::drill, TokenType::key_list};

Claims good(TokenType type) {
  Claims claims = claims_at(noon, "t-1", type);
  if (type == TokenType::review) claims.grant = "grant-1";
  if (type == TokenType::drill) claims.drill = "eu-down";
  if (type == TokenType::key_list) {
    claims.version = 2;
    claims.keys_digest = std::string(64, 'a');
  }
  return claims;
}

/// A good value of each claim that some type may have.
const std::map<std::string, json>& values() {
  static const std::map<std::string, json> map = {{"zone", "example.com"},
                                                  {"service", "api"},
                                                  {"from", "eu"},
                                                  {"to", "us"},
                                                  {"mode", "read-only"},
                                                  {"change", "chg-1"},
                                                  {"tenant", "acme"},
                                                  {"max-share", 50},
                                                  {"template", "plan"},
                                                  {"grant", "grant-1"},
                                                  {"drill", "eu-down"},
                                                  {"version", 2},
                                                  {"keys-sha256", std::string(64, 'a')}};
  return map;
}

std::string kind_of(TokenType type, const json& payload) {
  const auto claims = read_claims(type, payload.dump());
  return claims ? std::string{} : std::string(to_text(claims.error().kind));
}

}  // namespace

TEST_CASE("claims: each type has its own, required ones and forbidden ones", "[zones][token]") {
  using Set = std::set<std::string>;
  const std::map<TokenType, std::pair<Set, Set>> rules = {
      {TokenType::approval,
       {{"zone", "service", "from", "to", "mode"}, {"change", "tenant", "max-share", "template"}}},
      {TokenType::break_glass,
       {{"zone", "service", "from", "to", "mode"}, {"change", "tenant", "max-share"}}},
      {TokenType::review, {{"grant"}, {}}},
      {TokenType::drill, {{"drill"}, {}}},
      {TokenType::key_list, {{"version", "keys-sha256"}, {}}}};
  for (const TokenType type : all_types) {
    const auto& [needed, possible] = rules.at(type);
    const json payload = json::parse(write_claims(good(type)));
    CAPTURE(to_text(type));
    CHECK(kind_of(type, payload).empty());
    for (const auto& [claim, value] : values()) {
      CAPTURE(claim);
      json with = payload, without = payload;
      with[claim] = value;
      without.erase(claim);
      const bool known = needed.contains(claim) || possible.contains(claim);
      CHECK(kind_of(type, with) == (known ? "" : "malformed"));
      CHECK(kind_of(type, without) == (needed.contains(claim) ? "malformed" : ""));
    }
    for (const char* claim : {"iss", "aud", "jti", "iat", "nbf", "exp", "reason", "case"}) {
      json without = payload;
      without.erase(claim);
      CHECK(kind_of(type, without) == "malformed");
    }
  }
}

TEST_CASE("claims: values have their bounds", "[zones][token]") {
  struct Row {
    TokenType type;
    const char* claim;
    json value;
    bool fine;
  };
  const std::vector<Row> rows = {
      {TokenType::approval, "max-share", 1, true},
      {TokenType::approval, "max-share", 100, true},
      {TokenType::approval, "max-share", 0, false},
      {TokenType::approval, "max-share", 101, false},
      {TokenType::approval, "max-share", -1, false},
      {TokenType::approval, "max-share", 50.5, false},
      {TokenType::approval, "max-share", "50", false},
      {TokenType::approval, "tenant", "", false},
      {TokenType::approval, "tenant", std::string(1024, 't'), true},
      {TokenType::approval, "tenant", std::string(1025, 't'), false},
      {TokenType::approval, "exp", 253'402'300'799, true},
      {TokenType::approval, "exp", 253'402'300'800, false},
      {TokenType::approval, "exp", 18'446'744'073'709'551'615U, false},
      {TokenType::key_list, "version", 1, true},
      {TokenType::key_list, "version", 4'294'967'295, true},
      {TokenType::key_list, "version", 4'294'967'296, false},
      {TokenType::key_list, "version", 0, false},
      {TokenType::key_list, "keys-sha256", std::string(64, '0'), true},
      {TokenType::key_list, "keys-sha256", std::string(64, 'A'), false},
      {TokenType::key_list, "keys-sha256", std::string(63, '0'), false},
  };
  for (const Row& row : rows) {
    json payload = json::parse(write_claims(good(row.type)));
    payload[row.claim] = row.value;
    CAPTURE(row.claim, row.value.dump());
    CHECK(kind_of(row.type, payload) == (row.fine ? "" : "malformed"));
  }
  for (const char* claim : {"tenant", "change"}) {
    json payload = json::parse(write_claims(good(TokenType::approval)));
    payload["service"] = "*";
    CHECK(kind_of(TokenType::approval, payload).empty());
    payload[claim] = "one";
    CHECK(kind_of(TokenType::approval, payload) == "malformed");
  }
}

TEST_CASE("claims: with a template the scope may be left out", "[zones][token]") {
  json payload = json::parse(write_claims(good(TokenType::approval)));
  for (const char* claim : {"zone", "service", "from", "to", "mode"}) payload.erase(claim);
  CHECK(kind_of(TokenType::approval, payload) == "malformed");
  payload["template"] = "plan";
  const auto claims = read_claims(TokenType::approval, payload.dump());
  REQUIRE(claims.has_value());
  CHECK_FALSE(claims->mode_is_given);
  CHECK(json::parse(write_claims(*claims)) == payload);
}

TEST_CASE("token: `typ` tells the types apart, and no signature changes it", "[zones][token]") {
  const std::vector<std::pair<std::optional<std::string>, std::optional<TokenType>>> rows = {
      {std::nullopt, TokenType::approval},
      {"JWT", TokenType::approval},
      {"jwt", TokenType::approval},
      {"application/jwt", TokenType::approval},
      {"approval+jwt", TokenType::approval},
      {"Application/Approval+JWT", TokenType::approval},
      {"break-glass+jwt", TokenType::break_glass},
      {"review+jwt", TokenType::review},
      {"drill+jwt", TokenType::drill},
      {"key-list+jwt", TokenType::key_list},
      {"", std::nullopt},
      {"at+jwt", std::nullopt},
      {"approval", std::nullopt},
      {"application/", std::nullopt},
      {"text/jwt", std::nullopt},
      {"application/application/jwt", std::nullopt}};
  for (const auto& [typ, type] : rows) {
    CAPTURE(typ.value_or("absent"));
    CHECK(type_of_typ(typ) == type);
  }
  for (const TokenType type : all_types) {
    CHECK(type_of_typ(typ_of(type)) == type);
    const auto token = check_token(signed_by("legal-1", good(type)), full_approvals(), noon);
    REQUIRE(token.has_value());
    CHECK(token->claims == good(type));
    // The same payload under every other typ is refused.
    const auto jws = parse_jws(token->text).value();
    for (const TokenType other : all_types) {
      const bool alike = type == TokenType::approval || type == TokenType::break_glass;
      const bool other_alike = other == TokenType::approval || other == TokenType::break_glass;
      if (other == type || (alike && other_alike)) continue;
      const json header = {{"alg", "EdDSA"}, {"kid", "legal-1"}, {"typ", typ_of(other)}};
      const auto again = sign_jws(header.dump(), jws.payload, KeyAlgorithm::EdDSA,
                                  pair_of("legal-1").private_key_pem);
      const auto checked = check_token(*again, full_approvals(), noon);
      REQUIRE_FALSE(checked.has_value());
      CHECK(checked.error().kind == RefusalKind::malformed);
    }
  }
  const json header = {{"alg", "EdDSA"}, {"kid", "legal-1"}, {"typ", 7}};
  const auto odd = sign_jws(header.dump(), write_claims(good(TokenType::approval)),
                            KeyAlgorithm::EdDSA, pair_of("legal-1").private_key_pem);
  CHECK(check_token(*odd, full_approvals(), noon).error().kind == RefusalKind::type);
}
