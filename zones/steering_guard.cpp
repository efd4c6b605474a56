// Steering's part for mass failures: when most endpoints fail within a minute, or all canaries are
// down, we are rather cut off ourselves than everybody else is gone. Then health moves nothing, and
// what it moved since that minute began is taken back: those failures are of the same cause, and a
// guard that kept them would have let half of the pool go before it spoke.
#include <algorithm>

#include <fmt/format.h>

#include "zones/alert_text.h"
#include "zones/steering.h"
#include "zones/steering_step.h"

namespace demarc::zones {
namespace {

const std::string alert_key = "mass-failure";

}  // namespace

void Steering::know_endpoints() {
  down_endpoints_ = {};
  canaries_.clear();
  for (const Service& service : configuration_->repository->services) {
    if (service.tenants_of) continue;  // their checks are the service's
    for (const HealthCheck& check : service.checks) {
      if (check.is_canary) canaries_.push_back(check.key);
      down_endpoints_.add(check.key, service.record(check.record).endpoint_name.text_without_dot());
    }
  }
}

void Steering::note_endpoint(const std::string& key, const CheckState& check) {
  // Not knowing ends no mass failure: our own prober may be what fails.
  const bool is_known = check.verdict != Verdict::unknown && check.verdict != Verdict::stale;
  if (state_.mass_failure && !is_known) return;
  const bool is_down = check.verdict == Verdict::down;
  down_endpoints_.note(key, is_down ? std::optional(check.since) : std::nullopt);
}

/// Why what failed after `began` is no failure of the endpoints; nothing: it is theirs.
std::optional<std::string> Steering::mass_failure_now(WallTime began) const {
  const auto is_well = [&](const std::string& key) {
    const Verdict verdict = state_.checks.at(key).verdict;
    return verdict == Verdict::up || verdict == Verdict::degraded;
  };
  const auto is_down = [&](const std::string& key) {
    return state_.checks.at(key).verdict == Verdict::down;
  };
  if (!canaries_.empty()) {
    // While it lasts, a canary that is not known to be well does not end it.
    const bool is_over = state_.mass_failure ? std::ranges::any_of(canaries_, is_well)
                                             : !std::ranges::all_of(canaries_, is_down);
    if (is_over) return std::nullopt;
    return fmt::format("all {} canaries are down", canaries_.size());
  }
  const std::size_t all = down_endpoints_.known();
  if (all < mass_failure_endpoints_min) return std::nullopt;
  const std::size_t failed = down_endpoints_.down_after(began);
  const MassFailureSettings& settings = configuration_->repository->policy.mass_failure;
  if (failed * 100 <= all * settings.share) return std::nullopt;
  return fmt::format("{} of {} checked endpoints failed within {} s", failed, all,
                     std::chrono::ceil<Seconds>(settings.window).count());
}

void Steering::watch_mass_failure(Step& step) {
  if (!configuration_ || state_.freeze) return;  // frozen by a person, nothing moves at all
  const Milliseconds window = configuration_->repository->policy.mass_failure.window;
  if (state_.mass_failure) {
    if (!mass_failure_now(state_.mass_failure->window_began)) end_mass_failure(step);
    return;
  }
  if (auto why = mass_failure_now(step.now - window)) begin_mass_failure(step, std::move(*why));
}

void Steering::begin_mass_failure(Step& step, std::string why) {
  const WallTime began = step.now - configuration_->repository->policy.mass_failure.window;
  state_.mass_failure = MassFailure{step.now, began, std::move(why), {}};
  step.out.save_state = true;
  std::size_t taken_back = 0;
  for (auto& [key, check] : state_.checks) {
    if (!check.failing || !check.failing_since || *check.failing_since <= began) continue;
    check.failing = false;
    ++taken_back;
    const auto& services = services_of_check_.at(key);
    step.touched.insert(services.begin(), services.end());
  }
  auto fact = entry(step, "mass-failure-begun", std::string(node_jurisdiction));
  fact.facts.emplace_back("why", state_.mass_failure->why);
  fact.facts.emplace_back("taken-back", std::to_string(taken_back));
  step.out.audit.push_back(std::move(fact));
  raise_mass_failure_alert(step);
}

void Steering::end_mass_failure(Step& step) {
  auto fact = entry(step, "mass-failure-ended", std::string(node_jurisdiction));
  fact.facts.emplace_back("why", "no longer: " + state_.mass_failure->why);
  step.out.audit.push_back(std::move(fact));
  step.out.alerts_ended.push_back(alert_key);
  step.out.save_state = true;
  state_.mass_failure.reset();
  for (const auto& [key, check] : state_.checks) note_endpoint(key, check);
  touch_all(step);  // what is still down counts from now on
}

void Steering::raise_mass_failure_alert(Step& step) const {
  if (!state_.mass_failure || !state_.mass_failure->overruled_by.empty()) return;
  step.out.alerts_raised.push_back(
      node_alert(alert_key,
                 fmt::format("{}: rather our fault than theirs, so health moves nothing",
                             state_.mass_failure->why),
                 state_.mass_failure->since, AlertLevel::critical,
                 {{"see whether this node is cut off", "demarc status"},
                  {"say that they are really down", "demarc unfreeze --reason WHY"}}));
}

/// `demarc unfreeze` while there is no human's freeze; empty: it is not meant for this.
std::string Steering::overrule_mass_failure(Step& step, const FreezeSet& event) {
  if (event.on || state_.freeze || acts_on_health()) return {};
  state_.mass_failure->overruled_by = event.who;
  step.out.save_state = true;
  auto fact = entry(step, "mass-failure-overruled", std::string(node_jurisdiction));
  fact.facts.emplace_back("who", event.who);
  fact.facts.emplace_back("why", event.reason);
  step.out.audit.push_back(std::move(fact));
  step.out.alerts_ended.push_back(alert_key);
  touch_all(step);
  return "health counts again, although " + state_.mass_failure->why;
}

}  // namespace demarc::zones
