#include "zones/residency_rules.h"

#include <algorithm>

namespace demarc::zones {
namespace {

bool lists(const std::vector<JurisdictionId>& list, JurisdictionId id) {
  return list.empty() || std::ranges::find(list, id) != list.end();
}

bool matches(const ResidencyRule& rule, const Crossing& crossing) {
  return matches_name(rule.zone, crossing.zone) && matches_name(rule.service, crossing.service) &&
         lists(rule.from, crossing.home) && lists(rule.to, crossing.to) &&
         (!rule.mode || rule.mode == crossing.mode);
}

}  // namespace

bool matches_name(std::string_view pattern, std::string_view name) noexcept {
  return pattern == "*" || pattern == name;
}

RuleMatch match_rule(const Policy& policy, const Crossing& crossing) {
  if (policy.residency_rules.empty()) return {Effect::allow, std::string(grant_required)};
  for (const ResidencyRule& rule : policy.residency_rules) {
    if (matches(rule, crossing)) return {rule.effect, rule.id};
  }
  return {Effect::deny, std::string(default_deny)};
}

bool is_denied_by_name(const RuleMatch& match) {
  return match.effect == Effect::deny && match.rule_id != default_deny;
}

Crossing crossing_of(const Repository& repository, const Service& service, JurisdictionId home,
                     JurisdictionId to, std::optional<Mode> mode) {
  const Service& named = service.tenants_of ? repository.service(*service.tenants_of) : service;
  return {.zone = repository.zones.at(service.zone).apex.text_without_dot(),
          .service = named.owner.text_without_dot(),
          .home = home,
          .to = to,
          .mode = mode};
}

}  // namespace demarc::zones
