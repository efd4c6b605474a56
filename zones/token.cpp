#include "zones/token.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "zones/jws.h"
#include "zones/strict_json.h"
#include "zones/time_text.h"

namespace demarc::zones {
namespace {

using nlohmann::json;

// A time beyond the year 9999 is a mistake, and would overflow the arithmetic below.
constexpr std::int64_t seconds_max = 253'402'300'799;
constexpr std::size_t text_bytes_max = 1024;
constexpr std::size_t regions_max = 64;

constexpr std::array<std::string_view, 14> known_claims = {
    "iss",     "aud",  "jti", "iat",  "nbf",    "exp",  "zone",
    "service", "from", "to",  "mode", "reason", "case", "change"};
constexpr std::array<std::string_view, 3> later_claims = {"tenant", "max-share", "break-glass"};

template <typename... Args>
std::unexpected<Refusal> refuse(RefusalKind kind, fmt::format_string<Args...> text,
                                Args&&... args) {
  return std::unexpected(Refusal{kind, fmt::format(text, std::forward<Args>(args)...)});
}

/// Reads claims one by one and remembers the first thing that is wrong.
class ClaimReader {
 public:
  explicit ClaimReader(const json& payload) : payload_(payload) {}

  std::string text(const char* name) {
    const json* value = required(name);
    if (value == nullptr) return {};
    if (!value->is_string() || value->get_ref<const std::string&>().empty() ||
        value->get_ref<const std::string&>().size() > text_bytes_max) {
      fail(fmt::format("`{}` must be a text of 1 to {} bytes", name, text_bytes_max));
      return {};
    }
    return value->get<std::string>();
  }

  WallTime time(const char* name) {
    const json* value = required(name);
    if (value == nullptr) return {};
    if (!value->is_number_integer() || value->get<std::int64_t>() < 0 ||
        value->get<std::int64_t>() > seconds_max) {
      fail(fmt::format("`{}` must be whole seconds since 1970", name));
      return {};
    }
    return WallTime(Seconds(value->get<std::int64_t>()));
  }

  std::vector<std::string> regions(const char* name) {
    const json* value = required(name);
    std::vector<std::string> names;
    if (value == nullptr) return names;
    const json list = value->is_array() ? *value : json::array({*value});
    for (const json& item : list) {
      if (!item.is_string()) break;
      names.push_back(item.get<std::string>());
    }
    std::ranges::sort(names);
    const bool unique = std::ranges::adjacent_find(names) == names.end();
    if (names.empty() || names.size() != list.size() || !unique || names.size() > regions_max) {
      fail(fmt::format("`{}` must be a region or a list of 1 to {} different ones", name,
                       regions_max));
    }
    return names;
  }

  void fail(std::string text) {
    if (wrong_.empty()) wrong_ = std::move(text);
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  const json* required(const char* name) {
    const auto found = payload_.find(name);
    if (found == payload_.end()) {
      fail(fmt::format("the claim `{}` is missing", name));
      return nullptr;
    }
    return &*found;
  }

  const json& payload_;
  std::string wrong_;
};

Result<Claims, Refusal> read_claims(const std::string& payload) {
  const auto parsed = parse_json_object(payload);
  if (!parsed) return refuse(RefusalKind::malformed, "the payload: {}", parsed.error());
  for (const auto& [name, value] : parsed->items()) {
    if (std::ranges::count(later_claims, name) != 0) {
      return refuse(RefusalKind::unsupported, "this server does not know the claim `{}` yet", name);
    }
    // A claim that is not understood could be one that narrows the approval.
    if (std::ranges::count(known_claims, name) == 0) {
      return refuse(RefusalKind::malformed, "unknown claim `{}`", name);
    }
  }
  ClaimReader reader(*parsed);
  Claims claims;
  claims.issuer = reader.text("iss");
  claims.audience = reader.text("aud");
  claims.id = reader.text("jti");
  claims.issued_at = reader.time("iat");
  claims.not_before = reader.time("nbf");
  claims.expires = reader.time("exp");
  claims.zone = reader.text("zone");
  claims.service = reader.text("service");
  claims.from = reader.regions("from");
  claims.to = reader.regions("to");
  claims.reason = reader.text("reason");
  claims.case_id = reader.text("case");
  if (parsed->contains("change")) claims.change = reader.text("change");
  const std::string mode_text = reader.text("mode");
  const auto mode = parse_mode(mode_text);
  if (!mode) {
    reader.fail(
        fmt::format("`mode` is `{}`, expected read-only, scoped-write or full-write", mode_text));
  }
  if (!reader.wrong().empty()) return refuse(RefusalKind::malformed, "{}", reader.wrong());
  claims.mode = *mode;
  return claims;
}

struct Header {
  std::string algorithm;
  std::string key_id;
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
  return Header{text_of("alg"), text_of("kid")};
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

Result<void, Refusal> check_times(const Claims& claims, const Approvals& approvals, WallTime now) {
  const Seconds life =
      std::chrono::floor<Seconds>(claims.expires - std::min(claims.issued_at, claims.not_before));
  if (claims.expires <= claims.not_before) {
    return refuse(RefusalKind::malformed, "`exp` is not after `nbf`");
  }
  if (life > approvals.max_duration) {
    return refuse(RefusalKind::overlong, "it lives {} s, the policy allows {} s", life.count(),
                  approvals.max_duration.count());
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
  auto claims = read_claims(jws->payload);
  if (!claims) return std::unexpected(claims.error());
  if (claims->audience != approvals.audience) {
    return refuse(RefusalKind::audience, "`aud` is `{}`, this policy is `{}`", claims->audience,
                  approvals.audience);
  }
  if (const auto times = check_times(*claims, approvals, now); !times) {
    return std::unexpected(times.error());
  }
  return ApprovedToken{std::move(*claims), (*key)->id, (*key)->person, (*key)->role};
}

Result<UncheckedToken, Refusal> inspect_token(std::string_view text) {
  auto jws = parse_jws(text);
  if (!jws) return refuse(RefusalKind::malformed, "{}", jws.error());
  auto claims = read_claims(jws->payload);
  return UncheckedToken{std::move(jws->header), std::move(jws->payload), std::move(claims)};
}

Result<std::string, std::string> issue_token(const Claims& claims, const std::string& key_id,
                                             KeyAlgorithm algorithm,
                                             const std::string& private_key_pem) {
  const auto seconds = [](WallTime time) {
    return std::chrono::floor<Seconds>(time.time_since_epoch()).count();
  };
  const json header = {{"alg", name_of(algorithm)}, {"kid", key_id}, {"typ", "JWT"}};
  json payload = {{"iss", claims.issuer},
                  {"aud", claims.audience},
                  {"jti", claims.id},
                  {"iat", seconds(claims.issued_at)},
                  {"nbf", seconds(claims.not_before)},
                  {"exp", seconds(claims.expires)},
                  {"zone", claims.zone},
                  {"service", claims.service},
                  {"from", claims.from},
                  {"to", claims.to},
                  {"mode", to_text(claims.mode)},
                  {"reason", claims.reason},
                  {"case", claims.case_id}};
  if (claims.change) payload["change"] = *claims.change;
  return sign_jws(header.dump(), payload.dump(), algorithm, private_key_pem);
}

}  // namespace demarc::zones
