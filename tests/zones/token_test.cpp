#include "zones/token.h"

#include <functional>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/zones/claims_at.h"
#include "zones/jws.h"
#include "zones/time_text.h"

using namespace demarc;
using namespace demarc::zones;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const WallTime now = *parse_rfc3339("2026-11-23T12:00:00Z");

const KeyPair& legal_key() {
  static const KeyPair pair = make_key_pair(KeyAlgorithm::EdDSA).value();
  return pair;
}
const KeyPair& security_key() {
  static const KeyPair pair = make_key_pair(KeyAlgorithm::ES256).value();
  return pair;
}

Approvals approvals() {
  Approvals made;
  made.audience = "prod-dns";
  made.max_duration = 24h;
  made.keys = {
      {"legal-1", "anna", "legal", KeyAlgorithm::EdDSA, legal_key().public_key_pem, {}},
      {"sec-1", "ben", "security", KeyAlgorithm::ES256, security_key().public_key_pem, {}}};
  return made;
}

Claims claims() { return testing::claims_at(now, "token-1"); }

std::string sign(const json& header, const json& payload) {
  return *sign_jws(header.dump(), payload.dump(), KeyAlgorithm::EdDSA, legal_key().private_key_pem);
}

json payload() {
  const auto token =
      issue_token(claims(), "legal-1", KeyAlgorithm::EdDSA, legal_key().private_key_pem);
  return json::parse(parse_jws(*token)->payload);
}
const json header = {{"alg", "EdDSA"}, {"kid", "legal-1"}};

RefusalKind refused(const std::string& token, WallTime at = now) {
  const auto checked = check_token(token, approvals(), at);
  REQUIRE_FALSE(checked.has_value());
  return checked.error().kind;
}

std::string with(const std::function<void(json&)>& change) {
  json changed = payload();
  change(changed);
  return sign(header, changed);
}

}  // namespace

TEST_CASE("token: what was issued checks, with who signed it", "[zones][token]") {
  const auto [kid, algorithm, key, person] =
      GENERATE(table<std::string, KeyAlgorithm, const KeyPair*, std::string>(
          {{"legal-1", KeyAlgorithm::EdDSA, &legal_key(), "anna"},
           {"sec-1", KeyAlgorithm::ES256, &security_key(), "ben"}}));
  Claims made = claims();
  made.change = "chg-1";
  const auto token = issue_token(made, kid, algorithm, key->private_key_pem);
  REQUIRE(token.has_value());
  const auto checked = check_token(*token + "\n", approvals(), now);
  REQUIRE(checked.has_value());
  CHECK(checked->claims == made);
  CHECK(checked->key_id == kid);
  CHECK(checked->person == person);
}

TEST_CASE("token: from and to may be one text or a list", "[zones][token]") {
  const auto token = with([](json& p) {
    p["from"] = "eu";
    p["to"] = json::array({"us", "ap"});
  });
  const auto checked = check_token(token, approvals(), now);
  REQUIRE(checked.has_value());
  CHECK(checked->claims.to == std::vector<std::string>{"ap", "us"});
}

TEST_CASE("token: every refusal kind that token and policy decide", "[zones][token]") {
  using K = RefusalKind;
  CHECK(refused("") == K::malformed);
  CHECK(refused("a.b") == K::malformed);
  CHECK(refused(std::string(token_bytes_max + 1, 'a')) == K::malformed);
  CHECK(refused(sign({{"alg", "none"}, {"kid", "legal-1"}}, payload())) == K::algorithm);
  CHECK(refused(sign({{"alg", "HS256"}, {"kid", "legal-1"}}, payload())) == K::algorithm);
  CHECK(refused(sign({{"alg", "ES256"}, {"kid", "legal-1"}}, payload())) == K::algorithm);
  CHECK(refused(sign({{"alg", "EdDSA"}}, payload())) == K::unknown_key);
  CHECK(refused(sign({{"alg", "EdDSA"}, {"kid", "legal-2"}}, payload())) == K::unknown_key);
  CHECK(refused(sign({{"alg", "EdDSA"}, {"kid", "legal-1"}, {"crit", {"exp"}}}, payload())) ==
        K::malformed);
  CHECK(refused(with([](json& p) { p["aud"] = "lab-dns"; })) == K::audience);
  CHECK(refused(with([](json& p) { p["plan-sha256"] = "0"; })) == K::unsupported);
  CHECK(refused(with([](json& p) { p["servcie"] = "api"; })) == K::malformed);
  CHECK(refused(with([](json& p) { p.erase("reason"); })) == K::malformed);
  CHECK(refused(with([](json& p) { p["mode"] = "all"; })) == K::malformed);
  CHECK(refused(with([](json& p) { p["exp"] = "soon"; })) == K::malformed);
  CHECK(refused(with([](json& p) { p["exp"] = 1e30; })) == K::malformed);
  CHECK(refused(with([](json& p) { p["from"] = json::array(); })) == K::malformed);
  CHECK(refused(with([](json& p) { p["to"] = json::array({"us", "us"}); })) == K::malformed);
  CHECK(refused(with([](json& p) { p["exp"] = p["nbf"]; })) == K::malformed);
}

