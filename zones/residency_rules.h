// Residency rules: may a crossing be made at all, whoever signs? policy.yaml's `residency-rules`,
// first match decides. zones/gate.h asks before it makes a crossing, zones/rules.h at load.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "zones/model.h"

namespace demarc::zones {

/// One crossing that somebody wants.
struct Crossing {
  std::string zone;     // apex without the last dot
  std::string service;  // owner without the last dot; of a class of tenants: its parent's
  JurisdictionId home{};
  JurisdictionId to{};
  std::optional<Mode> mode;  // of the grant; nothing: rules that name a mode do not match
};

/// Ids of the decisions that no rule of the file made.
inline constexpr std::string_view default_deny = "default-deny";      // rules, and none matches
inline constexpr std::string_view grant_required = "grant-required";  // no rules at all

struct RuleMatch {
  Effect effect = Effect::deny;
  std::string rule_id;
  auto operator<=>(const RuleMatch&) const = default;
};

/// What the rules say of it. Allow never stands in for a grant. Pure and total.
[[nodiscard]] RuleMatch match_rule(const Policy& policy, const Crossing& crossing);

/// Whether a rule of the file denies it by name: what counts for soft services.
[[nodiscard]] bool is_denied_by_name(const RuleMatch& match);

/// "*" or the very name, as rules and assertions have their zones and services.
[[nodiscard]] bool matches_name(std::string_view pattern, std::string_view name) noexcept;

/// The zone and service that rules know a service by: a class of tenants by its parent's owner.
[[nodiscard]] Crossing crossing_of(const Repository& repository, const Service& service,
                                   JurisdictionId home, JurisdictionId to,
                                   std::optional<Mode> mode);

}  // namespace demarc::zones
