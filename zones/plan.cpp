#include "zones/plan.h"

#include <algorithm>

#include "zones/assertions.h"

namespace demarc::zones {
namespace {

struct RecordHealth {
  unsigned votes = 0;
  unsigned failing = 0;  // votes
  bool failing_without_on_fail = false;
  bool degraded = false;
};

std::vector<RecordHealth> count_failures(const Service& service, const Conditions& conditions) {
  std::vector<RecordHealth> health(service.records.size());
  for (std::size_t i = 0; i < service.checks.size(); ++i) {
    const HealthCheck& check = service.checks[i];
    if (check.votes == 0) continue;
    RecordHealth& record = health[index_of(check.record)];
    record.votes += check.votes;
    if (!conditions.check_failing[i]) {
      record.degraded |= !conditions.check_degraded.empty() && conditions.check_degraded[i];
      continue;
    }
    record.failing += check.votes;
    record.failing_without_on_fail |= !check.has_on_fail;
  }
  return health;
}

/// A part of it, and never nothing: what is degraded moves no traffic to another region.
std::uint16_t degraded_weight(const Service& service, std::uint16_t weight) {
  if (weight == 0) return 0;
  const std::uint32_t part = std::uint32_t{weight} * service.degraded_weight / 100;
  return static_cast<std::uint16_t>(std::max<std::uint32_t>(part, 1));
}

}  // namespace

Conditions calm(const Service& service) {
  return {.check_failing = std::vector<bool>(service.checks.size(), false),
          .record_drained = std::vector<bool>(service.records.size(), false)};
}

Plan make_plan(const Repository& repository, ServiceId id, const Conditions& conditions) {
  const Service& service = repository.service(id);
  Plan plan{.service = id,
            .weights = {},
            .usable = {},
            .drained = conditions.record_drained,
            .excluded = {},
            .asserted = {}};
  for (const Record& record : service.records) plan.weights.push_back(record.weight);

  for (std::size_t i = 0; i < service.checks.size(); ++i) {
    if (!conditions.check_failing[i]) continue;
    for (const SetWeight& command : service.checks[i].on_fail) {
      plan.weights[index_of(command.record)] = command.weight;
    }
  }
  const std::vector<RecordHealth> health = count_failures(service, conditions);
  for (std::size_t i = 0; i < service.records.size(); ++i) {
    // A quorum beyond the number of votes asks for all of them.
    const unsigned needed = std::min(service.quorum, health[i].votes);
    const bool down = health[i].failing != 0 && health[i].failing >= needed;
    if (down && health[i].failing_without_on_fail) plan.weights[i] = 0;
    if (health[i].degraded) plan.weights[i] = degraded_weight(service, plan.weights[i]);
    if (!conditions.leash.empty()) {
      const auto& [at_least, at_most] = conditions.leash[i];
      plan.weights[i] = std::clamp(plan.weights[i], at_least, std::max(at_least, at_most));
    }
    if (conditions.record_drained[i]) plan.weights[i] = 0;
    plan.usable.push_back(!down && !conditions.record_drained[i]);
  }
  apply_assertions(repository, plan);
  return plan;
}

Plan base_plan(const Repository& repository, ServiceId service) {
  return make_plan(repository, service, calm(repository.service(service)));
}

}  // namespace demarc::zones
