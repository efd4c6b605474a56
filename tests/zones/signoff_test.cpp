#include "zones/signoff.h"

#include "tests/zones/token_story.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

std::string drill_token(const std::string& key, const std::string& id,
                        const std::string& name = "eu-down") {
  Claims claims = claims_at(noon, id, TokenType::drill);
  claims.drill = name;
  return signed_by(key, claims);
}

const Required two = {{"legal", 1}, {"security", 1}};

/// "" or the kind of the refusal.
std::string judged(const std::vector<std::string>& tokens, const Required& required = two) {
  const Approvals approvals = full_approvals();
  const auto signatures = check_signoff(
      tokens, {.type = TokenType::drill,
               .approvals = approvals,
               .required = required,
               .what = "eu-down",
               .now = noon,
               .is_used = [](const std::string& id) { return id == "old"; },
               .is_revoked =
                   [](const std::string& digest) {
                     return digest == public_key_digest(pair_of("sec-2").public_key_pem);
                   }});
  if (!signatures) return std::string(to_text(signatures.error().kind));
  CHECK(signatures->size() == tokens.size());
  return {};
}

}  // namespace

TEST_CASE("signoff: different persons in every role, for this very thing", "[zones][signoff]") {
  const std::string legal = drill_token("legal-1", "d-1");
  CHECK(judged({legal, drill_token("sec-1", "d-2")}).empty());
  CHECK(judged({drill_token("sec-1", "d-2"), legal}).empty());
  CHECK(judged({}) == "no-rule");
  CHECK(judged({legal}) == "no-rule");
  CHECK(judged({legal}, {}) == "no-rule");
  CHECK(judged({legal, drill_token("sec-anna", "d-2")}) == "no-rule");  // Anna twice
  CHECK(judged({legal, legal}) == "used");
  CHECK(judged({legal, drill_token("sec-1", "old")}) == "used");
  CHECK(judged({legal, drill_token("sec-2", "d-2")}) == "revoked");
  CHECK(judged({legal, drill_token("sec-1", "d-2", "us-down")}) == "scope");
  CHECK(judged({legal, "text"}) == "malformed");
  CHECK(judged({legal, drill_token("sec-1", "d-2")}, {{"legal", 1}}) == "no-rule");
  const Claims approval = claims_at(noon, "t", TokenType::approval);
  CHECK(judged({legal, signed_by("sec-1", approval)}) == "type");
}
