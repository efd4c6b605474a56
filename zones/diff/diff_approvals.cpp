// Who may approve: keys, rules, ends. A change loosens if somebody, or fewer, may approve what they
// could not before. zones/diff/diff_residency_rules.cpp has what may be approved at all.
#include <algorithm>

#include <fmt/format.h>

#include "zones/diff/parts.h"
#include "zones/diff/text.h"

namespace demarc::zones::diff {
namespace {

const std::string policy_file = "policy.yaml";

Change legal(std::string kind, ChangeEffect effect, std::string before, std::string after) {
  return {.kind = std::move(kind),
          .subject = "approvals",
          .rank = ChangeClass::legal,
          .effect = effect,
          .before = std::move(before),
          .after = std::move(after)};
}

/// More of something loosens, less of it tightens.
template <typename T>
ChangeEffect by_size(const T& before, const T& after) {
  return after > before ? ChangeEffect::loosens : ChangeEffect::tightens;
}

bool ends_later(const std::optional<WallTime>& before, const std::optional<WallTime>& after) {
  return before && (!after || *after > *before);
}

ChangeEffect key_effect(const ApprovalKey* before, const ApprovalKey* after) {
  if (before == nullptr) return ChangeEffect::loosens;
  if (after == nullptr) return ChangeEffect::tightens;
  ApprovalKey same = *after;
  same.not_after = before->not_after;
  const bool only_end = same == *before;
  if (!only_end) return ChangeEffect::loosens;  // another person, role or key may sign
  return ends_later(before->not_after, after->not_after) ? ChangeEffect::loosens
                                                         : ChangeEffect::tightens;
}

void diff_keys(Changes& changes, const Approvals& from, const Approvals& to) {
  std::set<std::string> ids;
  for (const ApprovalKey& key : from.keys) ids.insert(key.id);
  for (const ApprovalKey& key : to.keys) ids.insert(key.id);
  const auto find = [](const Approvals& approvals, const std::string& id) {
    const auto found = std::ranges::find(approvals.keys, id, &ApprovalKey::id);
    return found == approvals.keys.end() ? nullptr : &*found;
  };
  for (const std::string& id : ids) {
    const ApprovalKey* before = find(from, id);
    const ApprovalKey* after = find(to, id);
    Change change =
        legal("approval-key", key_effect(before, after), before == nullptr ? "" : key_text(*before),
              after == nullptr ? "" : key_text(*after));
    change.subject = "key " + id;
    changes.add(std::move(change), policy_file, "approvals/keys/" + id);
  }
}

/// What a scope of this zone and mode requires: the first rule that matches decides.
const ApprovalRule* rule_for(const Approvals& approvals, const std::string& zone, Mode mode) {
  const auto rule = std::ranges::find_if(approvals.rules, [&](const ApprovalRule& candidate) {
    return candidate.mode == mode && (candidate.zone == "*" || candidate.zone == zone);
  });
  return rule == approvals.rules.end() ? nullptr : &*rule;
}

void diff_rules(Changes& changes, const Approvals& from, const Approvals& to) {
  std::set<std::string> zones = {"*"};  // "*": every zone that no rule names
  for (const ApprovalRule& rule : from.rules) zones.insert(rule.zone);
  for (const ApprovalRule& rule : to.rules) zones.insert(rule.zone);
  for (const std::string& zone : zones) {
    for (const Mode mode : {Mode::read_only, Mode::scoped_write, Mode::full_write}) {
      const ApprovalRule* before = rule_for(from, zone, mode);
      const ApprovalRule* after = rule_for(to, zone, mode);
      const Required old_required = before == nullptr ? Required{} : before->require;
      const Required new_required = after == nullptr ? Required{} : after->require;
      ChangeEffect effect = ChangeEffect::tightens;
      if (after != nullptr && (before == nullptr || requires_less(old_required, new_required))) {
        effect = ChangeEffect::loosens;
      }
      const auto text = [](const ApprovalRule* rule) {
        return rule == nullptr ? std::string("cannot be approved") : required_text(rule->require);
      };
      Change change = legal("approval-rule", effect, text(before), text(after));
      change.subject = fmt::format("{} in {}", to_text(mode), zone == "*" ? "other zones" : zone);
      if (zones.size() == 1) change.subject = fmt::format("{} in all zones", to_text(mode));
      if (zone != "*") change.zone = zone;
      const auto number = after == nullptr ? 0 : after - to.rules.data();
      changes.add(std::move(change), policy_file, fmt::format("approvals/rules/{}", number));
    }
  }
}

std::string break_glass_text(const std::optional<BreakGlass>& glass) {
  if (!glass) return {};
  return fmt::format("{} for at most {}, reviewed by {}", required_text(glass->require),
                     duration_text(glass->max_duration), required_text(glass->review));
}

void diff_break_glass(Changes& changes, const Approvals& from, const Approvals& to) {
  const auto& before = from.break_glass;
  const auto& after = to.break_glass;
  const bool loosens = after && (!before || requires_less(before->require, after->require) ||
                                 requires_less(before->review, after->review) ||
                                 after->max_duration > before->max_duration);
  changes.add(legal("break-glass", loosens ? ChangeEffect::loosens : ChangeEffect::tightens,
                    break_glass_text(before), break_glass_text(after)),
              policy_file, "approvals/break-glass");
}

std::string key_list_text(const std::optional<KeyList>& list) {
  if (!list) return {};
  return fmt::format("version {}, the next one signed by {}, {}", list->version,
                     required_text(list->require), time_text(list->not_after));
}

void diff_key_list(Changes& changes, const Approvals& from, const Approvals& to) {
  const auto& before = from.key_list;
  const auto& after = to.key_list;
  ChangeEffect effect = ChangeEffect::touches;
  if (before && (!after || requires_less(before->require, after->require) ||
                 ends_later(before->not_after, after->not_after))) {
    effect = ChangeEffect::loosens;
  }
  changes.add(legal("key-list", effect, key_list_text(before), key_list_text(after)), policy_file,
              "approvals/key-list");
}

}  // namespace

bool requires_less(const Required& before, const Required& after) {
  return std::ranges::any_of(before, [&](const auto& one) {
    const auto found = after.find(one.first);
    return found == after.end() || found->second < one.second;
  });
}

void diff_approvals(Changes& changes) {
  const auto& before = changes.from().policy.approvals;
  const auto& after = changes.to().policy.approvals;
  if (before.has_value() != after.has_value()) {
    changes.add(
        legal("approvals", after ? ChangeEffect::loosens : ChangeEffect::tightens,
              before ? "crossings can be approved" : "", after ? "crossings can be approved" : ""),
        policy_file, "approvals");
  }
  const Approvals from = before.value_or(Approvals{});
  const Approvals to = after.value_or(Approvals{});
  if (before && after) {
    changes.add(legal("approval-audience", ChangeEffect::touches, from.audience, to.audience),
                policy_file, "approvals/audience");
    changes.add(legal("approval-duration", by_size(from.max_duration, to.max_duration),
                      duration_text(from.max_duration), duration_text(to.max_duration)),
                policy_file, "approvals/max-duration");
  }
  diff_keys(changes, from, to);
  diff_rules(changes, from, to);
  diff_break_glass(changes, from, to);
  const bool drill_loosens =
      !to.drill.empty() && (from.drill.empty() || requires_less(from.drill, to.drill));
  changes.add(
      legal("drill-approval", drill_loosens ? ChangeEffect::loosens : ChangeEffect::tightens,
            required_text(from.drill), required_text(to.drill)),
      policy_file, "approvals/drill");
  diff_key_list(changes, from, to);
}

}  // namespace demarc::zones::diff
