// Steering's part for auditors: what each service with residency is, told to the trail whenever it
// changes, so that zones/audit/history.h needs nothing but the trail.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/digest.h"
#include "zones/gate.h"
#include "zones/steering.h"
#include "zones/steering_step.h"

namespace demarc::zones {
namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

std::string home_text(const Policy& policy, const Service& service) {
  const std::string name = service.home ? policy.jurisdiction(*service.home).name : std::string{};
  switch (service.home_kind) {
    case HomeKind::none:
      return "none";
    case HomeKind::jurisdiction:
      return name;
    case HomeKind::client:
      return name.empty() ? "client" : "client, by default " + name;
    case HomeKind::tenant:
      return name.empty() ? "tenant" : "tenant: " + name;
  }
  return "none";
}

/// Inside: in the home, or in a standby approved for it. Where the home is each client's own, no
/// region is inside for all.
bool is_inside(const Policy& policy, const Service& service, const Record& record) {
  return service.home_kind != HomeKind::client && service.home &&
         lies_inside(policy, record, *service.home);
}

Facts definition_of(const Repository& repository, const Service& service) {
  const Policy& policy = repository.policy;
  std::vector<std::string> inside, outside, weights;
  for (const Record& record : service.records) {
    const std::string& region = policy.region(record.region).name;
    (is_inside(policy, service, record) ? inside : outside).push_back(region);
    weights.push_back(fmt::format("{}={}", record.endpoint, record.weight));
  }
  for (auto* list : {&inside, &outside}) {
    std::ranges::sort(*list);
    list->erase(std::ranges::unique(*list).begin(), list->end());
  }
  Facts facts = {{"residency", std::string(to_text(service.residency))},
                 {"home", home_text(policy, service)},
                 {"access", std::string(to_text(service.access))},
                 {"inside", fmt::format("{}", fmt::join(inside, ","))},
                 {"outside", fmt::format("{}", fmt::join(outside, ","))},
                 {"base-weights", fmt::format("{}", fmt::join(weights, " "))}};
  if (service.tenants_of) {
    facts.emplace_back("tenants-of",
                       repository.service(*service.tenants_of).owner.text_without_dot());
  }
  return facts;
}

std::string list_text(const std::vector<std::string>& list, std::string_view between) {
  return list.empty() ? "none" : fmt::format("{}", fmt::join(list, between));
}

}  // namespace

AuditEntry Steering::definition(const Step& step, const Service& service) const {
  AuditEntry fact = entry(step, "service-loaded", service);
  const Facts facts = definition_of(*configuration_->repository, service);
  fact.facts.insert(fact.facts.end(), facts.begin(), facts.end());
  const auto known = state_.told.find(service.owner.text_without_dot());
  const Told told = known == state_.told.end() ? Told{} : known->second;
  fact.facts.emplace_back("crossings", list_text(told.crossings, ", "));
  fact.facts.emplace_back("soft-crossing", list_text(told.soft_abroad, ","));
  return fact;
}

std::vector<AuditEntry> Steering::definitions(WallTime now) const {
  std::vector<AuditEntry> list;
  if (!configuration_) return list;
  const Step step{.now = now, .out = {}, .touched = {}};
  for (const Service& service : configuration_->repository->services) {
    if (service.residency == Residency::none) continue;
    if (!state_.definitions.contains(service.owner.text_without_dot())) continue;
    list.push_back(definition(step, service));
  }
  return list;
}

void Steering::tell_definitions(Step& step) {
  const Repository& repository = *configuration_->repository;
  std::map<std::string, std::string> now;
  for (const Service& service : repository.services) {
    if (service.residency == Residency::none) continue;
    const std::string owner = service.owner.text_without_dot();
    const Facts facts = definition_of(repository, service);
    std::string text;
    for (const auto& [name, value] : facts) text += name + "=" + value + "\n";
    const std::string digest = sha256_hex(text);
    now[owner] = digest;
    const auto told = state_.definitions.find(owner);
    if (told != state_.definitions.end() && told->second == digest) continue;
    step.out.audit.push_back(definition(step, service));
  }
  for (const auto& [owner, digest] : state_.definitions) {
    if (now.contains(owner)) continue;
    auto fact = entry(step, "service-removed", std::string(node_jurisdiction));
    fact.facts.emplace_back("service", owner);
    step.out.audit.push_back(std::move(fact));
  }
  state_.definitions = std::move(now);
}

}  // namespace demarc::zones