TEST_CASE("token: another key's signature and a changed byte are refused", "[zones][token]") {
  const auto other = make_key_pair(KeyAlgorithm::EdDSA).value();
  const auto forged = issue_token(claims(), "legal-1", KeyAlgorithm::EdDSA, other.private_key_pem);
  CHECK(refused(*forged) == RefusalKind::signature);

  const std::string good = sign(header, payload());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    if (bad == good) continue;
    CAPTURE(i);
    CHECK_FALSE(check_token(bad, approvals(), now).has_value());
  }
}

TEST_CASE("token: a second spelling of the same signature is refused", "[zones][token]") {
  const std::string good = sign(header, payload());
  // 64 bytes end in a character of which two bits count nothing: three other spellings exist.
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const auto last = alphabet.find(good.back());
  for (std::size_t i = last + 1; i < (last | 15) + 1 && i < alphabet.size(); ++i) {
    CHECK(refused(good.substr(0, good.size() - 1) + alphabet[i]) == RefusalKind::malformed);
  }
  CHECK(refused(good + "=") == RefusalKind::malformed);
}

TEST_CASE("token: duplicate claims are refused", "[zones][token]") {
  std::string text = payload().dump();
  text.insert(1, "\"exp\":9999999999,");
  const auto token =
      sign_jws(header.dump(), text, KeyAlgorithm::EdDSA, legal_key().private_key_pem);
  CHECK(refused(*token) == RefusalKind::malformed);
}

TEST_CASE("token: time has its bounds", "[zones][token]") {
  const std::string token = sign(header, payload());
  const auto valid_at = [&](WallTime at) {
    return check_token(token, approvals(), at).has_value();
  };
  CHECK(refused(token, now - 6s) == RefusalKind::not_yet_valid);
  CHECK(valid_at(now - 5s));  // clocks may differ by five seconds at the beginning ...
  CHECK(valid_at(now + 1h - 1ms));
  CHECK(refused(token, now + 1h) == RefusalKind::expired);  // ... and not at all at the end
  const auto seconds = [](WallTime t) {
    return std::chrono::floor<Seconds>(t.time_since_epoch()).count();
  };
  CHECK(check_token(with([&](json& p) { p["exp"] = seconds(now + 24h); }), approvals(), now));
  CHECK(refused(with([&](json& p) { p["exp"] = seconds(now + 24h + 1s); })) ==
        RefusalKind::overlong);
  // An early `iat` counts for the length as well.
  CHECK(refused(with([&](json& p) { p["iat"] = seconds(now - 24h); })) == RefusalKind::overlong);
}

TEST_CASE("token: a key's own end is obeyed", "[zones][token]") {
  Approvals with_end = approvals();
  with_end.keys[0].not_after = now;
  const auto checked = check_token(sign(header, payload()), with_end, now);
  REQUIRE_FALSE(checked.has_value());
  CHECK(checked.error().kind == RefusalKind::expired_key);
}

TEST_CASE("jws: RFC 8037 appendix A.4 verifies", "[zones][jws]") {
  // The RFC's public key x as SubjectPublicKeyInfo, its payload and its signature.
  const std::string pem =
      "-----BEGIN PUBLIC KEY-----\n"
      "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
      "-----END PUBLIC KEY-----\n";
  const auto jws = parse_jws(
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcv"
      "Mg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  REQUIRE(jws.has_value());
  CHECK(jws->payload == "Example of Ed25519 signing");
  CHECK(is_signed_by(*jws, KeyAlgorithm::EdDSA, pem));
  CHECK_FALSE(is_signed_by(*jws, KeyAlgorithm::ES256, pem));
  CHECK_FALSE(is_signed_by(*jws, KeyAlgorithm::EdDSA, "no PEM"));
}

TEST_CASE("jws: an Ed25519 signature with S + L is refused", "[zones][jws]") {
  // RFC 8032 §5.1.7: S must be below the group order L, or one message has many signatures.
  const std::string token = sign(header, payload());
  auto jws = parse_jws(token);
  REQUIRE(jws.has_value());
  const unsigned char order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                   0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                   0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += static_cast<unsigned char>(jws->signature[32 + i]) + unsigned{order[i]};
    jws->signature[32 + i] = static_cast<char>(carry & 0xff);
    carry >>= 8;
  }
  CHECK_FALSE(is_signed_by(*jws, KeyAlgorithm::EdDSA, legal_key().public_key_pem));
}

TEST_CASE("time text: RFC 3339 both ways", "[zones][time]") {
  CHECK(to_rfc3339(now) == "2026-11-23T12:00:00.000Z");
  CHECK(parse_rfc3339("2026-11-23T12:00:00.25Z") == now + 250ms);
  for (const char* bad :
       {"", "2026-11-23", "2026-11-23T12:00:00", "2026-11-23T12:00:00+00:00",
        "2026-02-30T12:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T12:00:60Z",
        "2026-11-23T12:00:00.Z", "2026-11-23T12:00:00.1234Z", "2026-11-23 12:00:00Z"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_rfc3339(bad).has_value());
  }
}
