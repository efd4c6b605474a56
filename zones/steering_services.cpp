// Steering's part for services: rule the touched ones again, publish what changed and tell the
// trail.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/steering.h"
#include "zones/steering_step.h"
#include "zones/time_text.h"

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

bool applies(const Order& order, const Service& service, const Record& record,
             const Repository& repository) {
  const Policy& policy = repository.policy;
  // An order about a service is about its tenants as well.
  const Service& named = service.tenants_of ? repository.service(*service.tenants_of) : service;
  const bool is_meant = order.service.empty() || order.service == named.owner.text_without_dot() ||
                        order.service == service.owner.text_without_dot();
  if (!is_meant) return false;
  if (policy.region(record.region).name == order.target) return true;
  const auto name = Name::parse_absolute(order.target);
  return name && record.endpoint_name == *name;
}

bool is_told_nothing(const Told& told) { return told == Told{}; }

}  // namespace

Conditions Steering::conditions_of(const Service& service) const {
  Conditions conditions = calm(service);
  for (std::size_t i = 0; i < service.checks.size(); ++i) {
    conditions.check_failing[i] = is_failing(service.checks[i].key);
  }
  for (std::size_t i = 0; i < service.records.size(); ++i) {
    conditions.record_drained[i] = std::ranges::any_of(state_.orders, [&](const auto& order) {
      return applies(order.second, service, service.records[i], *configuration_->repository);
    });
  }
  return conditions;
}

Plan Steering::plan_of(ServiceId service) const {
  return make_plan(*configuration_->repository, service,
                   conditions_of(configuration_->repository->service(service)));
}

Ruling Steering::preview(const Views& views, ServiceId service,
                         const Conditions& conditions) const {
  const Repository& repository = *configuration_->repository;
  return Gate::rule(repository, views, make_plan(repository, service, conditions),
                    permissions(service, !audit_writable_));
}

std::vector<Permission> Steering::permissions(ServiceId service, bool only_made) const {
  std::vector<Permission> list;
  if (clock_in_doubt_) return list;
  for (const auto& [id, grant] : state_.grants) {
    if (!grant.complete) continue;
    auto permission = permission_for(*configuration_->repository, grant, service);
    if (!permission) continue;
    if (only_made) {
      // Only what is being answered already: the regions that this very grant opened before.
      std::erase_if(permission->to, [&](RegionId region) {
        return !made_[index_of(service)].contains({id, region});
      });
    }
    list.push_back(std::move(*permission));
  }
  return list;
}

void Steering::rule_services(Step& step) {
  const Repository& repository = *configuration_->repository;
  bool any_new_crossing = false;
  std::vector<ClearedWeights> unaudited;
  for (const ServiceId id : step.touched) {
    const Plan plan = plan_of(id);
    const auto ruling =
        Gate::rule(repository, *configuration_->views, plan, permissions(id, !audit_writable_));
    std::set<Made> made(ruling.made.begin(), ruling.made.end());
    auto& before = made_[index_of(id)];
    const bool new_crossing =
        std::ranges::any_of(made, [&](const Made& m) { return !before.contains(m); });
    if (new_crossing) {
      any_new_crossing = true;
      unaudited.push_back(
          Gate::rule(repository, *configuration_->views, plan, permissions(id, true)).cleared);
      made_before_.emplace_back(id, before);
    }
    tell(step, id, plan, ruling);
    before = std::move(made);
    auto& published = published_[index_of(id)];
    if (!published || *published != ruling.cleared || step.force_publish) {
      step.out.publish.push_back(ruling.cleared);
      if (!new_crossing) unaudited.push_back(ruling.cleared);
      published = ruling.cleared;
    }
  }
  if (any_new_crossing) {
    step.out.publish_if_unaudited = std::move(unaudited);
  } else {
    step.out.publish_if_unaudited = step.out.publish;
  }
}

