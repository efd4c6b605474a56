#include "zones/activation.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "zones/assertions.h"
#include "zones/order_target.h"
#include "zones/time_text.h"

namespace demarc::zones {
namespace {

const Service& service_of(const Activating& crossing) {
  return crossing.repository.service(crossing.plan.service);
}

bool is_failing(const Activating& crossing, const HealthCheck& check) {
  const auto known = crossing.state.checks.find(check.key);
  return known != crossing.state.checks.end() && known->second.failing;
}

/// The failure stands on failing checks or on orders about the regions that are left.
StepResult evidence_quorum(const Activating& crossing) {
  const Service& service = service_of(crossing);
  const auto is_left = [&](RecordId record) {
    return std::ranges::count(crossing.made.from, service.record(record).region) != 0;
  };
  bool stands = std::ranges::any_of(service.checks, [&](const HealthCheck& check) {
    if (!is_failing(crossing, check)) return false;
    return is_left(check.record) || std::ranges::any_of(check.on_fail, [&](const SetWeight& set) {
             return set.weight == 0 && is_left(set.record);
           });
  });
  for (std::size_t i = 0; i < service.records.size(); ++i) {
    const RecordId record{static_cast<std::uint16_t>(i)};
    if (!is_left(record)) continue;
    stands = stands || crossing.plan.drained[i] ||
             std::ranges::any_of(crossing.state.orders, [&](const auto& known) {
               const Order& order = known.second;
               return order.kind == OrderKind::force_down &&
                      applies(order, service, service.records[i], crossing.repository);
             });
  }
  return {"evidence-quorum", stands, crossing.evidence};
}

StepResult target_healthy(const Activating& crossing) {
  const Service& service = service_of(crossing);
  std::string up, wrong;
  std::size_t checks = 0;
  for (const HealthCheck& check : service.checks) {
    if (service.record(check.record).region != crossing.made.to) continue;
    ++checks;
    const auto known = crossing.state.checks.find(check.key);
    // Down is not well, also where a delay or a guard keeps that from counting yet.
    const bool is_down = known != crossing.state.checks.end() && known->second.failing_since;
    if (is_down || is_failing(crossing, check)) wrong = check.key + " is failing";
    if (known != crossing.state.checks.end() &&
        (known->second.verdict == Verdict::up || known->second.verdict == Verdict::degraded)) {
      up = check.key + " is up";
    }
  }
  if (checks == 0) return {"target-healthy", true, "the target has no checks"};
  if (!wrong.empty()) return {"target-healthy", false, wrong};
  if (up.empty()) return {"target-healthy", false, "no check of the target has found it up yet"};
  return {"target-healthy", true, up};
}

StepResult capacity(const Activating& crossing, unsigned required) {
  unsigned declared = 0;
  for (const Record& record : service_of(crossing).records) {
    if (record.region == crossing.made.to) declared += record.capacity.value_or(0);
  }
  return {"capacity", declared >= required,
          fmt::format("{} % declared, {} % required", declared, required)};
}

StepResult replication_lag(const Activating& crossing, const LagCheck& check) {
  const auto known = crossing.state.lag.find(check.key);
  if (known == crossing.state.lag.end()) {
    return {"replication-lag", false, check.key + " was not measured yet"};
  }
  const LagState& lag = known->second;
  if (!lag.value) return {"replication-lag", false, "not known: " + lag.detail};
  const std::string text = fmt::format("{} measured at {}, at most {} allowed", *lag.value,
                                       to_rfc3339(lag.since), check.max);
  if (lag.since + lag_fresh_intervals * check.interval <= crossing.now) {
    return {"replication-lag", false, text + ", too long ago"};
  }
  return {"replication-lag", *lag.value <= check.max, text};
}

StepResult legal_token(const Activating& crossing) {
  const auto grant = crossing.state.grants.find(crossing.made.grant_id);
  if (grant == crossing.state.grants.end() || !grant->second.complete) {
    return {"legal-token", false, crossing.made.grant_id + " is not live"};
  }
  std::vector<std::string> who;
  for (const Signature& s : grant->second.signatures) who.push_back(s.person + " (" + s.role + ")");
  return {"legal-token", true,
          fmt::format("{} by {} until {}", crossing.made.grant_id, fmt::join(who, ", "),
                      to_rfc3339(grant->second.ends))};
}

StepResult invariants(const Activating& crossing) {
  const auto broken = broken_assertions(crossing.repository, crossing.plan);
  return {"invariants", broken.empty(),
          broken.empty() ? std::string("all assertions hold")
                         : fmt::format("{} would break", fmt::join(broken, ", "))};
}

StepResult advisor(const Activating& crossing) {
  const auto known = crossing.state.advice.find(advice_key(crossing));
  if (known == crossing.state.advice.end() || !known->second.effect) {
    const bool is_vain = known != crossing.state.advice.end() && !known->second.detail.empty();
    return {"advisor", false,
            is_vain ? "no word: " + known->second.detail : std::string("asked, no answer yet")};
  }
  const bool allows = *known->second.effect == Effect::allow;
  return {"advisor", allows, (allows ? "allows: " : "denies: ") + known->second.detail};
}

std::vector<std::string> names_of(const Policy& policy, const std::vector<RegionId>& regions) {
  std::vector<std::string> names;
  for (const RegionId region : regions) names.push_back(policy.region(region).name);
  return names;
}

}  // namespace

std::vector<StepResult> checklist(const Activating& crossing) {
  const Service& service = service_of(crossing);
  std::vector<StepResult> steps{evidence_quorum(crossing)};
  if (service.activation.target_healthy) steps.push_back(target_healthy(crossing));
  if (service.activation.capacity) {
    steps.push_back(capacity(crossing, *service.activation.capacity));
  }
  for (const LagCheck& check : service.activation.lag) {
    if (check.region == crossing.made.to) steps.push_back(replication_lag(crossing, check));
  }
  steps.push_back(legal_token(crossing));
  steps.push_back({"residency-rule", true, crossing.rule});
  if (!crossing.repository.policy.assertions.empty()) steps.push_back(invariants(crossing));
  if (crossing.repository.policy.advisor) steps.push_back(advisor(crossing));
  const auto& freeze = crossing.state.freeze;
  steps.push_back({"freeze-off", !freeze.has_value(),
                   freeze ? "frozen by " + freeze->who + ": " + freeze->reason : "not frozen"});
  return steps;
}

bool all_passed(const std::vector<StepResult>& steps) noexcept {
  return std::ranges::all_of(steps, &StepResult::passed);
}

std::string failed_steps(const std::vector<StepResult>& steps) {
  std::vector<std::string> names;
  for (const StepResult& step : steps) {
    if (!step.passed) names.push_back(step.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string advice_key(const Activating& crossing) {
  const Made& made = crossing.made;
  const std::string tenant = made.tenant.empty() ? std::string{} : " for tenant " + made.tenant;
  const Policy& policy = crossing.repository.policy;
  return fmt::format("{} from {} to {} of {}{} under policy {:.12}", made.grant_id,
                     fmt::join(names_of(policy, made.from), ","), policy.region(made.to).name,
                     service_of(crossing).owner.text_without_dot(), tenant, policy.digest);
}

std::optional<AdviceWanted> advice_needed(const Activating& crossing) {
  const Policy& policy = crossing.repository.policy;
  if (!policy.advisor) return std::nullopt;
  const auto known = crossing.state.advice.find(advice_key(crossing));
  if (known != crossing.state.advice.end()) {
    const AdviceState& advice = known->second;
    if (advice.effect || crossing.now < advice.since + advice_asked_again) return std::nullopt;
  }
  const Service& service = service_of(crossing);
  const Region& to = policy.region(crossing.made.to);
  const auto grant = crossing.state.grants.find(crossing.made.grant_id);
  nlohmann::json input = {
      {"zone", crossing.repository.zones.at(service.zone).apex.text_without_dot()},
      {"service", service.owner.text_without_dot()},
      {"tenant", crossing.made.tenant},
      {"residency", to_text(service.residency)},
      {"access", to_text(service.access)},
      {"from", names_of(policy, crossing.made.from)},
      {"to", to.name},
      {"to-jurisdiction", policy.jurisdiction(to.jurisdiction).name},
      {"grant", crossing.made.grant_id},
      {"rule", crossing.rule},
      {"policy-digest", policy.digest},
      {"evidence", crossing.evidence}};
  if (service.home) input["home"] = policy.jurisdiction(*service.home).name;
  if (grant != crossing.state.grants.end()) {
    input["mode"] = to_text(grant->second.scope.mode);
    input["ends"] = to_rfc3339(grant->second.ends);
  }
  // health/advisor.cpp puts it under `input`, as Open Policy Agent's data API takes it.
  return AdviceWanted{advice_key(crossing), *policy.advisor,
                      input.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

std::string crossing_text(const Policy& policy, const Made& made) {
  const std::string tenant = made.tenant.empty() ? std::string{} : " for tenant " + made.tenant;
  return fmt::format("{} to {}{}", made.grant_id, policy.region(made.to).name, tenant);
}

}  // namespace demarc::zones
