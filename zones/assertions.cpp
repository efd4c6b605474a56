#include "zones/assertions.h"

#include <algorithm>

#include "zones/residency_rules.h"

namespace demarc::zones {
namespace {

bool is_about(const Repository& repository, const Service& service, const Assertion& assertion) {
  const Service& named = service.tenants_of ? repository.service(*service.tenants_of) : service;
  return matches_name(assertion.zone, repository.zones.at(service.zone).apex.text_without_dot()) &&
         matches_name(assertion.service, named.owner.text_without_dot());
}

/// Where the home is one and the same for all, only its own regions can keep a promise.
bool can_count(const Policy& policy, const Service& service, RegionId region) {
  const bool is_fixed =
      service.residency == Residency::hard && service.home && service.home_kind != HomeKind::client;
  return !is_fixed || policy.is_inside(*service.home, policy.region(region).jurisdiction);
}

bool is_excluded(const Plan& plan, std::size_t record) {
  return !plan.excluded.empty() && plan.excluded[record];
}

/// One service, its plan, and questions by region.
class Asserted {
 public:
  Asserted(const Repository& repository, Plan& plan)
      : policy_(repository.policy), service_(repository.service(plan.service)), plan_(plan) {}

  [[nodiscard]] bool is_on(RegionId region) const {
    return any_record(
        region, [&](std::size_t i) { return plan_.weights[i] != 0 && !is_excluded(plan_, i); });
  }
  [[nodiscard]] bool is_usable(RegionId region) const {
    return any_record(
        region, [&](std::size_t i) { return plan_.usable[i] && !is_excluded(plan_, i); });
  }
  [[nodiscard]] bool is_open(RegionId region) const {
    return any_record(region, [&](std::size_t i) { return !is_excluded(plan_, i); });
  }
  [[nodiscard]] bool has_record(RegionId region) const {
    return any_record(region, [](std::size_t) { return true; });
  }

  /// The regions that an at-least counts: with records, and at home where home is fixed.
  [[nodiscard]] std::vector<RegionId> counted(const Assertion& assertion) const {
    std::vector<RegionId> regions;
    for (const RegionId region : assertion.regions) {
      if (has_record(region) && can_count(policy_, service_, region)) regions.push_back(region);
    }
    return regions;
  }

  [[nodiscard]] bool holds(const Assertion& assertion) const {
    const auto is_on_now = [this](RegionId region) { return is_on(region); };
    if (assertion.kind == Assertion::Kind::never_together) {
      return std::ranges::count_if(assertion.regions, is_on_now) <= 1;
    }
    return std::ranges::count_if(counted(assertion), is_on_now) >= assertion.count;
  }

  /// Base weights, or 1 on the first record where the base has none.
  void restore(RegionId region) {
    for (std::size_t i = 0; i < service_.records.size(); ++i) {
      if (service_.records[i].region == region) plan_.weights[i] = service_.records[i].weight;
    }
    if (is_on(region)) return;
    for (std::size_t i = 0; i < service_.records.size(); ++i) {
      if (service_.records[i].region != region || is_excluded(plan_, i)) continue;
      plan_.weights[i] = 1;
      return;
    }
  }

  void exclude(RegionId region) {
    plan_.excluded.resize(service_.records.size(), false);
    for (std::size_t i = 0; i < service_.records.size(); ++i) {
      if (service_.records[i].region == region) plan_.excluded[i] = true;
    }
  }

  void keep_at_least(const Assertion& assertion) {
    const auto regions = counted(assertion);
    auto on = std::ranges::count_if(regions, [this](RegionId r) { return is_on(r); });
    for (const RegionId region : regions) {
      if (on >= assertion.count) return;
      if (is_on(region)) continue;
      restore(region);
      on += is_on(region) ? 1 : 0;
    }
  }

