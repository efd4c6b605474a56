// Approval tokens: a person's signed word that a crossing may be made (DESIGN.md section 4).
// zones/jws.h checks the signature, zones/claims.h reads the claims, this holds them against policy
// and time; zones/grant.h makes grants of valid tokens, zones/steering.h decides when.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "zones/model.h"

namespace demarc::zones {

/// Clocks of signers and servers may differ by this much on `nbf` and `iat`; never on `exp`.
inline constexpr Seconds clock_skew_max{5};

/// What a token is for: its header's `typ` (RFC 8725 §3.11), so that none is taken for another.
enum class TokenType : std::uint8_t {
  approval,     // "JWT", "approval+jwt", or no typ at all: other tools write these
  break_glass,  // "break-glass+jwt"
  review,       // "review+jwt": of a break-glass grant, before the next
  drill,        // "drill+jwt"
  key_list,     // "key-list+jwt"
};

[[nodiscard]] std::string_view to_text(TokenType type) noexcept;  // "approval", "break-glass" ...
[[nodiscard]] std::optional<TokenType> parse_token_type(std::string_view text) noexcept;

/// A signature on a key list stands beside it in the repository, for nodes that load it later.
inline constexpr Seconds key_list_token_life_max{std::chrono::hours{24 * 366}};

/// What a token says. Times are whole seconds. What a token of its type does not say stays empty.
struct Claims {
  TokenType type = TokenType::approval;
  std::string issuer;
  std::string audience;
  std::string id;  // `jti`
  WallTime issued_at, not_before, expires;
  std::string zone;                   // as written
  std::string service;                // the label or the absolute owner name, as written
  std::vector<std::string> from, to;  // names of regions, sorted
  Mode mode = Mode::read_only;
  std::string reason;
  std::string case_id;
  std::optional<std::string> change;
  std::optional<std::string> tenant;         // of the service, which is named as well
  std::optional<unsigned> max_share;         // percent, 1 to 100
  std::optional<std::string> plan_template;  // claim `template`: gives zone to mode
  std::optional<std::string> grant;          // of a review: what is reviewed
  std::optional<std::string> drill;          // of a drill: the scenario's name
  std::optional<std::uint32_t> version;      // of a key list
  std::optional<std::string> keys_digest;    // of a key list: claim `keys-sha256`
  bool mode_is_given = true;                 // false: the template gives the mode

  auto operator<=>(const Claims&) const = default;
};

/// A token whose signature and claims hold at the moment of checking, with who signed it.
struct ApprovedToken {
  Claims claims;
  std::string key_id;
  std::string person;
  std::string role;
  std::string key_digest;  // zones/jws.h public_key_digest()
  std::optional<WallTime> key_ends;
  std::string text;  // as presented, without white space around it
};

/// Stable words for why a token was refused; they go to the audit trail and to the person.
enum class RefusalKind : std::uint8_t {
  malformed,      // no compact JWS, no JSON, duplicate or missing or misspelt claims
  algorithm,      // `alg` is not the key's one algorithm; `none` too
  unknown_key,    // `kid` is missing or names no key of the policy
  expired_key,    // past the key's not-after
  signature,      // not signed by the key, or not canonical
  audience,       // made for other servers
  not_yet_valid,  // before nbf, or issued in the future
  expired,        // at or after exp
  overlong,       // lives longer than the policy's max-duration
  used,           // this jti was presented before
  no_rule,        // the policy has no rule for this zone and mode
  revoked,        // the key or the token id was revoked
  type,           // a token of this type is not taken here, or now
  review,         // the last break-glass grant is not reviewed yet
  denied,         // a residency rule denies it, whoever signs
  scope,          // zone, service, region or change does not exist or cannot be approved
  mode,           // the mode does not cover the service's access
  unsupported,    // a claim of a later version
  frozen,         // a human freeze is on
  not_now,        // the server cannot take it: clock in doubt, audit trail not writable
};

[[nodiscard]] std::string_view to_text(RefusalKind kind) noexcept;

struct Refusal {
  RefusalKind kind = RefusalKind::malformed;
  std::string text;  // what was found and what was expected
};

/// Checks everything that the token and the policy alone decide, for every type of token: the
/// caller looks at `claims.type`. Pure; any text is fine.
[[nodiscard]] Result<ApprovedToken, Refusal> check_token(std::string_view text,
                                                         const Approvals& approvals, WallTime now);

/// The claims without any check of signature, key or time, for `demarc token inspect`.
struct UncheckedToken {
  std::string header;  // JSON text
  std::string payload;
  Result<Claims, Refusal> claims;
};
[[nodiscard]] Result<UncheckedToken, Refusal> inspect_token(std::string_view text);

/// Makes a token of the claims' type; the error says what is wrong with the key.
[[nodiscard]] Result<std::string, std::string> issue_token(const Claims& claims,
                                                           const std::string& key_id,
                                                           KeyAlgorithm algorithm,
                                                           const std::string& private_key_pem);

}  // namespace demarc::zones
