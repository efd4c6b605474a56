#include "zones/steering.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/alert_text.h"
#include "zones/digest.h"
#include "zones/steering_step.h"
#include "zones/tenants.h"
#include "zones/time_text.h"

namespace demarc::zones {
namespace {

// A token id stays used this long after its token's end, so that no clock error revives it.
constexpr auto used_token_kept = std::chrono::days(7);

void reply(Effects& out, bool accepted, std::string text, std::string id = {}) {
  out.reply = Reply{accepted, std::move(text), std::move(id)};
}

}  // namespace

Steering::Steering(SteeringState restored) : state_(std::move(restored)) {}

Effects Steering::step(std::span<const Event> events) {
  Step step;
  if (!events.empty() && !std::holds_alternative<AuditBroken>(events.front().what)) {
    made_before_.clear();
  }
  for (const Event& event : events) {
    advance_clock(step, event.at);
    std::visit([&](const auto& what) { on(step, what); }, event.what);
  }
  expire(step);
  if (step.verdicts_moved) watch_mass_failure(step);
  touch_due(step);
  act_on_health(step);
  if (configuration_) rule_services(step);
  set_timer(step);
  step.out.state_changed |= !step.out.audit.empty();
  return std::move(step.out);
}

void Steering::advance_clock(Step& step, const Moment& at) {
  // Believed time never goes back and passes at least as fast as the monotonic clock: a grant ends
  // no later for a wall clock that was set back.
  WallTime expected = state_.trusted_wall;
  if (last_) expected += std::max(at.monotonic - last_->monotonic, Milliseconds::zero());
  const bool doubt = at.wall + clock_step_back_max < expected;
  step.now = std::max(expected, at.wall);
  state_.trusted_wall = step.now;
  last_ = at;
  if (doubt == clock_in_doubt_) return;
  clock_in_doubt_ = doubt;
  touch_all(step);
  if (doubt) {
    auto fact = entry(step, "clock-in-doubt", std::string(node_jurisdiction));
    fact.facts.emplace_back("clock", to_rfc3339(at.wall));
    fact.facts.emplace_back("expected", to_rfc3339(expected));
    step.out.audit.push_back(std::move(fact));
    step.out.alerts_raised.push_back(node_alert(
        "clock",
        fmt::format("the clock went back to {}, {} was expected: no crossing until it is right, "
                    "or somebody says `demarc trust-clock --reason ...`",
                    to_rfc3339(at.wall), to_rfc3339(expected)),
        step.now, AlertLevel::critical,
        {{"set the clock right, or vouch for it", "demarc trust-clock --reason WHY"}}));
  } else {
    step.out.audit.push_back(entry(step, "clock-trusted", std::string(node_jurisdiction)));
    step.out.alerts_ended.emplace_back("clock");
  }
}

void Steering::on(Step& step, const ClockTrusted& event) {
  if (event.reason.empty()) return reply(step.out, false, "trusting the clock needs a reason");
  auto fact = entry(step, "clock-set", std::string(node_jurisdiction));
  fact.facts.emplace_back("who", event.who);
  fact.facts.emplace_back("why", event.reason);
  step.out.save_state = true;
  keep_ages(state_, step.now - last_->wall);
  state_.trusted_wall = last_->wall;
  step.now = last_->wall;
  for (const auto& [key, check] : state_.checks) note_endpoint(key, check);
  step.verdicts_moved = true;
  fact.time = step.now;
  step.out.audit.push_back(std::move(fact));
  if (clock_in_doubt_) step.out.alerts_ended.emplace_back("clock");
  clock_in_doubt_ = false;
  touch_all(step);
  reply(step.out, true, "the clock is trusted again: " + to_rfc3339(step.now));
}

void Steering::take_configuration(std::shared_ptr<const Configuration> configuration) {
  // Crossings that are being answered stay known over a reload, by name: ids are the repository's
  // own.
  struct Named {
    Made made;  // ids of the repository that goes
    std::string to;
    std::vector<std::string> from;
  };
  std::map<Name, std::vector<Named>> made;
  for (std::size_t i = 0; i < made_.size(); ++i) {
    const Repository& old = *configuration_->repository;
    for (const Made& m : made_[i]) {
      Named named{m, old.policy.region(m.to).name, {}};
      for (const RegionId region : m.from) named.from.push_back(old.policy.region(region).name);
      made[old.services[i].owner].push_back(std::move(named));
    }
  }
  configuration_ = std::move(configuration);
  const Repository& repository = *configuration_->repository;
  published_.assign(repository.services.size(), std::nullopt);
  std::erase_if(published_tenants_, [&](const auto& known) {
    const auto& [tenant_class, tenant] = known.first;
    const auto id = repository.find_service(tenant_class);
    const auto parent = id ? repository.service(*id).tenants_of : std::nullopt;
    return !parent || !repository.tenants || repository.tenants->class_of(*parent, tenant) != id;
  });
  for (auto& [key, weights] : published_tenants_) weights.reset();
  made_.assign(repository.services.size(), {});
  made_before_.clear();
  due_.clear();
  services_of_check_.clear();
  for (std::size_t i = 0; i < repository.services.size(); ++i) {
    const Service& service = repository.services[i];
    for (const Named& known : made[service.owner]) {
      const auto to = repository.policy.find_region(known.to);
      if (!to) continue;
      Made still{known.made.grant_id, *to, {}, known.made.tenant};
      for (const std::string& name : known.from) {
        if (const auto from = repository.policy.find_region(name)) still.from.push_back(*from);
      }
      std::ranges::sort(still.from);
      made_[i].insert(std::move(still));
    }
    for (const HealthCheck& check : service.checks) {
      services_of_check_[check.key].push_back(ServiceId{static_cast<std::uint32_t>(i)});
    }
  }
  know_endpoints();
}

void Steering::end_what_is_gone(Step& step) {
  const Repository& repository = *configuration_->repository;
  const auto gone = [&](const std::string& service) {
    const auto owner = Name::parse_absolute(service);
    return !owner || !repository.find_service(*owner);
  };
  std::map<std::string, CheckState> checks;
  for (const auto& [key, services] : services_of_check_) {
    const auto known = state_.checks.find(key);
    checks[key] = known != state_.checks.end() ? known->second : CheckState{.since = step.now};
  }
  state_.checks = std::move(checks);
  for (const auto& [key, check] : state_.checks) note_endpoint(key, check);
  step.verdicts_moved = true;
  std::erase_if(state_.lag, [&](const auto& lag) {
    return std::ranges::none_of(repository.services, [&](const Service& service) {
      return std::ranges::count(service.activation.lag, lag.first, &LagCheck::key) != 0;
    });
  });
  std::erase_if(state_.advice, [&](const auto& advice) { return gone(advice.second.service); });
  end_lost_grants(step);
  const auto pending = state_.pending;
  for (const auto& [id, change] : pending) {
    if (gone(change.service)) end_pending(step, id, "the service was removed");
  }
  for (const auto& [service, told] : state_.told) {
    if (!gone(service)) continue;
    step.out.alerts_ended.push_back("crossing/" + service);
    step.out.alerts_ended.push_back("soft/" + service);
    if (!told.leashed.empty()) step.out.alerts_ended.push_back("leash/" + service);
  }
  std::erase_if(state_.told, [&](const auto& told) { return gone(told.first); });
  std::erase_if(state_.leashes, [&](const auto& leash) { return gone(leash.first); });
}

/// After a restart: what was going on before still is, and its alerts died with the process. Those
/// of services are raised by their rulings.
void Steering::raise_standing_alerts(Step& step) const {
  step.tells_again = true;
  raise_review_alert(step);
  raise_mass_failure_alert(step);
  raise_drill_alert(step);
  if (state_.freeze) {
    step.out.alerts_raised.push_back(node_alert(
        "freeze", "frozen by " + state_.freeze->who + ": " + state_.freeze->reason,
        state_.freeze->since, AlertLevel::warning, {{"end the freeze", "demarc unfreeze"}}));
  }
}

void Steering::on(Step& step, const ConfigurationLoaded& event) {
  const bool first = configuration_ == nullptr;
  take_configuration(event.configuration);
  step.touched.clear();  // ids of the repository that is gone
  const std::string& digest = configuration_->repository->digest;
  if (state_.configuration != digest || first) {
    auto fact = entry(step, "configuration-loaded", std::string(node_jurisdiction));
    fact.facts.emplace_back("why", event.why);
    fact.facts.emplace_back("before", state_.configuration);
    step.out.audit.push_back(std::move(fact));
  }
  state_.configuration = digest;
  step.out.alerts_ended.emplace_back("configuration");
  if (first) raise_standing_alerts(step);
  trust_keys(step);
  end_what_is_gone(step);
  keep_drill(step);
  tell_definitions(step);
  touch_all(step);
  step.out.save_state = true;
}

void Steering::on(Step& step, const ConfigurationRefused& event) {
  auto fact = entry(step, "configuration-refused", std::string(node_jurisdiction));
  fact.facts.emplace_back("why", event.why);
  fact.facts.emplace_back("error", event.first_error);
  step.out.audit.push_back(std::move(fact));
  step.out.alerts_raised.push_back(
      node_alert("configuration",
                 "the repository has errors, the last good one is served: " + event.first_error,
                 step.now, AlertLevel::warning, {{"see every finding", "demarc check"}}));
}

void Steering::on(Step& step, const TimerFired& /*event*/) {
  for (const auto& [key, advice] : state_.advice) {
    if (advice.effect || advice.since + advice_asked_again > step.now) continue;
    touch_service_named(step, advice.service);
  }
}

void Steering::on(Step& step, const AuditBroken& event) {
  // The last step's new crossings were not published: take them back, and the next ruling, which
  // must not make them, is published whatever it is.
  for (auto& [service, made] : made_before_) {
    made_[index_of(service)] = std::move(made);
    const Service& known = configuration_->repository->service(service);
    note_made(known, made_[index_of(service)]);
    if (made_[index_of(service)].empty()) {
      step.out.alerts_ended.push_back("crossing/" + known.owner.text_without_dot());
    }
    step.touched.insert(service);
  }
  made_before_.clear();
  step.force_publish = true;
  step.out.save_state = true;
  if (!audit_writable_) return;
  audit_writable_ = false;
  step.out.alerts_raised.push_back(node_alert(
      "audit", "the audit trail cannot be written, no new crossing is made: " + event.error,
      step.now, AlertLevel::critical, {{"make room for the trail, then see", "demarc status"}}));
}

void Steering::on(Step& step, const AuditMended& /*event*/) {
  if (audit_writable_) return;
  audit_writable_ = true;
  step.out.alerts_ended.emplace_back("audit");
  step.out.audit.push_back(entry(step, "audit-mended", std::string(node_jurisdiction)));
  touch_all(step);
}

void Steering::on(Step& step, const NodeFact& event) {
  auto fact = entry(step, event.kind, std::string(node_jurisdiction));
  fact.facts.emplace_back("text", event.text);
  step.out.audit.push_back(std::move(fact));
}

void Steering::expire(Step& step) {
  std::vector<std::string> grants, orders;
  for (const auto& [id, grant] : state_.grants) {
    if (grant.ends <= step.now) grants.push_back(id);
  }
  for (const std::string& id : grants) end_grant(step, id, "expired");
  if (state_.drill && state_.drill->ends <= step.now) {
    end_drill(step, "steering", "its end has come");
  }
  for (const auto& [id, order] : state_.orders) {
    if (order.ends <= step.now) orders.push_back(id);
  }
  for (const std::string& id : orders) {
    auto fact = entry(step, "order-ended", std::string(node_jurisdiction));
    fact.facts.emplace_back("order", id);
    fact.facts.emplace_back("target", state_.orders[id].target);
    fact.facts.emplace_back("why", "its end has come");
    step.out.audit.push_back(std::move(fact));
    state_.orders.erase(id);
    step.out.save_state = true;
    touch_all(step);
  }
  std::erase_if(state_.advice, [&](const auto& known) {
    return !state_.grants.contains(known.first.substr(0, known.first.find(' ')));
  });
  std::erase_if(state_.used_tokens,
                [&](const auto& used) { return used.second + used_token_kept <= step.now; });
}

void Steering::set_timer(Step& step) const {
  const auto earlier = [&](WallTime time) {
    step.out.timer = std::min(step.out.timer.value_or(time), time);
  };
  for (const auto& [id, grant] : state_.grants) earlier(grant.ends);
  for (const auto& [id, order] : state_.orders) earlier(order.ends);
  if (state_.drill) earlier(state_.drill->ends);
  for (const auto& [service, due] : due_) earlier(due);
  for (const auto& [key, advice] : state_.advice) {
    const WallTime due = advice.since + advice_asked_again;
    if (!advice.effect && due > step.now) earlier(due);
  }
}

void Steering::touch_all(Step& step) const {
  if (!configuration_) return;
  for (std::size_t i = 0; i < configuration_->repository->services.size(); ++i) {
    step.touched.insert(ServiceId{static_cast<std::uint32_t>(i)});
  }
}

void Steering::touch_service_named(Step& step, const std::string& owner_text) const {
  if (!configuration_) return;
  const auto owner = Name::parse_absolute(owner_text);
  if (!owner) return;
  if (const auto service = configuration_->repository->find_service(*owner)) {
    step.touched.insert(*service);
  }
}

const ClearedWeights* Steering::published(ServiceId service) const noexcept {
  if (index_of(service) >= published_.size()) return nullptr;
  const auto& weights = published_[index_of(service)];
  return weights ? &*weights : nullptr;
}

const ClearedWeights* Steering::published(ServiceId service, const std::string& tenant) const {
  const Name& owner = configuration_->repository->service(service).owner;
  const auto own = published_tenants_.find(std::pair(owner, tenant));
  if (own != published_tenants_.end() && own->second) return &*own->second;
  return published(service);
}

}  // namespace demarc::zones