void Steering::tell(Step& step, ServiceId id, const Plan& plan, const Ruling& ruling) {
  const Service& service = configuration_->repository->service(id);
  const std::string owner = service.owner.text_without_dot();
  Told told = state_.told[owner];
  tell_weights(step, service, plan, told);
  tell_held(step, service, ruling);
  tell_crossings(step, service, ruling, told);
  if (is_told_nothing(told)) {
    state_.told.erase(owner);
  } else {
    state_.told[owner] = std::move(told);
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
  fact.facts.emplace_back("before", told.weights.empty() ? base_text : told.weights);
  fact.facts.emplace_back("after", now.empty() ? base_text : now);
  fact.facts.emplace_back("evidence", evidence_of(service));
  step.out.audit.push_back(std::move(fact));
  told.weights = now;
}

void Steering::tell_held(Step& step, const Service& service, const Ruling& ruling) {
  const Repository& repository = *configuration_->repository;
  const std::string owner = service.owner.text_without_dot();
  const std::string zone = repository.zones[service.zone].apex.text_without_dot();
  std::string held_id;
  if (ruling.held) {
    const auto from = names_of(repository.policy, ruling.held->from);
    const auto to = names_of(repository.policy, ruling.held->to);
    held_id = change_id(zone, owner, from, to);
    if (!state_.pending.contains(held_id)) {
      const std::string evidence = evidence_of(service);
      state_.pending[held_id] = {held_id, zone, owner, from, to, step.now, evidence};
      // Two linked facts: why traffic should leave, and why it may not.
      auto wanted = entry(step, "failover-wanted", service);
      wanted.facts.emplace_back("change", held_id);
      wanted.facts.emplace_back("from", fmt::format("{}", fmt::join(from, ",")));
      wanted.facts.emplace_back("to", fmt::format("{}", fmt::join(to, ",")));
      wanted.facts.emplace_back("evidence", evidence);
      auto held = entry(step, "crossing-held", service);
      held.facts.emplace_back("change", held_id);
      held.facts.emplace_back("refers-to", "failover-wanted " + held_id);
      held.facts.emplace_back("rule", "hard-residency");
      held.facts.emplace_back(
          "why", clock_in_doubt_ ? "the clock is in doubt, so no grant counts"
                                 : "the target is outside home and no live grant covers it");
      step.out.audit.push_back(std::move(wanted));
      step.out.audit.push_back(std::move(held));
      step.out.alerts_raised.push_back(
          {"held/" + held_id,
           fmt::format("Do not fail over {} from {} to {} without approval: {} is held back at the "
                       "border ({}). To allow it: demarc approve TOKEN",
                       owner, fmt::join(from, ","), fmt::join(to, ","), held_id, evidence),
           step.now});
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

void Steering::tell_crossings(Step& step, const Service& service, const Ruling& ruling,
                              Told& told) {
  const Policy& policy = configuration_->repository->policy;
  const std::string owner = service.owner.text_without_dot();
  std::vector<std::string> crossings;
  for (const Made& made : ruling.made) {
    crossings.push_back(fmt::format("{} to {}", made.grant_id, policy.region(made.to).name));
  }
  const auto told_before = [](const std::vector<std::string>& list, const std::string& text) {
    return std::ranges::count(list, text) != 0;
  };
  const auto say = [&](const char* kind, const std::string& what) {
    auto fact = entry(step, kind, service);
    fact.facts.emplace_back("crossing", what);
    fact.facts.emplace_back("evidence", evidence_of(service));
    return fact;
  };
  for (const std::string& crossing : crossings) {
    if (told_before(told.crossings, crossing)) continue;
    auto fact = say("crossing-made", crossing);
    fact.tells_of_new_crossing = true;
    step.out.audit.push_back(std::move(fact));
  }
  for (const std::string& crossing : told.crossings) {
    if (!told_before(crossings, crossing)) {
      step.out.audit.push_back(say("crossing-ended", crossing));
    }
  }
  if (crossings != told.crossings) {
    step.out.save_state = true;
    if (crossings.empty()) {
      step.out.alerts_ended.push_back("crossing/" + owner);
    } else {
      step.out.alerts_raised.push_back(
          {"crossing/" + owner,
           fmt::format("{} answers outside home: {}", owner, fmt::join(crossings, ", ")),
           step.now});
    }
  }
  told.crossings = std::move(crossings);

  const auto abroad = names_of(policy, ruling.soft_abroad);
  if (abroad == told.soft_abroad) return;
  if (abroad.empty()) {
    step.out.audit.push_back(
        say("soft-crossing-ended", fmt::format("{}", fmt::join(told.soft_abroad, ","))));
    step.out.alerts_ended.push_back("soft/" + owner);
  } else {
    const std::string where = fmt::format("{}", fmt::join(abroad, ","));
    step.out.audit.push_back(say("soft-crossing-begun", where));
    step.out.alerts_raised.push_back(
        {"soft/" + owner, fmt::format("{} (soft residency) answers outside home: {}", owner, where),
         step.now});
  }
  told.soft_abroad = abroad;
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
      parts.push_back(
          fmt::format("{} drains {} by {}: {}", id, order.target, order.who, order.reason));
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
  }
  return made;
}

AuditEntry Steering::entry(const Step& step, std::string kind, const Service& service) const {
  AuditEntry made = entry(step, std::move(kind), jurisdiction_of(service));
  made.facts.emplace_back("zone",
                          configuration_->repository->zones[service.zone].apex.text_without_dot());
  made.facts.emplace_back("service", service.owner.text_without_dot());
  return made;
}

}  // namespace demarc::zones
