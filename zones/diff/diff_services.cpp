// Services, field by field: what they owe the law, where their records are, how answers are chosen.
// zones/diff/diff_records.cpp has the records and checks.
#include "zones/diff/diff_services.h"

#include <algorithm>
#include <map>

#include "geo/countries.h"
#include "zones/diff/leash_text.h"
#include "zones/diff/text.h"
#include "zones/gate.h"

namespace demarc::zones::diff {
namespace {

std::string apex_of(const Repository& repository, const Service& service) {
  return repository.zones.at(service.zone).apex.text_without_dot();
}

/// The home of one kind of client.
std::optional<JurisdictionId> home_for(const Policy& policy, const Service& service,
                                       geo::Code2 country) {
  if (service.home_kind != HomeKind::client) return service.home;
  const auto own = policy.jurisdiction_of(country);
  return own ? own : service.home;
}

/// Regions, by name, that lie inside the home of clients in `country`.
std::set<std::string> regions_inside(const Policy& policy, const Service& service,
                                     geo::Code2 country) {
  std::set<std::string> inside;
  const auto home = home_for(policy, service, country);
  for (const Region& region : policy.regions) {
    if (home && policy.is_inside(*home, region.jurisdiction)) inside.insert(region.name);
  }
  return inside;
}

/// Whether some client may be answered from a region, before residency is asked, where that client
/// might not be before; the other way round it tightens.
ChangeEffect home_effect(const Policy& from, const Service& before, const Policy& to,
                         const Service& after) {
  std::vector<geo::Code2> countries = {geo::Code2{}};
  for (const geo::Country& country : geo::countries()) countries.push_back(country.code);
  bool is_narrower = false;
  for (const geo::Code2 country : countries) {
    const auto old_regions = regions_inside(from, before, country);
    const auto new_regions = regions_inside(to, after, country);
    if (!std::ranges::includes(old_regions, new_regions)) return ChangeEffect::loosens;
    is_narrower |= new_regions != old_regions;
  }
  return is_narrower ? ChangeEffect::tightens : ChangeEffect::touches;
}

/// What nothing less strict replaces: blocked clients get no answer at all.
bool refuses(const OnBlock& on_block) {
  return on_block.answer == BlockAnswer::nodata || on_block.answer == BlockAnswer::servfail;
}

bool asks_less(const Activation& before, const Activation& after) {
  if (before.target_healthy && !after.target_healthy) return true;
  if (before.capacity && (!after.capacity || *after.capacity < *before.capacity)) return true;
  return std::ranges::any_of(before.lag, [&](const LagCheck& old) {
    const auto same = std::ranges::find(after.lag, old.key, &LagCheck::key);
    return same == after.lag.end() || same->max > old.max;
  });
}

template <typename T>
ChangeEffect if_loosens(T loosens) {
  return loosens ? ChangeEffect::loosens : ChangeEffect::tightens;
}

class ServiceDiff {
 public:
  ServiceDiff(Changes& changes, const Service& before, const Service& after, bool is_shifted)
      : changes_(changes),
        before_(before),
        after_(after),
        is_shifted_(is_shifted),
        is_bound_(before.residency != Residency::none || after.residency != Residency::none) {}

  void diff() {
    diff_duties();
    diff_answers();
    diff_records(changes_, {before_, after_, is_shifted_, is_bound_, zone()});
    diff_checks(changes_, {before_, after_, is_shifted_, is_bound_, zone()});
  }

 private:
  std::string zone() const { return apex_of(changes_.to(), after_); }

  void add(std::string kind, ChangeClass rank, ChangeEffect effect,
           std::pair<std::string, std::string> texts) {
    changes_.add({.kind = std::move(kind),
                  .subject = after_.owner.text_without_dot(),
                  .rank = rank,
                  .effect = effect,
                  .before = std::move(texts.first),
                  .after = std::move(texts.second),
                  .zone = zone()},
                 before_.place, after_.place);
  }

