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
constexpr auto order_lasts_max = std::chrono::days(31);

void reply(Effects& out, bool accepted, std::string text, std::string id = {}) {
  out.reply = Reply{accepted, std::move(text), std::move(id)};
}

bool names_record(const Service& service, const Policy& policy, const std::string& target) {
  const auto name = Name::parse_absolute(target);
  return std::ranges::any_of(service.records, [&](const Record& record) {
    return policy.region(record.region).name == target || (name && record.endpoint_name == *name);
  });
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
  state_.trusted_wall = last_->wall;
  step.now = last_->wall;
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
  }
  std::erase_if(state_.told, [&](const auto& told) { return gone(told.first); });
}

/// After a restart: what was going on before still is, and its alerts died with the process. Those
/// of services are raised by their rulings.
void Steering::raise_standing_alerts(Step& step) const {
  step.tells_again = true;
  raise_review_alert(step);
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

void Steering::on(Step& step, const VerdictFound& event) {
  const auto found = state_.checks.find(event.check);
  if (found == state_.checks.end()) return;  // of a configuration that is gone
  CheckState& check = found->second;
  if (check.verdict != event.verdict) check.since = step.now;
  check.verdict = event.verdict;
  check.detail = event.detail;
  bool failing = check.failing;
  switch (event.verdict) {
    case Verdict::up:
    case Verdict::degraded:
      failing = false;
      break;
    case Verdict::down:
      failing = failing || !state_.freeze;
      break;
    case Verdict::unknown:
    case Verdict::stale:
      break;  // not knowing moves nothing, in either direction
  }
  step.out.state_changed = true;
  if (failing == check.failing) return;
  check.failing = failing;
  const auto& services = services_of_check_.at(event.check);
  step.touched.insert(services.begin(), services.end());
}

void Steering::on(Step& step, const OrderGiven& event) {
  if (!configuration_) return reply(step.out, false, "no repository is loaded yet");
  const Repository& repository = *configuration_->repository;
  if (event.reason.empty()) return reply(step.out, false, "an order needs a reason");
  if (event.lasts <= Milliseconds::zero() || event.lasts > order_lasts_max) {
    return reply(step.out, false, "an order needs an end, at most 31 days away");
  }
  if (state_.orders.size() >= orders_max) return reply(step.out, false, "too many orders");
  std::string service_text;
  if (!event.service.empty()) {
    const auto owner = Name::parse_absolute(event.service);
    const auto service = owner ? repository.find_service(*owner) : std::nullopt;
    if (!service) return reply(step.out, false, "there is no service `" + event.service + "`");
    if (!names_record(repository.service(*service), repository.policy, event.target)) {
      return reply(step.out, false,
                   fmt::format("`{}` has no record whose region or endpoint is `{}`", event.service,
                               event.target));
    }
    service_text = owner->text_without_dot();
  } else if (std::ranges::none_of(repository.services, [&](const Service& service) {
               return names_record(service, repository.policy, event.target);
             })) {
    return reply(
        step.out, false,
        fmt::format("no service has a record whose region or endpoint is `{}`", event.target));
  }
  const WallTime ends = step.now + event.lasts;
  const std::string seed = fmt::format("{}|{}|{}|{}", event.target, service_text,
                                       step.now.time_since_epoch().count(), state_.orders.size());
  const std::string id = "order-" + sha256_hex(seed).substr(0, 10);
  const Order order{id, event.target, service_text, event.who, event.reason, step.now, ends};
  if (const std::string broken = assertion_against(order); !broken.empty()) {
    return reply(step.out, false, fmt::format("[{}] the order would break this assertion", broken));
  }
  state_.orders[id] = {id, event.target, service_text, event.who, event.reason, step.now, ends};
  step.out.save_state = true;
  auto fact = entry(step, "order-given", std::string(node_jurisdiction));
  fact.facts.emplace_back("order", id);
  fact.facts.emplace_back("target", event.target);
  fact.facts.emplace_back("service", service_text);
  fact.facts.emplace_back("who", event.who);
  fact.facts.emplace_back("why", event.reason);
  fact.facts.emplace_back("ends", to_rfc3339(ends));
  step.out.audit.push_back(std::move(fact));
  touch_all(step);
  reply(step.out, true, fmt::format("{} is drained until {}", event.target, to_rfc3339(ends)), id);
}

void Steering::on(Step& step, const OrderEnded& event) {
  std::vector<std::string> ended;
  for (const auto& [id, order] : state_.orders) {
    if (id == event.id || order.target == event.id) ended.push_back(id);
  }
  if (ended.empty()) return reply(step.out, false, "there is no order `" + event.id + "`");
  for (const std::string& id : ended) {
    auto fact = entry(step, "order-ended", std::string(node_jurisdiction));
    fact.facts.emplace_back("order", id);
    fact.facts.emplace_back("target", state_.orders[id].target);
    fact.facts.emplace_back("who", event.who);
    step.out.audit.push_back(std::move(fact));
    state_.orders.erase(id);
  }
  step.out.save_state = true;
  touch_all(step);
  reply(step.out, true, fmt::format("ended {}", fmt::join(ended, ", ")));
}

void Steering::on(Step& step, const FreezeSet& event) {
  if (event.on && event.reason.empty()) return reply(step.out, false, "a freeze needs a reason");
  if (event.on == state_.freeze.has_value()) {
    return reply(step.out, false, event.on ? "it is frozen already" : "it is not frozen");
  }
  step.out.save_state = true;
  auto fact =
      entry(step, event.on ? "freeze-begun" : "freeze-ended", std::string(node_jurisdiction));
  fact.facts.emplace_back("who", event.who);
  fact.facts.emplace_back("why", event.reason);
  step.out.audit.push_back(std::move(fact));
  if (event.on) {
    if (state_.drill) end_drill(step, event.who, "frozen: " + event.reason);
    state_.freeze = Freeze{event.who, event.reason, step.now};
    step.out.alerts_raised.push_back(
        node_alert("freeze", "frozen by " + event.who + ": " + event.reason, step.now,
                   AlertLevel::warning, {{"end the freeze", "demarc unfreeze"}}));
    return reply(step.out, true, "frozen: health moves nothing until it is ended");
  }
  state_.freeze.reset();
  step.out.alerts_ended.emplace_back("freeze");
  for (auto& [key, check] : state_.checks) {
    check.failing = check.failing || check.verdict == Verdict::down;
  }
  touch_all(step);  // covered crossings waited for this as well
  reply(step.out, true, "the freeze has ended");
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
