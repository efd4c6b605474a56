// A small world for tests of the core: three jurisdictions, four regions, services made by hand.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "geo/countries.h"
#include "zones/events.h"
#include "zones/gate.h"
#include "zones/jws.h"
#include "zones/model.h"
#include "zones/token.h"
#include "zones/view.h"

namespace demarc::zones::testing {

inline Name name(std::string_view text) { return Name::parse_absolute(text).value(); }
inline geo::Code2 code(std::string_view text) { return geo::parse_code2(text).value(); }
inline geo::Location in(std::string_view country) {
  geo::Location location;
  location.country = code(country);
  return location;
}

inline constexpr JurisdictionId EU{0}, CH{1}, US{2};
inline constexpr RegionId eu{0}, eu2{1}, ch{2}, us{3};

inline Policy small_policy() {
  Policy policy;
  policy.jurisdictions = {
      {"EU", {code("DE"), code("FR")}, {CH}}, {"CH", {code("CH")}, {}}, {"US", {code("US")}, {}}};
  policy.regions = {
      {"eu", EU, {50, 8}}, {"eu2", EU, {48, 2}}, {"ch", CH, {47, 8}}, {"us", US, {39, -77}}};
  policy.digest = "policy";
  return policy;
}

inline Record record(RegionId region, std::uint16_t weight, const std::string& endpoint) {
  return {.region = region,
          .weight = weight,
          .endpoint = endpoint,
          .endpoint_name = name(endpoint),
          .addresses = {*geo::parse_address("192.0.2." + std::to_string(1 + index_of(region)))},
          .place = {}};
}

inline Service service(const std::string& label, Residency residency, std::vector<Record> records) {
  Service made;
  made.label = label;
  made.owner = name(label + ".example.com");
  made.ttl = 30;
  made.residency = residency;
  if (residency != Residency::none) {
    made.home_kind = HomeKind::jurisdiction;
    made.home = EU;
  }
  made.records = std::move(records);
  return made;
}

inline void add_check(Service& service, std::size_t record,
                      std::optional<std::vector<SetWeight>> on_fail = {}) {
  HealthCheck check;
  check.key = "example.com/" + service.label + "/" + service.records[record].endpoint;
  if (service.checks.size() > record) check.key += "/" + std::to_string(service.checks.size());
  check.record = RecordId{static_cast<std::uint16_t>(record)};
  check.has_on_fail = on_fail.has_value();
  check.on_fail = on_fail.value_or(std::vector<SetWeight>{});
  service.checks.push_back(std::move(check));
}

/// eu 100, foreign us 0, one check on eu whose on-fail moves everything abroad: the seed's service.
inline Service seed_service(Residency residency = Residency::hard) {
  Service made =
      service("api", residency,
              {record(eu, 100, "api.eu.example.net"), record(us, 0, "api.us.example.net")});
  add_check(made, 0, std::vector<SetWeight>{{RecordId{0}, 0}, {RecordId{1}, 100}});
  return made;
}

inline Repository repository_of(std::vector<Service> services, Policy policy = small_policy()) {
  Repository repository;
  repository.policy = std::move(policy);
  repository.digest = "configuration";
  Zone zone;
  zone.apex = name("example.com");
  for (std::size_t i = 0; i < services.size(); ++i) {
    zone.services.push_back(ServiceId{static_cast<std::uint32_t>(i)});
  }
  repository.zones.push_back(std::move(zone));
  repository.services = std::move(services);
  return repository;
}

/// A configuration with its views filled for every country and for unknown clients.
inline std::shared_ptr<const Configuration> configuration_of(Repository made) {
  auto repository = std::make_unique<Repository>(std::move(made));
  auto views = std::make_unique<Views>(*repository);
  (void)views->classify(geo::Location{});
  for (const geo::Country& country : geo::countries()) {
    geo::Location location;
    location.country = country.code;
    (void)views->classify(location);
  }
  return std::make_shared<const Configuration>(
      Configuration{std::move(repository), std::move(views)});
}

/// The regions that answer clients of a country, with why and what kind of answer.
struct Answered {
  ChoiceKind kind = ChoiceKind::records;
  ChoiceNote note = ChoiceNote::none;
  std::vector<std::pair<std::string, int>> weights;  // endpoint's region, weight
  auto operator<=>(const Answered&) const = default;
};

inline Answered answered(const Configuration& configuration, const ClearedWeights& cleared,
                         const geo::Location& location, bool fenced = false) {
  const Service& service = configuration.repository->service(cleared.service());
  const Variant variant = evaluate_route(configuration.repository->policy, service, location,
                                         configuration.views->marks());
  const auto variants = configuration.views->variants(service.view);
  for (std::size_t i = 0; i < variants.size(); ++i) {
    if (variants[i] != variant) continue;
    const auto at = fenced ? cleared.fenced_choice_of_variant()[i] : cleared.choice_of_variant()[i];
    const Choice& choice = cleared.choices()[at];
    Answered out{choice.kind, choice.note, {}};
    for (const WeightedRecord& r : choice.records) {
      out.weights.emplace_back(
          configuration.repository->policy.region(service.record(r.record).region).name, r.weight);
    }
    return out;
  }
  return {ChoiceKind::servfail, ChoiceNote::none, {{"no such variant", 0}}};
}

}  // namespace demarc::zones::testing