  void diff_duties() {
    const Policy& from = changes_.from().policy;
    const Policy& to = changes_.to().policy;
    add("service-residency", ChangeClass::legal, if_loosens(after_.residency < before_.residency),
        {std::string(to_text(before_.residency)), std::string(to_text(after_.residency))});
    add("service-home", ChangeClass::legal, home_effect(from, before_, to, after_),
        {home_text(from, before_), home_text(to, after_)});
    add("service-access", ChangeClass::legal, if_loosens(after_.access < before_.access),
        {std::string(to_text(before_.access)), std::string(to_text(after_.access))});
    const bool answers_now = refuses(before_.on_block) && !refuses(after_.on_block);
    const bool answers_as_before = refuses(before_.on_block) == refuses(after_.on_block);
    add("service-on-block", is_bound_ ? ChangeClass::legal : ChangeClass::routine,
        answers_as_before ? ChangeEffect::touches : if_loosens(answers_now),
        {on_block_text(before_), on_block_text(after_)});
    add("service-activation", ChangeClass::legal,
        if_loosens(asks_less(before_.activation, after_.activation)),
        {activation_text(from, before_.activation), activation_text(to, after_.activation)});
  }

  void diff_answers() {
    const auto moved = is_shifted_ ? ChangeClass::traffic : ChangeClass::routine;
    add("service-route", moved, ChangeEffect::touches,
        {route_text(changes_.from().policy, before_.route),
         route_text(changes_.to().policy, after_.route)});
    add("service-ttl", ChangeClass::traffic, ChangeEffect::touches,
        {std::to_string(before_.ttl), std::to_string(after_.ttl)});
    add("service-ttl-min", ChangeClass::traffic, ChangeEffect::touches,
        {std::to_string(before_.ttl_min), std::to_string(after_.ttl_min)});
    add("service-answers", ChangeClass::traffic, ChangeEffect::touches,
        {answers_text(before_.answers), answers_text(after_.answers)});
    add("service-sticky", ChangeClass::traffic, ChangeEffect::touches,
        {before_.is_sticky ? "client" : "none", after_.is_sticky ? "client" : "none"});
    add("service-client-subnet", ChangeClass::traffic, ChangeEffect::touches,
        {before_.uses_client_subnet ? "use" : "ignore",
         after_.uses_client_subnet ? "use" : "ignore"});
    add("service-https", ChangeClass::traffic, ChangeEffect::touches,
        {https_text(before_), https_text(after_)});
    add("service-quorum", ChangeClass::routine, ChangeEffect::touches,
        {quorum_text(before_.quorum), quorum_text(after_.quorum)});
    add("service-degraded-weight", ChangeClass::routine, ChangeEffect::touches,
        {fmt::format("{} %", before_.degraded_weight),
         fmt::format("{} %", after_.degraded_weight)});
    add("service-leash", ChangeClass::traffic, ChangeEffect::touches,
        {leash_text(before_.leash), leash_text(after_.leash)});
  }

  Changes& changes_;
  const Service& before_;
  const Service& after_;
  bool is_shifted_;
  bool is_bound_;
};

std::map<Name, const Service*> by_owner(const Repository& repository) {
  std::map<Name, const Service*> services;
  for (const Service& service : repository.services) {
    if (!service.tenants_of) services.emplace(service.owner, &service);
  }
  return services;
}

}  // namespace

void diff_services(Changes& changes, const std::set<std::string>& shifted) {
  const auto before = by_owner(changes.from());
  const auto after = by_owner(changes.to());
  for (const auto& [owner, old_service] : before) {
    const std::string name = owner.text_without_dot();
    if (const auto found = after.find(owner); found != after.end()) {
      ServiceDiff(changes, *old_service, *found->second, shifted.contains(name)).diff();
      continue;
    }
    // What answers by this name from now on, a static record or a wildcard, has no residency.
    const bool is_bound = old_service->residency != Residency::none;
    changes.add({.kind = "service-removed",
                 .subject = name,
                 .rank = is_bound ? ChangeClass::legal : ChangeClass::traffic,
                 .effect = is_bound ? ChangeEffect::loosens : ChangeEffect::touches,
                 .before = service_text(changes.from().policy, *old_service),
                 .zone = apex_of(changes.from(), *old_service)},
                old_service->place, {});
  }
  for (const auto& [owner, service] : after) {
    if (before.contains(owner)) continue;
    const bool is_bound = service->residency != Residency::none;
    changes.add({.kind = "service-added",
                 .subject = owner.text_without_dot(),
                 .rank = is_bound ? ChangeClass::legal : ChangeClass::traffic,
                 .effect = is_bound ? ChangeEffect::tightens : ChangeEffect::touches,
                 .after = service_text(changes.to().policy, *service),
                 .zone = apex_of(changes.to(), *service)},
                {}, service->place);
  }
}

}  // namespace demarc::zones::diff
