// Steering's part for what must hold, beside the signatures, when a crossing is made: measured lag,
// the advisor's word, and which permissions the gate gets to see (zones/activation.h).
#include <algorithm>

#include "zones/activation.h"
#include "zones/steering.h"
#include "zones/steering_step.h"

namespace demarc::zones {
namespace {

/// Takes one region out of what a grant opens.
void block(std::vector<Permission>& permissions, const Made& made) {
  for (Permission& permission : permissions) {
    if (permission.grant_id != made.grant_id || permission.tenant != made.tenant) continue;
    std::erase(permission.to, made.to);
  }
}

}  // namespace

Steering::Activated Steering::activate(const Plan& plan, const std::string& tenant) const {
  const Repository& repository = *configuration_->repository;
  const Service& service = repository.service(plan.service);
  Activated out;
  out.permissions = permissions(plan.service);
  // Each round blocks at least one region of one grant, so there is a last one.
  for (bool is_settled = out.permissions.empty(); !is_settled;) {
    is_settled = true;
    const Ruling ruling =
        Gate::rule(repository, *configuration_->views, plan, out.permissions, tenant);
    for (const Made& made : ruling.made) {
      if (is_made(service, made)) continue;
      const auto rule = ruling.rules.find(made.to);
      const Activating crossing{.repository = repository,
                                .state = state_,
                                .plan = plan,
                                .made = made,
                                .rule = rule != ruling.rules.end() ? rule->second : std::string{},
                                .evidence = evidence_of(service),
                                .now = state_.trusted_wall};
      out.advice_keys.insert(advice_key(crossing));
      auto steps = checklist(crossing);
      const std::string text = crossing_text(repository.policy, made);
      if (auto wanted = advice_needed(crossing)) out.advice_wanted.push_back(std::move(*wanted));
      if (all_passed(steps)) {
        out.passed[text] = std::move(steps);
        continue;
      }
      out.passed.erase(text);
      out.waits_to[made.to] = text + ": " + failed_steps(steps);
      out.waiting[text] = std::move(steps);
      block(out.permissions, made);
      is_settled = false;
    }
  }
  return out;
}

std::map<std::string, std::vector<StepResult>> Steering::waiting(ServiceId service) const {
  const Plan plan = plan_of(service);
  auto all = activate(plan, {}).waiting;
  for (const std::string& tenant : tenants_to_rule(service)) {
    all.merge(activate(plan, tenant).waiting);
  }
  return all;
}

void Steering::on(Step& step, const LagMeasured& event) {
  if (!configuration_) return;
  const auto& services = configuration_->repository->services;
  for (std::size_t i = 0; i < services.size(); ++i) {
    if (std::ranges::count(services[i].activation.lag, event.check, &LagCheck::key) == 0) continue;
    state_.lag[event.check] = {event.value, event.detail, step.now};
    step.out.state_changed = true;
    step.touched.insert(ServiceId{static_cast<std::uint32_t>(i)});
  }
}

void Steering::on(Step& step, const AdviceGiven& event) {
  const auto asked = state_.advice.find(event.id);
  // Nobody asked, or it was answered: a deny that was given is not talked away afterwards.
  if (asked == state_.advice.end() || asked->second.effect) return;
  AdviceState& advice = asked->second;
  advice = {advice.service, event.effect, event.detail, step.now};
  step.out.save_state = true;
  auto fact = entry(step, "advice-given", std::string(node_jurisdiction));
  fact.facts.emplace_back("crossing", event.id);
  fact.facts.emplace_back("effect", !event.effect                   ? "none"
                                    : event.effect == Effect::allow ? "allow"
                                                                    : "deny");
  fact.facts.emplace_back("detail", event.detail);
  step.out.audit.push_back(std::move(fact));
  touch_service_named(step, advice.service);
}

std::string Steering::assertion_against(const Order& order) {
  const Repository& repository = *configuration_->repository;
  for (std::size_t i = 0; i < repository.services.size(); ++i) {
    const ServiceId id{static_cast<std::uint32_t>(i)};
    const auto before = plan_of(id).asserted;
    state_.orders[order.id] = order;
    const auto after = plan_of(id).asserted;
    state_.orders.erase(order.id);
    for (const std::string& asserted : after) {
      if (std::ranges::count(before, asserted) == 0) return asserted;
    }
  }
  return {};
}

}  // namespace demarc::zones
