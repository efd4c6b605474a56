// What may be approved at all: residency rules and templates. Rules are compared by what they
// decide, over every combination that the rules of either side tell apart.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/diff/parts.h"
#include "zones/diff/text.h"

namespace demarc::zones::diff {
namespace {

const std::string policy_file = "policy.yaml";

// More combinations than this are not walked; such a change is said to loosen.
constexpr std::size_t combinations_max = 1'000'000;

struct Crossing {
  std::string zone, service, from, to;
  Mode mode = Mode::read_only;
};

bool names(const Policy& policy, const std::vector<JurisdictionId>& list, const std::string& name) {
  return list.empty() || std::ranges::any_of(list, [&](JurisdictionId id) {
           return policy.jurisdiction(id).name == name;
         });
}

bool is_allowed(const Policy& policy, const Crossing& crossing) {
  if (policy.residency_rules.empty()) return true;
  for (const ResidencyRule& rule : policy.residency_rules) {
    const bool matches = (rule.zone == "*" || rule.zone == crossing.zone) &&
                         (rule.service == "*" || rule.service == crossing.service) &&
                         names(policy, rule.from, crossing.from) &&
                         names(policy, rule.to, crossing.to) &&
                         (!rule.mode || *rule.mode == crossing.mode);
    if (matches) return rule.effect == Effect::allow;
  }
  return false;
}

struct Named {
  std::set<std::string> zones = {""}, services = {""}, jurisdictions = {""};  // "": any other
};

void collect(const Policy& policy, Named& named) {
  for (const ResidencyRule& rule : policy.residency_rules) {
    named.zones.insert(rule.zone);
    named.services.insert(rule.service);
    for (const auto* list : {&rule.from, &rule.to}) {
      for (const JurisdictionId id : *list) {
        named.jurisdictions.insert(policy.jurisdiction(id).name);
      }
    }
  }
}

/// Whether some crossing may be approved after, that might not be before.
bool allows_more(const Policy& before, const Policy& after) {
  Named named;
  collect(before, named);
  collect(after, named);
  const std::size_t sides = named.jurisdictions.size();
  if (named.zones.size() * named.services.size() * sides * sides * 3 > combinations_max) {
    return true;
  }
  for (const std::string& zone : named.zones) {
    for (const std::string& service : named.services) {
      for (const std::string& from : named.jurisdictions) {
        for (const std::string& to : named.jurisdictions) {
          for (const Mode mode : {Mode::read_only, Mode::scoped_write, Mode::full_write}) {
            const Crossing crossing{zone, service, from, to, mode};
            if (is_allowed(after, crossing) && !is_allowed(before, crossing)) return true;
          }
        }
      }
    }
  }
  return false;
}

std::string rules_text(const Policy& policy) {
  std::vector<std::string> lines;
  for (const ResidencyRule& rule : policy.residency_rules) {
    lines.push_back(residency_rule_text(policy, rule));
  }
  return fmt::format("{}", fmt::join(lines, "; "));
}

/// Whether `after` covers nothing that `before` did not.
bool is_within(const PlanTemplate& after, const PlanTemplate& before) {
  return after.zone == before.zone && after.service == before.service &&
         std::ranges::includes(before.from, after.from) &&
         std::ranges::includes(before.to, after.to) && after.mode <= before.mode &&
         after.max_share <= before.max_share && after.max_duration <= before.max_duration;
}

void diff_templates(Changes& changes) {
  const Policy& from = changes.from().policy;
  const Policy& to = changes.to().policy;
  std::set<std::string> ids;
  for (const PlanTemplate& plan : from.templates) ids.insert(plan.id);
  for (const PlanTemplate& plan : to.templates) ids.insert(plan.id);
  const auto find = [](const Policy& policy, const std::string& id) {
    const auto found = std::ranges::find(policy.templates, id, &PlanTemplate::id);
    return found == policy.templates.end() ? nullptr : &*found;
  };
  for (const std::string& id : ids) {
    const PlanTemplate* before = find(from, id);
    const PlanTemplate* after = find(to, id);
    const bool loosens = after != nullptr && (before == nullptr || !is_within(*after, *before));
    changes.add({.kind = "template",
                 .subject = "template " + id,
                 .rank = ChangeClass::legal,
                 .effect = loosens ? ChangeEffect::loosens : ChangeEffect::tightens,
                 .before = before == nullptr ? "" : template_text(*before),
                 .after = after == nullptr ? "" : template_text(*after)},
                policy_file, "templates/" + id);
  }
}

}  // namespace

void diff_residency_rules(Changes& changes) {
  const Policy& from = changes.from().policy;
  const Policy& to = changes.to().policy;
  ChangeEffect effect = ChangeEffect::touches;
  if (allows_more(from, to)) {
    effect = ChangeEffect::loosens;
  } else if (allows_more(to, from)) {
    effect = ChangeEffect::tightens;
  }
  changes.add({.kind = "residency-rules",
               .subject = "policy",
               .rank = ChangeClass::legal,
               .effect = effect,
               .before = rules_text(from),
               .after = rules_text(to)},
              policy_file, "residency-rules");
  diff_templates(changes);
}

}  // namespace demarc::zones::diff
