#include "zones/token.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "zones/claims.h"
#include "zones/jws.h"
#include "zones/strict_json.h"
#include "zones/time_text.h"

namespace demarc::zones {
namespace {

using nlohmann::json;

template <typename... Args>
std::unexpected<Refusal> refuse(RefusalKind kind, fmt::format_string<Args...> text,
                                Args&&... args) {
  return std::unexpected(Refusal{kind, fmt::format(text, std::forward<Args>(args)...)});
}

struct Header {
  std::string algorithm;
  std::string key_id;
  TokenType type = TokenType::approval;
};

Result<Header, Refusal> read_header(const std::string& text) {
  const auto parsed = parse_json_object(text);
  if (!parsed) return refuse(RefusalKind::malformed, "the header: {}", parsed.error());
  // RFC 7515 §4.1.11: a critical extension that is not understood makes the token invalid.
  if (parsed->contains("crit")) {
    return refuse(RefusalKind::malformed, "the header has `crit`, which is not understood");
  }
  const auto text_of = [&](const char* name) {
    const auto found = parsed->find(name);
    return found != parsed->end() && found->is_string() ? found->get<std::string>() : std::string{};
  };
  const auto typ = parsed->find("typ");
  const auto type = typ == parsed->end() ? TokenType::approval
                    : typ->is_string()   ? type_of_typ(typ->get<std::string>())
                                         : std::nullopt;
  if (!type) {
    return refuse(RefusalKind::type,
                  "the header's `typ` is of no token that is taken here; expected approval+jwt, "
                  "break-glass+jwt, review+jwt, drill+jwt or key-list+jwt");
  }
  return Header{text_of("alg"), text_of("kid"), *type};
}

std::string_view name_of(KeyAlgorithm algorithm) {
  return algorithm == KeyAlgorithm::EdDSA ? "EdDSA" : "ES256";
}

Result<const ApprovalKey*, Refusal> find_key(const Header& header, const Approvals& approvals,
                                             WallTime now) {
  if (header.key_id.empty()) {
    return refuse(RefusalKind::unknown_key, "the header names no key: expected `kid`");
  }
  const auto key = std::ranges::find(approvals.keys, header.key_id, &ApprovalKey::id);
  if (key == approvals.keys.end()) {
    return refuse(RefusalKind::unknown_key, "the policy has no key `{}`", header.key_id);
  }
  if (header.algorithm != name_of(key->algorithm)) {
    return refuse(RefusalKind::algorithm, "`alg` is `{}`, the key `{}` signs with {} alone",
                  header.algorithm, key->id, name_of(key->algorithm));
  }
  if (key->not_after && now >= *key->not_after) {
    return refuse(RefusalKind::expired_key, "the key `{}` ended at {}", key->id,
                  to_rfc3339(*key->not_after));
  }
  return &*key;
}

Seconds life_max(TokenType type, const Approvals& approvals) {
  switch (type) {
    case TokenType::approval:
    case TokenType::review:
    case TokenType::drill:
      return approvals.max_duration;
    case TokenType::break_glass:
      return approvals.break_glass ? approvals.break_glass->max_duration : Seconds(0);
    case TokenType::key_list:
      return key_list_token_life_max;
  }
  return Seconds(0);
}

Result<void, Refusal> check_times(const Claims& claims, const Approvals& approvals, WallTime now) {
  const Seconds life =
      std::chrono::floor<Seconds>(claims.expires - std::min(claims.issued_at, claims.not_before));
  if (claims.expires <= claims.not_before) {
    return refuse(RefusalKind::malformed, "`exp` is not after `nbf`");
  }
  if (const Seconds most = life_max(claims.type, approvals); life > most) {
    return refuse(RefusalKind::overlong, "it lives {} s, the policy allows {} s", life.count(),
                  most.count());
  }
  if (now >= claims.expires) {
    return refuse(RefusalKind::expired, "it ended at {}", to_rfc3339(claims.expires));
  }
  const WallTime latest_start = now + clock_skew_max;
  if (claims.not_before > latest_start || claims.issued_at > latest_start) {
    return refuse(RefusalKind::not_yet_valid, "it begins at {}",
                  to_rfc3339(std::max(claims.not_before, claims.issued_at)));
  }
  return {};
}

/// What the policy says of a type as a whole.
Result<void, Refusal> check_type(const Claims& claims, const Approvals& approvals, WallTime now) {
  const bool by_emergency =
      claims.type == TokenType::break_glass || claims.type == TokenType::review;
  if (by_emergency && !approvals.break_glass) {
    return refuse(RefusalKind::type, "the policy has no `break-glass`, so no token of type {}",
                  to_text(claims.type));
  }
  // The signatures on the next list are what ends this state, so they still count.
  const auto& list = approvals.key_list;
  if (claims.type != TokenType::key_list && list && list->not_after && now >= *list->not_after) {
    return refuse(RefusalKind::expired_key, "the key list ended at {}",
                  to_rfc3339(*list->not_after));
  }
  return {};
}

}  // namespace

std::string_view to_text(RefusalKind kind) noexcept {
  switch (kind) {
    case RefusalKind::malformed:
      return "malformed";
    case RefusalKind::algorithm:
      return "algorithm";
    case RefusalKind::unknown_key:
      return "unknown-key";
    case RefusalKind::expired_key:
      return "expired-key";
    case RefusalKind::signature:
      return "signature";
    case RefusalKind::audience:
      return "audience";
    case RefusalKind::not_yet_valid:
      return "not-yet-valid";
    case RefusalKind::expired:
      return "expired";
    case RefusalKind::overlong:
      return "overlong";
    case RefusalKind::used:
      return "used";
    case RefusalKind::no_rule:
      return "no-rule";
    case RefusalKind::revoked:
      return "revoked";
    case RefusalKind::type:
      return "type";
    case RefusalKind::review:
      return "review";
    case RefusalKind::denied:
      return "denied";
    case RefusalKind::scope:
      return "scope";
    case RefusalKind::mode:
      return "mode";
    case RefusalKind::unsupported:
      return "unsupported";
    case RefusalKind::frozen:
      return "frozen";
    case RefusalKind::not_now:
      return "not-now";
  }
  return "malformed";
}

Result<ApprovedToken, Refusal> check_token(std::string_view text, const Approvals& approvals,
                                           WallTime now) {
  const auto jws = parse_jws(text);
  if (!jws) return refuse(RefusalKind::malformed, "{}", jws.error());
  const auto header = read_header(jws->header);
  if (!header) return std::unexpected(header.error());
  const auto key = find_key(*header, approvals, now);
  if (!key) return std::unexpected(key.error());
  // Nothing of the payload is believed, or told, before the signature holds.
  if (!is_signed_by(*jws, (*key)->algorithm, (*key)->public_key_pem)) {
    return refuse(RefusalKind::signature, "it is not signed by the key `{}`", (*key)->id);
  }
  auto claims = read_claims(header->type, jws->payload);
  if (!claims) return std::unexpected(claims.error());
  if (const auto taken = check_type(*claims, approvals, now); !taken) {
    return std::unexpected(taken.error());
  }
  if (claims->audience != approvals.audience) {
    return refuse(RefusalKind::audience, "`aud` is `{}`, this policy is `{}`", claims->audience,
                  approvals.audience);
  }
  if (const auto times = check_times(*claims, approvals, now); !times) {
    return std::unexpected(times.error());
  }
  return ApprovedToken{.claims = std::move(*claims),
                       .key_id = (*key)->id,
                       .person = (*key)->person,
                       .role = (*key)->role,
                       .key_digest = public_key_digest((*key)->public_key_pem),
                       .key_ends = (*key)->not_after,
                       .text = jws->signing_input + '.' + base64url(jws->signature)};
}

Result<UncheckedToken, Refusal> inspect_token(std::string_view text) {
  auto jws = parse_jws(text);
  if (!jws) return refuse(RefusalKind::malformed, "{}", jws.error());
  const auto header = read_header(jws->header);
  auto claims = header ? read_claims(header->type, jws->payload)
                       : Result<Claims, Refusal>(std::unexpected(header.error()));
  return UncheckedToken{std::move(jws->header), std::move(jws->payload), std::move(claims)};
}

Result<std::string, std::string> issue_token(const Claims& claims, const std::string& key_id,
                                             KeyAlgorithm algorithm,
                                             const std::string& private_key_pem) {
  const json header = {{"alg", name_of(algorithm)}, {"kid", key_id}, {"typ", typ_of(claims.type)}};
  return sign_jws(header.dump(-1, ' ', false, json::error_handler_t::replace), write_claims(claims),
                  algorithm, private_key_pem);
}

}  // namespace demarc::zones
