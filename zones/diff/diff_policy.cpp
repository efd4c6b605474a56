// Jurisdictions, regions and what else of policy.yaml says where something may be, not who signs.
// zones/diff/diff_approvals.cpp has the signers.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "zones/diff/leash_text.h"
#include "zones/diff/parts.h"
#include "zones/diff/text.h"

namespace demarc::zones::diff {
namespace {

const std::string policy_file = "policy.yaml";

std::set<std::string> words(const std::string& list) {
  std::set<std::string> found;
  std::string rest = list;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(", "), rest.size());
    found.insert(rest.substr(0, end));
    rest.erase(0, end + 2);
  }
  return found;
}

/// A set that grows loosens, one that only shrinks tightens.
ChangeEffect effect_of(const std::string& before, const std::string& after) {
  const auto old_words = words(before), new_words = words(after);
  if (!std::ranges::includes(old_words, new_words)) return ChangeEffect::loosens;
  return ChangeEffect::tightens;
}

std::string sorted_text(std::vector<std::string> names) {
  std::ranges::sort(names);
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string countries_of(const Jurisdiction& jurisdiction) {
  std::vector<std::string> names;
  for (const geo::Code2 code : jurisdiction.countries) names.emplace_back(code.text());
  return sorted_text(std::move(names));
}

std::string standbys_of(const Policy& policy, const Jurisdiction& jurisdiction) {
  std::vector<std::string> names;
  for (const JurisdictionId id : jurisdiction.approved_standby) {
    names.push_back(policy.jurisdiction(id).name);
  }
  return sorted_text(std::move(names));
}

template <typename List, typename Name>
std::set<std::string> names_of(const List& before, const List& after, const Name& name) {
  std::set<std::string> names;
  for (const auto& one : before) names.insert(name(one));
  for (const auto& one : after) names.insert(name(one));
  return names;
}

template <typename List>
const typename List::value_type* find_named(const List& list, const std::string& name) {
  const auto found = std::ranges::find(list, name, &List::value_type::name);
  return found == list.end() ? nullptr : &*found;
}

void diff_jurisdictions(Changes& changes) {
  const Policy& from = changes.from().policy;
  const Policy& to = changes.to().policy;
  for (const std::string& name : names_of(from.jurisdictions, to.jurisdictions,
                                          [](const Jurisdiction& one) { return one.name; })) {
    const Jurisdiction* before = find_named(from.jurisdictions, name);
    const Jurisdiction* after = find_named(to.jurisdictions, name);
    const std::string path = "jurisdictions/" + name;
    if (before == nullptr || after == nullptr) {
      changes.add({.kind = before == nullptr ? "jurisdiction-added" : "jurisdiction-removed",
                   .subject = "jurisdiction " + name,
                   .rank = ChangeClass::legal,
                   .effect = ChangeEffect::touches,
                   .before = before == nullptr ? "" : countries_of(*before),
                   .after = after == nullptr ? "" : countries_of(*after)},
                  policy_file, path);
      continue;
    }
    const std::string old_countries = countries_of(*before), new_countries = countries_of(*after);
    changes.add({.kind = "jurisdiction-countries",
                 .subject = "jurisdiction " + name,
                 .rank = ChangeClass::legal,
                 .effect = effect_of(old_countries, new_countries),
                 .before = old_countries,
                 .after = new_countries},
                policy_file, path + "/countries");
    const std::string old_standby = standbys_of(from, *before),
                      new_standby = standbys_of(to, *after);
    changes.add({.kind = "jurisdiction-standby",
                 .subject = "jurisdiction " + name,
                 .rank = ChangeClass::legal,
                 .effect = effect_of(old_standby, new_standby),
                 .before = old_standby,
                 .after = new_standby},
                policy_file, path + "/approved-standby");
  }
}

std::string place_text(const Region& region) {
  return fmt::format("{}, {}", region.location.latitude, region.location.longitude);
}

std::string asns_text(const Region& region) {
  std::vector<std::string> names;
  for (const std::uint32_t asn : region.asns) names.push_back(fmt::format("AS{}", asn));
  return sorted_text(std::move(names));
}

void diff_region(Changes& changes, const Region& before, const Region& after, bool moves_traffic) {
  const std::string path = "regions/" + before.name;
  const std::string subject = "region " + before.name;
  changes.add({.kind = "region-jurisdiction",
               .subject = subject,
               .rank = ChangeClass::legal,
               .effect = ChangeEffect::loosens,  // records in it are lawful where they were not
               .before = changes.from().policy.jurisdiction(before.jurisdiction).name,
               .after = changes.to().policy.jurisdiction(after.jurisdiction).name},
              policy_file, path + "/jurisdiction");
  changes.add({.kind = "region-location",
               .subject = subject,
               .rank = moves_traffic ? ChangeClass::traffic : ChangeClass::routine,
               .before = place_text(before),
               .after = place_text(after)},
              policy_file, path + "/location");
  changes.add({.kind = "region-asns",
               .subject = subject,
               .rank = ChangeClass::legal,
               .before = asns_text(before),
               .after = asns_text(after)},
              policy_file, path + "/asns");
}

void diff_regions(Changes& changes, bool moves_traffic) {
  const Policy& from = changes.from().policy;
  const Policy& to = changes.to().policy;
  for (const std::string& name :
       names_of(from.regions, to.regions, [](const Region& one) { return one.name; })) {
    const Region* before = find_named(from.regions, name);
    const Region* after = find_named(to.regions, name);
    if (before != nullptr && after != nullptr) {
      diff_region(changes, *before, *after, moves_traffic);
      continue;
    }
    const auto text = [&](const Policy& policy, const Region* region) {
      return region == nullptr ? std::string{}
                               : "in " + policy.jurisdiction(region->jurisdiction).name;
    };
    changes.add({.kind = before == nullptr ? "region-added" : "region-removed",
                 .subject = "region " + name,
                 .rank = ChangeClass::legal,
                 .effect = before == nullptr ? ChangeEffect::touches : ChangeEffect::tightens,
                 .before = text(from, before),
                 .after = text(to, after)},
                policy_file, "regions/" + name);
  }
}

/// Whether every plan that holds under `after` held under `before` too.
bool is_as_strict(const Policy& from, const Assertion& before, const Policy& to,
                  const Assertion& after) {
  if (before.kind != after.kind || before.zone != after.zone || before.service != after.service) {
    return false;
  }
  const auto old_regions = words(region_names(from, before.regions));
  const auto new_regions = words(region_names(to, after.regions));
  if (before.kind == Assertion::Kind::never_together) {
    return std::ranges::includes(new_regions, old_regions);
  }
  return after.count >= before.count && std::ranges::includes(old_regions, new_regions);
}

void diff_assertions(Changes& changes) {
  const Policy& from = changes.from().policy;
  const Policy& to = changes.to().policy;
  const auto find = [](const Policy& policy, const std::string& id) {
    const auto found = std::ranges::find(policy.assertions, id, &Assertion::id);
    return found == policy.assertions.end() ? nullptr : &*found;
  };
  for (const std::string& id :
       names_of(from.assertions, to.assertions, [](const Assertion& one) { return one.id; })) {
    const Assertion* before = find(from, id);
    const Assertion* after = find(to, id);
    ChangeEffect effect = ChangeEffect::tightens;
    if (after == nullptr || (before != nullptr && !is_as_strict(from, *before, to, *after))) {
      effect = ChangeEffect::loosens;
    }
    changes.add({.kind = "assertion",
                 .subject = "assertion " + id,
                 .rank = ChangeClass::legal,
                 .effect = effect,
                 .before = before == nullptr ? "" : assertion_text(from, *before),
                 .after = after == nullptr ? "" : assertion_text(to, *after)},
                policy_file, "assertions/" + id);
  }
}

}  // namespace

