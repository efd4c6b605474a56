// The oracle's judgement of the moment in which a crossing is made: that the trail told of it
// before, and that every step of the service's activation had passed.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/simulation/oracle.h"
#include "zones/time_text.h"

namespace demarc::simulation {

using namespace zones;

namespace {

constexpr int fresh_intervals = 3;  // a measured lag counts that long
constexpr std::string_view for_tenant = " for tenant ";

std::string fact_of(const AuditEntry& entry, std::string_view name) {
  for (const auto& [key, value] : entry.facts) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace

const Service& Oracle::named_of(const Service& service) const {
  return service.tenants_of ? configuration_->repository->service(*service.tenants_of) : service;
}

void Oracle::lag_measured(const std::string& check, std::optional<double> value) {
  remembered_.lag[check] = {value, remembered_.believed};
}

/// The same question again is a new one: what was said before does not count.
void Oracle::advice_asked(const AdviceWanted& asked) {
  const auto input = nlohmann::json::parse(asked.input);
  advice_[asked.id] = {.service = input.at("service"),
                       .region = input.at("to"),
                       .grant = input.at("grant"),
                       .tenant = input.at("tenant"),
                       .policy = input.at("policy-digest"),
                       .effect = {}};
}

void Oracle::advised(const std::string& id, std::optional<Effect> effect) {
  const auto asked = advice_.find(id);
  if (asked != advice_.end() && !asked->second.effect) asked->second.effect = effect;
}

/// Of an entry about a crossing; nothing if its service is not of this configuration.
std::optional<Oracle::Crossing> Oracle::crossing_of(const AuditEntry& entry) const {
  const std::string owner = fact_of(entry, "service"), of_class = fact_of(entry, "class");
  const auto& services = configuration_->repository->services;
  const auto service = std::ranges::find_if(services, [&](const Service& known) {
    return of_class.empty() ? known.owner.text_without_dot() == owner : known.label == of_class;
  });
  const std::string text = fact_of(entry, "crossing");
  const auto to = text.find(" to ");
  if (service == services.end() || to == std::string::npos) return std::nullopt;
  const auto tenant = text.find(for_tenant);
  const std::string region =
      text.substr(to + 4, tenant == std::string::npos ? std::string::npos : tenant - to - 4);
  return Crossing{*service, text.substr(0, to), region,
                  tenant == std::string::npos ? "" : text.substr(tenant + for_tenant.size())};
}

std::string Oracle::book_key(const Service& service, const std::string& tenant) {
  return service.owner.text_without_dot() + "/" + tenant;
}

std::string Oracle::why_not_activated(const Crossing& crossing) const {
  const Service& service = crossing.service;
  if (is_frozen_) return "a freeze is on";
  const auto region = std::ranges::find(policy().regions, crossing.region, &Region::name);
  if (region == policy().regions.end()) return "there is no such region";
  const RegionId to{static_cast<std::uint16_t>(region - policy().regions.begin())};
  if (service.activation.target_healthy) {
    bool is_any = false, is_any_up = false;
    for (const HealthCheck& check : service.checks) {
      if (service.record(check.record).region != to) continue;
      const Remembered::Check& known = remembered_.checks.at(check.key);
      is_any = true;
      is_any_up = is_any_up || known.verdict == Verdict::up || known.verdict == Verdict::degraded;
      if (known.failing) return "its target is failing";
    }
    if (is_any && !is_any_up) return "nobody has found its target up";
  }
  if (service.activation.capacity) {
    unsigned declared = 0;
    for (const Record& record : service.records) {
      if (record.region == to) declared += record.capacity.value_or(0);
    }
    if (declared < *service.activation.capacity) return "its target cannot carry it";
  }
  for (const LagCheck& check : service.activation.lag) {
    if (check.region != to) continue;
    const auto known = remembered_.lag.find(check.key);
    if (known == remembered_.lag.end() || !known->second.value) return "the lag is not known";
    if (known->second.measured + fresh_intervals * check.interval <= remembered_.believed) {
      return "the lag was measured too long ago";
    }
    if (*known->second.value > check.max) return "the replica is too far behind";
  }
  if (!policy().advisor) return {};
  const bool is_allowed = std::ranges::any_of(advice_, [&](const auto& known) {
    const Advice& advice = known.second;
    return advice.effect == Effect::allow && advice.region == crossing.region &&
           advice.service == service.owner.text_without_dot() && advice.grant == crossing.grant &&
           advice.tenant == crossing.tenant && advice.policy == policy().digest;
  });
  return is_allowed ? std::string{} : std::string("the advisor did not allow it");
}

void Oracle::wrote(const std::vector<AuditEntry>& entries) {
  for (const AuditEntry& entry : entries) {
    if (entry.kind != "crossing-made" && entry.kind != "crossing-ended") continue;
    const auto crossing = crossing_of(entry);
    if (!crossing) continue;
    const std::string book = book_key(crossing->service, crossing->tenant);
    const std::string text = fact_of(entry, "crossing");
    if (entry.kind == "crossing-ended") {
      open_[book].erase(text);
      if (!has_open_crossing(crossing->service)) {
        came_back_.erase(crossing->service.owner.text_without_dot());
      }
      continue;
    }
    if (entry.tells_of_new_crossing) told_[book].insert(crossing->region);
    if (!open_[book].insert(text).second) continue;  // one that goes on leaves more of home
    ++made_seen;
    if (policy().advisor) ++advised_seen;
    if (!crossing->service.activation.lag.empty()) ++lags_seen;
    if (const std::string why = why_not_activated(*crossing); !why.empty()) {
      violated(fmt::format("{} crosses ({}) although {}", crossing->service.label, text, why));
    }
  }
}

void Oracle::published(const ClearedWeights& weights) {
  const Service& service = configuration_->repository->service(weights.service());
  const auto at = std::pair{index_of(weights.service()), weights.tenant()};
  served_.insert_or_assign(at, weights);
  if (service.residency != Residency::hard) return;
  std::set<std::string> abroad;
  const auto& variants = configuration_->views->variant_of_class(service.view);
  for (const Client& client : clients_) {
    const View view{service, home_of(service, client), {}, weights};
    const auto chosen = weights.choice_of_variant().at(variants[client.location_class]);
    for (const WeightedRecord& weighted : weights.choices().at(chosen).records) {
      const Record& record = service.records.at(index_of(weighted.record));
      if (!is_home(view, record)) abroad.insert(policy().regions[index_of(record.region)].name);
    }
  }
  const auto& of_all = told_[book_key(service, "")];
  auto& of_tenant = told_[book_key(service, weights.tenant())];
  for (const std::string& region : abroad) {
    if (of_tenant.contains(region) || of_all.contains(region)) continue;
    violated(fmt::format("{} answers from {} before the trail tells of it", service.label, region));
  }
  // What is over must be told again when it begins again.
  of_tenant = std::move(abroad);
  // A tenant whose own weights have no end is answered by its class.
  if (!weights.tenant().empty() && !weights.valid_until()) served_.erase(at);
}

}  // namespace demarc::simulation
