// Steering's part for the leash: what it keeps of a service, when it is looked at again, and who is
// told (zones/leash.h decides).
#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/alert_text.h"
#include "zones/leash.h"
#include "zones/steering.h"
#include "zones/steering_step.h"

namespace demarc::zones {

/// What the gate would make of it for each that is ruled by itself.
std::vector<Ruling> Steering::rulings_by(const Plan& plan) const {
  std::vector<Ruling> rulings;
  std::set<std::string> tenants = tenants_to_rule(plan.service);
  tenants.insert("");
  for (const std::string& tenant : tenants) {
    const auto live =
        audit_writable_ ? activate(plan, tenant).permissions : made_permissions(plan.service);
    rulings.push_back(
        Gate::rule(*configuration_->repository, *configuration_->views, plan, live, tenant));
  }
  return rulings;
}

/// Whether everybody is answered at home, by somebody who is well.
bool Steering::is_well_at_home(const Plan& plan) const {
  return std::ranges::all_of(rulings_by(plan), [&](const Ruling& ruling) {
    if (!ruling.made.empty() || !ruling.soft_abroad.empty() || ruling.held) return false;
    const ClearedWeights& cleared = ruling.cleared;
    return std::ranges::all_of(cleared.choice_of_variant(), [&](std::uint16_t at) {
      const Choice& choice = cleared.choices()[at];
      return choice.note == ChoiceNote::none &&
             std::ranges::any_of(choice.records, [&](const WeightedRecord& r) {
               return plan.usable[index_of(r.record)];
             });
    });
  });
}

/// Whether a plan goes on with crossings that are made already, makes no other, and leaves nobody
/// whom they do not cover without the home that is well again.
bool Steering::stays_abroad(const Plan& plan) const {
  const Service& service = configuration_->repository->service(plan.service);
  const auto is_served = [&](const Choice* choice) {
    const bool is_crossing = choice->note == ChoiceNote::exception;
    return choice->kind == ChoiceKind::records &&
           (is_crossing || choice->note == ChoiceNote::none ||
            service.on_block.answer == BlockAnswer::hold);
  };
  bool is_any = false;
  for (const Ruling& ruling : rulings_by(plan)) {
    if (!std::ranges::all_of(given(ruling.cleared), is_served)) return false;
    for (const Made& made : ruling.made) {
      if (!is_made(service, made)) return false;
      is_any = true;
    }
  }
  return is_any;
}

/// Checks that are well again wait as long as nobody is the worse for it: for a person's word while
/// a crossing lasts, else for their delay while others at home answer.
LeashRuling Steering::leash_of(ServiceId id) const {
  const Repository& repository = *configuration_->repository;
  const Service& service = repository.service(id);
  const auto known = state_.leashes.find(service.owner.text_without_dot());
  const LeashState before = known == state_.leashes.end() ? LeashState{} : known->second;
  Conditions conditions = known_of(service);
  std::vector<LeashHold> holds;
  std::optional<WallTime> due = next_failover(service);
  std::set<std::string> away;
  const auto wait_if = [&](const Waiting& waiting, auto is_good) {
    if (waiting.holds.empty()) return false;
    Conditions longer = conditions;
    for (std::size_t i = 0; i < waiting.checks.size(); ++i) {
      const bool is_by_order = conditions.is_by_order(index_of(service.checks[i].record));
      if (waiting.checks[i] && !is_by_order) longer.check_failing[i] = true;
    }
    if (!is_good(make_plan(repository, id, longer))) return false;
    conditions = std::move(longer);
    std::ranges::copy(waiting.holds, std::back_inserter(holds));
    if (waiting.until) due = std::min(due.value_or(*waiting.until), *waiting.until);
    return true;
  };
  if (wait_if(kept_away(service, before), [&](const Plan& p) { return stays_abroad(p); })) {
    away = before.kept_away;
  } else {
    wait_if(delayed_returns(service), [&](const Plan& p) { return is_well_at_home(p); });
  }
  const Answers answers = [this](const Plan& plan) {
    std::vector<ClearedWeights> cleared;
    for (Ruling& ruling : rulings_by(plan)) cleared.push_back(std::move(ruling.cleared));
    return cleared;
  };
  LeashRuling ruling =
      leash_weights(repository, id, std::move(conditions), before, answers, state_.trusted_wall);
  ruling.next.kept_away = std::move(away);
  std::ranges::copy(holds, std::back_inserter(ruling.holds));
  if (due) ruling.due = std::min(ruling.due.value_or(*due), *due);
  return ruling;
}

Conditions Steering::conditions_of(const Service& service) const {
  const auto at = &service - configuration_->repository->services.data();
  return leash_of(ServiceId{static_cast<std::uint32_t>(at)}).conditions;
}

std::vector<LeashHold> Steering::holds_of(ServiceId service) const {
  return leash_of(service).holds;
}

void Steering::keep_leash(Step& step, ServiceId id, LeashRuling& leash) {
  const std::string owner = configuration_->repository->service(id).owner.text_without_dot();
  if (leash.due) {
    due_[id] = *leash.due;
  } else {
    due_.erase(id);
  }
  const auto known = state_.leashes.find(owner);
  const bool is_new = known == state_.leashes.end();
  if (is_new ? leash.next == LeashState{} : leash.next == known->second) return;
  step.out.state_changed = true;
  if (leash.next == LeashState{}) {
    state_.leashes.erase(owner);
  } else {
    state_.leashes[owner] = std::move(leash.next);
  }
}

void Steering::touch_due(Step& step) const {
  for (const auto& [service, due] : due_) {
    if (due <= step.now) step.touched.insert(service);
  }
}

void Steering::tell_leashed(Step& step, const Service& service, const std::vector<LeashHold>& holds,
                            Told& told) {
  std::vector<std::string> parts;
  bool is_alarming = false, is_by_hand = false;
  for (const LeashHold& hold : holds) {
    if (hold.kind == LeashHold::Kind::slow_start) continue;
    is_alarming |= hold.kind != LeashHold::Kind::failback_delay;
    is_by_hand |= hold.kind == LeashHold::Kind::failback_by_hand;
    parts.push_back(
        fmt::format("{}: {}", service.record(hold.record).endpoint, to_text(hold.kind)));
  }
  const std::string now = fmt::format("{}", fmt::join(parts, ", "));
  const bool is_same = now == told.leashed;
  if (is_same && (now.empty() || !step.tells_again)) return;
  const std::string evidence = evidence_of(service);
  if (!is_same) {
    auto fact = entry(step, now.empty() ? "leash-released" : "leash-held", service);
    fact.facts.emplace_back("leash", now.empty() ? told.leashed : now);
    fact.facts.emplace_back("evidence", evidence);
    step.out.audit.push_back(std::move(fact));
  }
  if (!is_alarming) {
    step.out.alerts_ended.push_back("leash/" + service.owner.text_without_dot());
  } else {
    step.out.alerts_raised.push_back(
        leash_alert(*configuration_->repository, service, {now, is_by_hand}, evidence, step.now));
  }
  told.leashed = now;
}

}  // namespace demarc::zones