  /// Only one of them may answer, whichever way: by weight, by taking over, or held.
  void keep_apart(const Assertion& assertion) {
    std::vector<RegionId> here;
    std::ranges::copy_if(assertion.regions, std::back_inserter(here),
                         [this](RegionId region) { return has_record(region); });
    if (here.size() < 2) return;
    // One that another assertion excludes answers nobody: kept, it would leave no one at all.
    std::vector<RegionId> open;
    std::ranges::copy_if(here, std::back_inserter(open),
                         [this](RegionId region) { return is_open(region); });
    if (open.empty()) return;
    auto kept = std::ranges::find_if(open, [this](RegionId region) { return is_on(region); });
    if (kept == open.end()) {
      kept = std::ranges::find_if(open, [this](RegionId region) { return is_usable(region); });
    }
    if (kept == open.end()) kept = open.begin();
    for (const RegionId region : here) {
      if (region != *kept) exclude(region);
    }
  }

 private:
  template <typename Is>
  [[nodiscard]] bool any_record(RegionId region, const Is& is) const {
    for (std::size_t i = 0; i < service_.records.size(); ++i) {
      if (service_.records[i].region == region && is(i)) return true;
    }
    return false;
  }

  const Policy& policy_;
  const Service& service_;
  Plan& plan_;
};

std::vector<const Assertion*> those_about(const Repository& repository, const Service& service) {
  std::vector<const Assertion*> list;
  for (const Assertion& assertion : repository.policy.assertions) {
    if (is_about(repository, service, assertion)) list.push_back(&assertion);
  }
  return list;
}

}  // namespace

void apply_assertions(const Repository& repository, Plan& plan) {
  if (repository.policy.assertions.empty()) return;
  const auto assertions = those_about(repository, repository.service(plan.service));
  Asserted asserted(repository, plan);
  for (const Assertion* assertion : assertions) {
    if (!asserted.holds(*assertion)) plan.asserted.push_back(assertion->id);
  }
  for (const auto kind : {Assertion::Kind::at_least, Assertion::Kind::never_together}) {
    for (const Assertion* assertion : assertions) {
      if (assertion->kind != kind) continue;
      if (kind == Assertion::Kind::at_least) {
        asserted.keep_at_least(*assertion);
      } else {
        asserted.keep_apart(*assertion);
      }
    }
  }
  if (std::ranges::all_of(assertions, [&](const Assertion* a) { return asserted.holds(*a); })) {
    return;
  }
  plan.excluded.clear();
  for (const Assertion* assertion : assertions) {
    for (const RegionId region : assertion->regions) {
      for (std::size_t i = 0; i < plan.weights.size(); ++i) {
        const Record& record = repository.service(plan.service).records[i];
        if (record.region == region) plan.weights[i] = record.weight;
      }
    }
  }
  for (const Assertion* assertion : assertions) {
    if (assertion->kind == Assertion::Kind::never_together) asserted.keep_apart(*assertion);
  }
}

std::vector<bool> excluded_among(const Repository& repository, const Plan& plan,
                                 const std::vector<bool>& mask) {
  if (std::ranges::count(plan.excluded, true) == 0) return plan.excluded;
  Plan only = plan;
  only.excluded.assign(mask.size(), false);
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask[i]) continue;
    only.excluded[i] = true;
    only.weights[i] = 0;
  }
  Asserted asserted(repository, only);
  for (const Assertion* assertion : those_about(repository, repository.service(plan.service))) {
    if (assertion->kind == Assertion::Kind::never_together) asserted.keep_apart(*assertion);
  }
  return only.excluded;
}

std::vector<std::string> broken_assertions(const Repository& repository, const Plan& plan) {
  std::vector<std::string> broken;
  Plan copy = plan;
  const Asserted asserted(repository, copy);
  for (const Assertion* assertion : those_about(repository, repository.service(plan.service))) {
    if (!asserted.holds(*assertion)) broken.push_back(assertion->id);
  }
  return broken;
}

}  // namespace demarc::zones
