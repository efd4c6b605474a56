// Steering's part for services: rule the touched ones again and publish what changed.
// zones/steering_activation.cpp holds new crossings until their steps pass, zones/steering_tell.cpp
// tells the trail.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/alert_text.h"
#include "zones/order_target.h"
#include "zones/steering.h"
#include "zones/steering_step.h"
#include "zones/tenants.h"
#include "zones/time_text.h"

namespace demarc::zones {
namespace {

std::string_view words_of(OrderKind kind) {
  switch (kind) {
    case OrderKind::drain:
      return "drains";
    case OrderKind::force_up:
      return "counts as up";
    case OrderKind::force_down:
      return "counts as down";
  }
  return "drains";
}

}  // namespace

/// A drain wins over a word that it is down, and that over a word that it is well.
Conditions Steering::known_of(const Service& service) const {
  Conditions conditions = calm(service);
  for (std::size_t i = 0; i < service.checks.size(); ++i) {
    conditions.check_failing[i] = is_failing(service.checks[i].key);
    const auto known = state_.checks.find(service.checks[i].key);
    if (known == state_.checks.end() || !known->second.degraded) continue;
    conditions.check_degraded.resize(service.checks.size());
    conditions.check_degraded[i] = true;
  }
  if (state_.orders.empty()) return conditions;
  for (std::size_t i = 0; i < service.records.size(); ++i) {
    std::set<OrderKind> kinds;
    for (const auto& [id, order] : state_.orders) {
      if (applies(order, service, service.records[i], *configuration_->repository)) {
        kinds.insert(order.kind);
      }
    }
    if (kinds.empty()) continue;
    conditions.ordered.resize(service.records.size());
    conditions.ordered[i] = true;
    conditions.record_drained[i] = kinds.contains(OrderKind::drain);
    const bool is_down = kinds.contains(OrderKind::force_down);
    if (!is_down && !kinds.contains(OrderKind::force_up)) continue;
    bool is_checked = false;
    for (std::size_t c = 0; c < service.checks.size(); ++c) {
      if (index_of(service.checks[c].record) != i) continue;
      conditions.check_failing[c] = is_down;
      if (!conditions.check_degraded.empty()) conditions.check_degraded[c] = false;
      is_checked = true;
    }
    // Nothing else could take out what nothing checks.
    conditions.record_drained[i] = conditions.record_drained[i] || (is_down && !is_checked);
  }
  return conditions;
}

Plan Steering::plan_of(ServiceId service) const {
  return make_plan(*configuration_->repository, service, leash_of(service).conditions);
}

Ruling Steering::preview(const Views& views, ServiceId service,
                         const Conditions& conditions) const {
  const Repository& repository = *configuration_->repository;
  const Plan plan = make_plan(repository, service, conditions);
  return Gate::rule(repository, views, plan,
                    audit_writable_ ? activate(plan, {}).permissions : made_permissions(service));
}

std::vector<Permission> Steering::permissions(ServiceId service) const {
  std::vector<Permission> list;
  if (clock_in_doubt_) return list;
  for (const auto& [id, grant] : state_.grants) {
    if (!grant.complete) continue;
    auto permission = permission_for(*configuration_->repository, grant, service);
    if (permission) list.push_back(std::move(*permission));
  }
  return list;
}

/// Only what is being answered already: to the regions that a grant opened before, and only while
/// no other region of home has failed than then.
std::vector<Permission> Steering::made_permissions(ServiceId service) const {
  std::vector<Permission> list;
  for (const Permission& permission : permissions(service)) {
    for (const Made& made : made_[index_of(service)]) {
      if (made.grant_id != permission.grant_id || made.tenant != permission.tenant ||
          std::ranges::count(permission.to, made.to) == 0) {
        continue;
      }
      Permission known = permission;
      known.to = {made.to};
      known.only_failed = made.from;
      list.push_back(std::move(known));
    }
  }
  return list;
}

Ruling Steering::rule_as_made(const Plan& plan, const std::string& tenant) const {
  return Gate::rule(*configuration_->repository, *configuration_->views, plan,
                    made_permissions(plan.service), tenant);
}

bool Steering::is_made(const Service& service, const Made& made) const {
  const auto told = state_.told.find(service.owner.text_without_dot());
  const std::string text = crossing_text(configuration_->repository->policy, made);
  return told != state_.told.end() && std::ranges::count(told->second.crossings, text) != 0;
}

/// Those with a grant of their own, and those that had one: their last weights are the class's.
std::set<std::string> Steering::tenants_to_rule(ServiceId id) const {
  std::set<std::string> tenants;
  const Service& service = configuration_->repository->service(id);
  if (!service.tenants_of) return tenants;
  for (const Permission& permission : permissions(id)) {
    if (!permission.tenant.empty()) tenants.insert(permission.tenant);
  }
  for (const auto& [key, weights] : published_tenants_) {
    if (key.first == service.owner) tenants.insert(key.second);
  }
  return tenants;
}

void Steering::publish(Step& step, ServiceId id, const ClearedWeights& cleared) {
  if (cleared.tenant().empty()) {
    auto& published = published_[index_of(id)];
    if (published && *published == cleared && !step.force_publish) return;
    published = cleared;
  } else {
    const auto key = std::pair(configuration_->repository->service(id).owner, cleared.tenant());
    auto& published = published_tenants_[key];
    const bool is_same = published && *published == cleared && !step.force_publish;
    published = cleared;
    if (!cleared.valid_until()) published_tenants_.erase(key);
    if (is_same) return;
  }
  step.out.publish.push_back(cleared);
}

/// One service, and each tenant of it that has, or had, a grant of its own.
void Steering::rule_service(Step& step, ServiceId id, std::vector<ClearedWeights>& unaudited) {
  const Repository& repository = *configuration_->repository;
  LeashRuling leash = leash_of(id);
  Plan plan = make_plan(repository, id, leash.conditions);
  plan.may_change_at = may_change_at(repository.service(id), leash.due);
  std::set<std::string> tenants = tenants_to_rule(id);
  tenants.insert("");
  std::optional<Decision> decision;
  std::vector<ClearedWeights> cleared, as_made;
  std::set<Made> made;
  for (const std::string& tenant : tenants) {
    Activated activated;
    if (audit_writable_) {
      activated = activate(plan, tenant);
    } else {
      activated.permissions = made_permissions(id);
    }
    Ruling ruling =
        Gate::rule(repository, *configuration_->views, plan, activated.permissions, tenant);
    made.insert(ruling.made.begin(), ruling.made.end());
    cleared.push_back(ruling.cleared);
    as_made.push_back(rule_as_made(plan, tenant).cleared);
    if (!decision) {
      decision = Decision{std::move(ruling), std::move(activated), plan.asserted, leash.holds};
      continue;
    }
    decision->ruling.rules.merge(ruling.rules);
    decision->activated.passed.merge(activated.passed);
    decision->activated.waiting.merge(activated.waiting);
    decision->activated.advice_keys.merge(activated.advice_keys);
    std::ranges::move(activated.advice_wanted,
                      std::back_inserter(decision->activated.advice_wanted));
  }
  decision->ruling.made.assign(made.begin(), made.end());
  auto& before = made_[index_of(id)];
  const bool is_new = std::ranges::any_of(made, [&](const Made& m) { return !before.contains(m); });
  if (is_new) made_before_.emplace_back(id, before);
  tell(step, plan, *decision);
  keep_leash(step, id, leash);
  before = std::move(made);
  const std::size_t published = step.out.publish.size();
  for (const ClearedWeights& weights : cleared) publish(step, id, weights);
  if (is_new) {
    std::ranges::move(as_made, std::back_inserter(unaudited));
  } else {
    unaudited.insert(unaudited.end(),
                     step.out.publish.begin() + static_cast<std::ptrdiff_t>(published),
                     step.out.publish.end());
  }
}

void Steering::rule_services(Step& step) {
  std::vector<ClearedWeights> unaudited;
  for (const ServiceId id : step.touched) rule_service(step, id, unaudited);
  step.out.publish_if_unaudited = std::move(unaudited);
}

std::string Steering::evidence_of(const Service& service) const {
  std::vector<std::string> parts;
  for (const HealthCheck& check : service.checks) {
    const auto known = state_.checks.find(check.key);
    if (!is_failing(check.key)) continue;
    if (known == state_.checks.end() || !known->second.failing) {
      parts.push_back(
          fmt::format("{} counts as down for the drill {}", check.key, state_.drill->name));
      continue;
    }
    parts.push_back(fmt::format("{} {} since {}: {}", check.key, to_text(known->second.verdict),
                                to_rfc3339(known->second.since), known->second.detail));
  }
  for (const auto& [id, order] : state_.orders) {
    if (std::ranges::any_of(service.records, [&](const Record& record) {
          return applies(order, service, record, *configuration_->repository);
        })) {
      parts.push_back(fmt::format("{} {} {} by {}: {}", id, words_of(order.kind), order.target,
                                  order.who, order.reason));
    }
  }
  if (parts.empty()) return "nothing is failing, nothing is drained";
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string Steering::jurisdiction_of(const Service& service) const {
  if (!service.home) return std::string(node_jurisdiction);
  return configuration_->repository->policy.jurisdiction(*service.home).name;
}

AuditEntry Steering::entry(const Step& step, std::string kind, std::string jurisdiction) const {
  AuditEntry made{.time = step.now,
                  .kind = std::move(kind),
                  .jurisdiction = std::move(jurisdiction),
                  .facts = {}};
  if (configuration_) {
    made.facts.emplace_back("policy", configuration_->repository->policy.digest);
    made.facts.emplace_back("configuration", configuration_->repository->digest);
    if (configuration_->repository->tenants) {
      made.facts.emplace_back("tenants", configuration_->repository->tenants->digest());
    }
  }
  return made;
}

AuditEntry Steering::entry(const Step& step, std::string kind, const Service& service) const {
  AuditEntry made = entry(step, std::move(kind), jurisdiction_of(service));
  made.facts.emplace_back("zone",
                          configuration_->repository->zones[service.zone].apex.text_without_dot());
  const Repository& repository = *configuration_->repository;
  if (!service.tenants_of) {
    made.facts.emplace_back("service", service.owner.text_without_dot());
    return made;
  }
  made.facts.emplace_back("service",
                          repository.service(*service.tenants_of).owner.text_without_dot());
  made.facts.emplace_back("class", service.label);
  made.facts.emplace_back("regulated-tenants",
                          std::to_string(regulated_tenants(repository, service)));
  return made;
}

}  // namespace demarc::zones
