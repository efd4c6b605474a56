// Steering's part for the trail: what was wanted, held, made, waited for and ended, told once each,
// with the alerts. zones/alert_text.h has the words; zones/audit/entry.h is what the trail keeps.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/alert_text.h"
#include "zones/steering.h"
#include "zones/steering_step.h"

namespace demarc::zones {
namespace {

std::vector<std::string> names_of(const Policy& policy, const std::vector<RegionId>& regions) {
  std::vector<std::string> names;
  for (const RegionId region : regions) names.push_back(policy.region(region).name);
  std::ranges::sort(names);
  return names;
}

/// "api.eu.example=0 api.us.example=100".
std::string weights_text(const Service& service, const std::vector<std::uint16_t>& weights) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    parts.push_back(fmt::format("{}={}", service.records[i].endpoint, weights[i]));
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

void add_steps(AuditEntry& fact, const std::vector<StepResult>& steps) {
  for (const StepResult& step : steps) {
    fact.facts.emplace_back(
        "step-" + step.name,
        fmt::format("{}: {}", step.passed ? "passed" : "not passed", step.text));
  }
}

/// Whether a region is left that was not left before ("eu,eu2").
bool is_wider(const std::string& before, const std::vector<std::string>& now) {
  return std::ranges::any_of(now, [&](const std::string& region) {
    return ("," + before + ",").find("," + region + ",") == std::string::npos;
  });
}

}  // namespace

void Steering::tell(Step& step, const Plan& plan, const Decision& decision) {
  const Service& service = configuration_->repository->service(plan.service);
  const std::string owner = service.owner.text_without_dot();
  Told told = state_.told[owner];
  tell_weights(step, service, plan, told);
  tell_asserted(step, service, plan, told);
  tell_leashed(step, service, decision.holds, told);
  ask_advisor(step, service, decision.activated);
  tell_waiting(step, service, decision, told);
  tell_held(step, service, decision);
  tell_crossings(step, service, decision, told);
  tell_soft(step, service, decision.ruling, told);
  if (told == Told{}) {
    state_.told.erase(owner);
  } else {
    state_.told[owner] = std::move(told);
  }
}

void Steering::tell_asserted(Step& step, const Service& service, const Plan& plan, Told& told) {
  const std::string ids = fmt::format("{}", fmt::join(plan.asserted, ", "));
  const bool is_same = ids == told.asserted;
  if (is_same && (ids.empty() || !step.tells_again)) return;
  const std::string evidence = evidence_of(service);
  if (!is_same) {
    auto fact = entry(step, ids.empty() ? "assertion-released" : "assertion-held", service);
    fact.facts.emplace_back("rule", ids.empty() ? told.asserted : ids);
    fact.facts.emplace_back("evidence", evidence);
    step.out.audit.push_back(std::move(fact));
  }
  if (ids.empty()) {
    step.out.alerts_ended.push_back("assertion/" + service.owner.text_without_dot());
  } else {
    step.out.alerts_raised.push_back(
        assertion_alert(*configuration_->repository, service, ids, evidence, step.now));
  }
  told.asserted = ids;
}

/// The advisor is asked, and forgets crossings that nobody wants any more: a later one of the same
/// regions is asked about again. While nothing new may cross, what is wanted is not known.
void Steering::ask_advisor(Step& step, const Service& service, const Activated& activated) {
  const std::string owner = service.owner.text_without_dot();
  if (audit_writable_ && !clock_in_doubt_) {
    step.out.save_state |=
        0 != std::erase_if(state_.advice, [&](const auto& known) {
          return known.second.service == owner && !activated.advice_keys.contains(known.first);
        });
  }
  for (const AdviceWanted& wanted : activated.advice_wanted) {
    state_.advice[wanted.id] = {owner, std::nullopt, "", step.now};
    step.out.advice_wanted.push_back(wanted);
    step.out.save_state = true;
  }
}

/// Once for each change of what is waited for.
void Steering::tell_waiting(Step& step, const Service& service, const Decision& decision,
                            Told& told) {
  std::vector<std::string> parts;
  for (const auto& [crossing, steps] : decision.activated.waiting) {
    parts.push_back(crossing + ": " + failed_steps(steps));
  }
  const std::string waits = fmt::format("{}", fmt::join(parts, "; "));
  if (waits == told.waits) return;
  told.waits = waits;
  step.out.save_state = true;
  for (const auto& [crossing, steps] : decision.activated.waiting) {
    auto fact = entry(step, "activation-waits", service);
    fact.facts.emplace_back("crossing", crossing);
    add_steps(fact, steps);
    step.out.audit.push_back(std::move(fact));
  }
}

void Steering::tell_weights(Step& step, const Service& service, const Plan& plan, Told& told) {
  std::vector<std::uint16_t> base;
  for (const Record& record : service.records) base.push_back(record.weight);
  const std::string base_text = weights_text(service, base);
  const std::string now =
      plan.weights == base ? std::string{} : weights_text(service, plan.weights);
  if (now == told.weights) return;
  auto fact = entry(step, "weights-changed", service);
  // An auditor must not take what health wants for what was answered.
  fact.facts.emplace_back("of", "the plan, before the gate");
  fact.facts.emplace_back("before", told.weights.empty() ? base_text : told.weights);
  fact.facts.emplace_back("after", now.empty() ? base_text : now);
  fact.facts.emplace_back("evidence", evidence_of(service));
  step.out.audit.push_back(std::move(fact));
  told.weights = now;
}

/// Why the gate holds a crossing back, as things stand in this step.
std::string Steering::why_held(const Decision& decision) const {
  const Ruling& ruling = decision.ruling;
  if (ruling.held_by_rule) return "the rule " + ruling.held_rule + " denies it, whoever signs";
  if (clock_in_doubt_) return "the clock is in doubt, so no grant counts";
  if (!audit_writable_) return "the audit trail cannot be written, so nothing new may cross";
  for (const auto& [to, what] : decision.activated.waits_to) {
    if (std::ranges::count(ruling.held->to, to) == 0) continue;
    return "a grant covers it, and it waits for steps: " + what;
  }
  return "the target is outside home and no live grant covers it";
}

/// Two linked facts: why traffic should leave, and why it may not.
void Steering::tell_new_pending(Step& step, const Service& service, const PendingChange& change,
                                const Ruling& ruling) const {
  auto wanted = entry(step, "failover-wanted", service);
  wanted.facts.emplace_back("change", change.id);
  wanted.facts.emplace_back("from", fmt::format("{}", fmt::join(change.from, ",")));
  wanted.facts.emplace_back("to", fmt::format("{}", fmt::join(change.to, ",")));
  wanted.facts.emplace_back("evidence", change.evidence);
  auto held = entry(step, "crossing-held", service);
  held.facts.emplace_back("change", change.id);
  held.facts.emplace_back("refers-to", "failover-wanted " + change.id);
  held.facts.emplace_back("rule", ruling.held_rule);
  held.facts.emplace_back("why", change.why);
  step.out.audit.push_back(std::move(wanted));
  step.out.audit.push_back(std::move(held));
}

void Steering::tell_held(Step& step, const Service& service, const Decision& decision) {
  const Ruling& ruling = decision.ruling;
  const Repository& repository = *configuration_->repository;
  const std::string owner = service.owner.text_without_dot();
  const std::string zone = repository.zones[service.zone].apex.text_without_dot();
  std::string held_id;
  if (ruling.held) {
    const auto from = names_of(repository.policy, ruling.held->from);
    const auto to = names_of(repository.policy, ruling.held->to);
    held_id = change_id(zone, owner, from, to);
    const bool is_new = !state_.pending.contains(held_id);
    PendingChange& change = state_.pending[held_id];
    if (is_new) change = {held_id, zone, owner, from, to, step.now, evidence_of(service), {}};
    const std::string why = why_held(decision);
    const bool is_told = !is_new && change.why == why && !step.tells_again;
    change.why = why;
    if (is_new) tell_new_pending(step, service, change, ruling);
    if (!is_told) {
      step.out.state_changed = true;
      step.out.alerts_raised.push_back(
          held_alert(repository, service, change,
                     {.rule = ruling.held_rule, .by_rule = ruling.held_by_rule, .why = why}));
    }
  }
  std::vector<std::string> over;
  for (const auto& [id, change] : state_.pending) {
    if (change.service == owner && id != held_id) over.push_back(id);
  }
  for (const std::string& id : over) {
    end_pending(step, id, ruling.made.empty() ? "no longer wanted" : "covered by a grant");
  }
}

void Steering::end_pending(Step& step, const std::string& id, const std::string& why) {
  const PendingChange change = state_.pending.at(id);
  state_.pending.erase(id);
  const auto owner = Name::parse_absolute(change.service);
  const auto service = owner ? configuration_->repository->find_service(*owner) : std::nullopt;
  auto fact = service ? entry(step, "pending-ended", configuration_->repository->service(*service))
                      : entry(step, "pending-ended", std::string(node_jurisdiction));
  fact.facts.emplace_back("change", id);
  fact.facts.emplace_back("why", why);
  step.out.audit.push_back(std::move(fact));
  step.out.alerts_ended.push_back("held/" + id);
}

void Steering::note_made(const Service& service, const std::set<Made>& made) {
  const Policy& policy = configuration_->repository->policy;
  Told& told = state_.told[service.owner.text_without_dot()];
  told.crossings.clear();
  told.left.clear();
  for (const Made& m : made) {
    told.crossings.push_back(crossing_text(policy, m));
    told.left.push_back(fmt::format("{}", fmt::join(names_of(policy, m.from), ",")));
  }
}

void Steering::tell_crossings(Step& step, const Service& service, const Decision& decision,
                              Told& told) {
  const Repository& repository = *configuration_->repository;
  const Policy& policy = repository.policy;
  std::map<std::string, std::string> before;
  for (std::size_t i = 0; i < told.crossings.size(); ++i) {
    before[told.crossings[i]] = i < told.left.size() ? told.left[i] : std::string{};
  }
  Told now;
  CrossingFacts facts{.crossings = {},
                      .rule = {},
                      .evidence = evidence_of(service),
                      .deadline = decision.ruling.cleared.valid_until()};
  for (const Made& made : decision.ruling.made) {
    const std::string text = crossing_text(policy, made);
    const auto left = names_of(policy, made.from);
    now.crossings.push_back(text);
    now.left.push_back(fmt::format("{}", fmt::join(left, ",")));
    const auto rule = decision.ruling.rules.find(made.to);
    if (rule != decision.ruling.rules.end()) facts.rule = rule->second;
    const auto known = before.find(text);
    if (known != before.end() && !is_wider(known->second, left)) continue;
    tell_made(step, service, decision, made, facts);
  }
  for (const auto& [crossing, left] : before) {
    if (std::ranges::count(now.crossings, crossing) != 0) continue;
    auto fact = entry(step, "crossing-ended", service);
    fact.facts.emplace_back("crossing", crossing);
    fact.facts.emplace_back("evidence", facts.evidence);
    step.out.audit.push_back(std::move(fact));
  }
  const bool is_same = now.crossings == told.crossings;
  step.out.save_state |= !is_same || now.left != told.left;
  facts.crossings = now.crossings;
  if (now.crossings.empty()) {
    told.crossing_since.reset();
  } else if (!told.crossing_since) {
    told.crossing_since = step.now;
  }
  if (!is_same && now.crossings.empty()) {
    step.out.alerts_ended.push_back("crossing/" + service.owner.text_without_dot());
  } else if (!now.crossings.empty() && (!is_same || step.tells_again)) {
    step.out.alerts_raised.push_back(
        crossing_alert(repository, service, facts, *told.crossing_since));
  }
  told.crossings = std::move(now.crossings);
  told.left = std::move(now.left);
}

void Steering::tell_made(Step& step, const Service& service, const Decision& decision,
                         const Made& made, const CrossingFacts& facts) const {
  const Policy& policy = configuration_->repository->policy;
  const std::string text = crossing_text(policy, made);
  auto fact = entry(step, "crossing-made", service);
  fact.facts.emplace_back("crossing", text);
  fact.facts.emplace_back("from", fmt::format("{}", fmt::join(names_of(policy, made.from), ",")));
  if (!made.tenant.empty()) fact.facts.emplace_back("tenant", made.tenant);
  fact.facts.emplace_back("rule", facts.rule);
  fact.facts.emplace_back("evidence", facts.evidence);
  const auto steps = decision.activated.passed.find(text);
  if (steps != decision.activated.passed.end()) add_steps(fact, steps->second);
  fact.tells_of_new_crossing = true;
  step.out.audit.push_back(std::move(fact));
}

void Steering::tell_soft(Step& step, const Service& service, const Ruling& ruling, Told& told) {
  const Repository& repository = *configuration_->repository;
  const auto abroad = names_of(repository.policy, ruling.soft_abroad);
  const bool is_same = abroad == told.soft_abroad;
  if (is_same && (abroad.empty() || !step.tells_again)) return;
  CrossingFacts facts{
      .crossings = {}, .rule = {}, .evidence = evidence_of(service), .deadline = {}};
  std::set<std::string> rules;
  for (const RegionId region : ruling.soft_abroad) {
    const auto rule = ruling.rules.find(region);
    if (rule != ruling.rules.end()) rules.insert(rule->second);
  }
  facts.rule = fmt::format("{}", fmt::join(rules, ","));
  const bool ends = abroad.empty();
  const std::string where = fmt::format("{}", fmt::join(ends ? told.soft_abroad : abroad, ","));
  if (!is_same) {
    auto fact = entry(step, ends ? "soft-crossing-ended" : "soft-crossing-begun", service);
    fact.facts.emplace_back("crossing", where);
    if (!ends) fact.facts.emplace_back("rule", facts.rule);
    fact.facts.emplace_back("evidence", facts.evidence);
    step.out.audit.push_back(std::move(fact));
  }
  if (ends) {
    told.soft_since.reset();
    step.out.alerts_ended.push_back("soft/" + service.owner.text_without_dot());
  } else {
    if (!told.soft_since) told.soft_since = step.now;
    step.out.alerts_raised.push_back(
        soft_alert(repository, service, where, facts, *told.soft_since));
  }
  told.soft_abroad = abroad;
}

}  // namespace demarc::zones
