#include "tools/local_names.h"

#include <algorithm>

#include <fmt/format.h>

#include "zones/operator_texts.h"
#include "zones/time_text.h"

namespace demarc::tools {
namespace {

constexpr std::uint32_t operator_ttl = 0;  // seconds: a cache would answer those who may not ask

dns::ServiceTexts texts_of(const zones::Steering& steering, const zones::OperatorNames& names,
                           zones::ServiceId id) {
  const zones::Repository& repository = *steering.configuration()->repository;
  const zones::Service& service = repository.service(id);
  const zones::ClearedWeights* const cleared = steering.published(id);
  dns::ServiceTexts texts;
  if (names.health) {
    for (const auto& line : zones::health_lines(repository.policy, service, steering.state())) {
      texts.health.add(line, operator_ttl);
    }
  }
  if (names.gate) {
    const auto gate = zones::gate_texts(repository, id, steering.state(), cleared);
    texts.gate_home.add(gate.home, operator_ttl);
    if (!gate.live.empty()) texts.gate_live.add(gate.live, operator_ttl);
  }
  if (names.geo && cleared != nullptr) {
    texts.regions = zones::answering_regions(repository.policy, service, *cleared,
                                             cleared->choice_of_variant());
    texts.fenced_regions = zones::answering_regions(repository.policy, service, *cleared,
                                                    cleared->fenced_choice_of_variant());
  }
  return texts;
}

}  // namespace

std::shared_ptr<const dns::OperatorView> build_operator_view(
    const zones::Steering& steering, std::shared_ptr<const zones::Configuration> configuration,
    std::shared_ptr<const geo::Databases> databases) {
  const zones::Repository& repository = *configuration->repository;
  const bool is_wanted = std::ranges::any_of(
      repository.zones, [](const zones::Zone& zone) { return zone.operator_names.has_value(); });
  if (!is_wanted) return nullptr;
  auto view = std::make_shared<dns::OperatorView>();
  view->services.resize(repository.services.size());
  for (const zones::Zone& zone : repository.zones) {
    view->zones.push_back(zone.operator_names.value_or(zones::OperatorNames{}));
    if (!zone.operator_names) continue;
    for (const zones::ServiceId id : zone.services) {
      if (repository.service(id).tenants_of) continue;  // no name of its own on the wire
      view->services[zones::index_of(id)] = texts_of(steering, *zone.operator_names, id);
    }
  }
  view->databases = std::move(databases);
  view->overrides = {configuration, &repository.overrides};
  return view;
}

void LocalNames::take(std::shared_ptr<const zones::Configuration> configuration,
                      std::shared_ptr<const geo::Databases> databases, dns::SnapshotParts& parts) {
  configuration_ = std::move(configuration);
  databases_ = std::move(databases);
  operators_ = build_operator_view(controller_.steering(), configuration_, databases_);
  parts.operators = operators_;
  parts.challenges = acme_.challenges();
}

void LocalNames::refresh(dns::Published& published) {
  for (const AcmeValue& value : acme_.expire(clock_().wall)) {
    tell("acme-ended", value, "its end has come");
    challenges_changed_ = true;
  }
  const std::uint64_t entries =
      controller_.entries_before_recent() + controller_.recent_entries().size();
  is_stale_ = is_stale_ || entries != entries_seen_;
  entries_seen_ = entries;
  bool is_changed = std::exchange(challenges_changed_, false);
  if (std::exchange(is_stale_, false) && operators_ != nullptr) {
    auto next = build_operator_view(controller_.steering(), configuration_, databases_);
    is_changed = is_changed || next->services != operators_->services;
    operators_ = std::move(next);
  }
  if (!is_changed) return;
  published.publish(dns::with_local_names(published.latest(), operators_, acme_.challenges()));
}

void LocalNames::tell(const char* kind, const AcmeValue& value, const std::string& how) {
  controller_.happen_one(zones::NodeFact{
      kind, fmt::format("{} {}: {}", value.owner.text_without_dot(), value.value, how)});
}

Result<std::string, std::string> LocalNames::set_acme(const dns::Snapshot& snapshot,
                                                      const std::string& name,
                                                      const std::string& value, Milliseconds lasts,
                                                      const std::string& who) {
  const auto set = acme_.set(*snapshot.zones, name, value, lasts, who, clock_().wall);
  if (!set) return std::unexpected(set.error());
  const std::string until = zones::to_rfc3339(set->ends);
  tell("acme-set", *set, fmt::format("by {} until {}", who, until));
  challenges_changed_ = true;
  return fmt::format("{} TXT until {}", set->owner.text_without_dot(), until);
}

Result<std::string, std::string> LocalNames::remove_acme(const std::string& name,
                                                         const std::string& value,
                                                         const std::string& who) {
  const auto removed = acme_.remove(name, value);
  if (removed.empty()) return std::unexpected<std::string>("there is no such value");
  for (const AcmeValue& one : removed) tell("acme-removed", one, "by " + who);
  challenges_changed_ = true;
  return fmt::format("{} value(s) removed", removed.size());
}

}  // namespace demarc::tools
