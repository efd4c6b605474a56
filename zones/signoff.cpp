#include "zones/signoff.h"

#include <set>

#include <fmt/format.h>

namespace demarc::zones {
namespace {

std::unexpected<Refusal> refuse(RefusalKind kind, std::string text) {
  return std::unexpected(Refusal{kind, std::move(text)});
}

/// What a token signs off, by the claim of its type; nothing for types that sign off nothing.
std::optional<std::string> named_by(const Claims& claims) {
  switch (claims.type) {
    case TokenType::review:
      return claims.grant;
    case TokenType::drill:
      return claims.drill;
    case TokenType::key_list:
      return claims.keys_digest;
    case TokenType::approval:
    case TokenType::break_glass:
      return std::nullopt;
  }
  return std::nullopt;
}

Result<Signature, Refusal> check_one(const std::string& text, const SignoffNeeds& needs) {
  const auto token = check_token(text, needs.approvals, needs.now);
  if (!token) return std::unexpected(token.error());
  const Claims& claims = token->claims;
  if (claims.type != needs.type) {
    return refuse(RefusalKind::type, fmt::format("it is of type {}, expected {}",
                                                 to_text(claims.type), to_text(needs.type)));
  }
  if (const auto named = named_by(claims); named != needs.what) {
    return refuse(RefusalKind::scope,
                  fmt::format("it is for `{}`, expected `{}`", named.value_or(""), needs.what));
  }
  if (needs.is_revoked && needs.is_revoked(token->key_digest)) {
    return refuse(RefusalKind::revoked, "the key `" + token->key_id + "` was revoked");
  }
  if (needs.is_used && needs.is_used(claims.id)) {
    return refuse(RefusalKind::used, "the token id `" + claims.id + "` was used before");
  }
  if (!needs.required.contains(token->role)) {
    return refuse(RefusalKind::no_rule, "the role `" + token->role + "` is not asked for");
  }
  return signature_of(*token);
}

}  // namespace

Result<std::vector<Signature>, Refusal> check_signoff(std::span<const std::string> tokens,
                                                      const SignoffNeeds& needs) {
  std::vector<Signature> signatures;
  std::set<std::string> ids;
  for (const std::string& text : tokens) {
    auto signature = check_one(text, needs);
    if (!signature) return std::unexpected(signature.error());
    if (!ids.insert(signature->token_id).second) {
      return refuse(RefusalKind::used, "the token id `" + signature->token_id + "` comes twice");
    }
    signatures.push_back(std::move(*signature));
  }
  if (needs.required.empty()) {
    return refuse(RefusalKind::no_rule, "the policy names nobody who may sign this");
  }
  if (!is_satisfied(needs.required, signatures)) {
    return refuse(RefusalKind::no_rule, "needs " + missing_text(needs.required, signatures));
  }
  return signatures;
}

}  // namespace demarc::zones
