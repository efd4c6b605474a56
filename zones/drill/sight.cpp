#include "zones/drill/sight.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "geo/countries.h"

namespace demarc::zones::drill {
namespace {

void keep_once(std::vector<std::string>& list) {
  std::ranges::sort(list);
  const auto [first, last] = std::ranges::unique(list);
  list.erase(first, last);
}

/// The choice's index for a variant, among weights that may be older than the client's kind.
std::optional<std::size_t> choice_at(const ClearedWeights& cleared, std::size_t variant,
                                     WallTime now) {
  // What a query thread does: from valid_until on the fenced answers.
  const bool is_over = cleared.valid_until() && *cleared.valid_until() <= now;
  const auto& choices = is_over ? cleared.fenced_choice_of_variant() : cleared.choice_of_variant();
  if (variant >= choices.size()) return std::nullopt;
  return choices[variant];
}

Answer answer_of(const Repository& repository, const Service& service, const Choice& choice) {
  Answer answer{.kind = choice.kind, .note = choice.note, .share = choice.share};
  for (const WeightedRecord& weighted : choice.records) {
    const Record& record = service.record(weighted.record);
    answer.regions.push_back(repository.policy.region(record.region).name);
    answer.endpoints.push_back(record.endpoint_name.text_without_dot());
  }
  keep_once(answer.regions);
  keep_once(answer.endpoints);
  return answer;
}

}  // namespace

std::string_view to_text(ChoiceNote note) noexcept {
  switch (note) {
    case ChoiceNote::none:
      return "none";
    case ChoiceNote::held:
      return "held";
    case ChoiceNote::exception:
      return "exception";
    case ChoiceNote::all_down:
      return "all-down";
  }
  return "none";
}

std::string_view to_text(ChoiceKind kind) noexcept {
  switch (kind) {
    case ChoiceKind::records:
      return "records";
    case ChoiceKind::nodata:
      return "nodata";
    case ChoiceKind::servfail:
      return "servfail";
  }
  return "records";
}

Client client_of(geo::Code2 country) {
  Client client{std::string(country.text()), {}};
  client.location.country = country;
  client.location.registered_country = country;
  if (const auto* known = geo::find_country(country)) client.location.continent = known->continent;
  return client;
}

std::vector<Client> clients_of(const Scenario& scenario, const Policy& policy) {
  std::vector<Client> clients;
  for (const geo::Code2 country : scenario.clients) clients.push_back(client_of(country));
  if (scenario.clients.empty()) {
    for (const Jurisdiction& jurisdiction : policy.jurisdictions) {
      if (!jurisdiction.countries.empty()) {
        clients.push_back(client_of(jurisdiction.countries.front()));
      }
    }
  }
  clients.push_back({"unknown", {}});
  return clients;
}

std::optional<Answer> look(const Steering& steering, ServiceId id, const Client& client,
                           WallTime now) {
  const ClearedWeights* cleared = steering.published(id);
  if (cleared == nullptr) return std::nullopt;
  const Repository& repository = *steering.configuration()->repository;
  const Views& views = *steering.configuration()->views;
  const Service& service = repository.service(id);
  const Variant variant =
      evaluate_route(repository.policy, service, client.location, views.marks());
  const auto variants = views.variants(service.view);
  const auto at = static_cast<std::size_t>(std::ranges::find(variants, variant) - variants.begin());
  std::optional<Ruling> preview;
  auto chosen = choice_at(*cleared, at, now);
  if (!chosen) {
    // A kind of client that no network is of: what it would be answered.
    Views wider = views;
    if (!wider.classify(client.location)) return std::nullopt;
    const auto all = wider.variants(service.view);
    const auto there = static_cast<std::size_t>(std::ranges::find(all, variant) - all.begin());
    preview = steering.preview(wider, id, steering.conditions_of(service));
    cleared = &preview->cleared;
    chosen = choice_at(*cleared, there, now);
    if (!chosen) return std::nullopt;
  }
  const Choice& choice = cleared->choices()[*chosen];
  Answer answer = answer_of(repository, service, choice);
  std::vector<std::string> regions = answer.regions;
  if (choice.share < 100) {
    const Answer rest = answer_of(repository, service, cleared->choices()[choice.otherwise]);
    answer.rest = rest.endpoints;
    std::ranges::copy(rest.regions, std::back_inserter(regions));
  }
  answer.abroad = service.residency != Residency::none &&
                  std::ranges::any_of(regions, [&](const std::string& region) {
                    return !is_home(repository, service, client, region);
                  });
  return answer;
}

std::vector<Covering> coverings_of(const SteeringState& state) {
  std::vector<Covering> list;
  for (const auto& [id, grant] : state.grants) {
    if (!grant.complete) continue;
    list.push_back({grant.scope.service, grant.scope.to, grant.scope.mode, grant.ends});
  }
  return list;
}

bool is_home(const Repository& repository, const Service& service, const Client& client,
             const std::string& region_name) {
  const Policy& policy = repository.policy;
  const Jurisdiction* home = service.home ? &policy.jurisdiction(*service.home) : nullptr;
  if (service.home_kind == HomeKind::client) {
    for (const Jurisdiction& own : policy.jurisdictions) {
      if (std::ranges::count(own.countries, client.location.country) != 0) {
        home = &own;
        break;
      }
    }
  }
  const auto region = policy.find_region(region_name);
  if (home == nullptr || !region) return false;
  const JurisdictionId where = policy.region(*region).jurisdiction;
  if (policy.jurisdiction(where).name == home->name) return true;
  return std::ranges::any_of(home->approved_standby, [&](JurisdictionId standby) {
    return policy.jurisdiction(standby).name == policy.jurisdiction(where).name;
  });
}

std::string find_violation(const Repository& repository, ServiceId id, const Client& client,
                           const Answer& answer, const std::vector<Covering>& grants,
                           WallTime now) {
  const Service& service = repository.service(id);
  if (service.residency != Residency::hard) return {};
  const std::string owner = service.owner.text_without_dot();
  std::vector<std::string> regions = answer.regions;
  for (const std::string& endpoint : answer.rest) {
    for (const Record& record : service.records) {
      if (record.endpoint_name.text_without_dot() == endpoint) {
        regions.push_back(repository.policy.region(record.region).name);
      }
    }
  }
  for (const std::string& region : regions) {
    if (is_home(repository, service, client, region)) continue;
    const bool is_covered = std::ranges::any_of(grants, [&](const Covering& grant) {
      // A mode covers what is at most as far-reaching: read-only reads, full-write everything.
      const bool far_enough = static_cast<int>(grant.mode) >= static_cast<int>(service.access);
      return grant.service == owner && now < grant.ends && far_enough &&
             std::ranges::count(grant.to, region) != 0;
    });
    if (is_covered) continue;
    return fmt::format("{} answered client {} from {}, outside home, and no live grant covers it",
                       owner, client.name, region);
  }
  return {};
}

}  // namespace demarc::zones::drill
