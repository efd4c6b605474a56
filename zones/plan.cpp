#include "zones/plan.h"

#include <algorithm>

#include "zones/assertions.h"

namespace demarc::zones {
namespace {

struct RecordHealth {
  unsigned checks = 0;
  unsigned failing = 0;
  bool failing_without_on_fail = false;
};

std::vector<RecordHealth> count_failures(const Service& service, const Conditions& conditions) {
  std::vector<RecordHealth> health(service.records.size());
  for (std::size_t i = 0; i < service.checks.size(); ++i) {
    RecordHealth& record = health[index_of(service.checks[i].record)];
    ++record.checks;
    if (!conditions.check_failing[i]) continue;
    ++record.failing;
    record.failing_without_on_fail |= !service.checks[i].has_on_fail;
  }
  return health;
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
    // A quorum beyond the number of checks asks for all of them.
    const unsigned needed = std::min(service.quorum, health[i].checks);
    const bool down = health[i].failing != 0 && health[i].failing >= needed;
    if (down && health[i].failing_without_on_fail) plan.weights[i] = 0;
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