void diff_policy(Changes& changes, const std::set<std::string>& shifted) {
  const Policy& from = changes.from().policy;
  const Policy& to = changes.to().policy;
  diff_jurisdictions(changes);
  diff_regions(changes, !shifted.empty());
  diff_assertions(changes);
  ChangeEffect advisor = ChangeEffect::touches;
  if (!from.advisor) advisor = ChangeEffect::tightens;
  if (!to.advisor) advisor = ChangeEffect::loosens;
  changes.add({.kind = "advisor",
               .subject = "policy",
               .rank = ChangeClass::legal,
               .effect = advisor,
               .before = advisor_text(from.advisor),
               .after = advisor_text(to.advisor)},
              policy_file, "advisor");
  changes.add({.kind = "vantages",
               .subject = "policy",
               .rank = ChangeClass::traffic,
               .before = vantages_text(from.vantages),
               .after = vantages_text(to.vantages)},
              policy_file, "vantages");
  changes.add({.kind = "mass-failure",
               .subject = "policy",
               .rank = ChangeClass::traffic,
               .before = mass_failure_text(from.mass_failure),
               .after = mass_failure_text(to.mass_failure)},
              policy_file, "leash/mass-failure");
  changes.add({.kind = "drill-due",
               .subject = "policy",
               .before = duration_text(from.drill_due),
               .after = duration_text(to.drill_due)},
              policy_file, "drill-due");
}

}  // namespace demarc::zones::diff
