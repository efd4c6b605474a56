// Zones, their static RRsets, and the operator's own word about networks.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/diff/parts.h"
#include "zones/diff/text.h"
#include "zones/rdata.h"

namespace demarc::zones::diff {
namespace {

using RRsetKey = std::pair<Name, std::uint16_t>;

std::map<Name, const Zone*> zones_of(const Repository& repository) {
  std::map<Name, const Zone*> zones;
  for (const Zone& zone : repository.zones) zones.emplace(zone.apex, &zone);
  return zones;
}

std::map<RRsetKey, const RRset*> rrsets_of(const Zone& zone) {
  std::map<RRsetKey, const RRset*> rrsets;
  for (const RRset& rrset : zone.rrsets) rrsets.emplace(RRsetKey{rrset.owner, rrset.type}, &rrset);
  return rrsets;
}

std::string rrset_text(const RRset& rrset) {
  std::vector<std::string> texts;
  for (const Rdata& rdata : rrset.rdata) texts.push_back(rdata_text(rrset.type, rdata));
  std::ranges::sort(texts);
  return fmt::format("{} (ttl {})", fmt::join(texts, ", "), rrset.ttl);
}

/// Where a zone file may say it: by the owner's label relative to the apex, or "@".
std::string path_of(const Zone& zone, const RRset& rrset) {
  std::string owner = rrset.owner.text_without_dot();
  const std::string apex = zone.apex.text_without_dot();
  if (rrset.owner == zone.apex) {
    owner = "@";
  } else if (owner.size() > apex.size() + 1) {
    owner.resize(owner.size() - apex.size() - 1);
  }
  if (rrset.type == rrtype::soa) return "soa";
  if (owner == "@" && rrset.type == rrtype::ns) return "nameservers";
  return fmt::format("records/{}/{}", owner, type_to_text(rrset.type));
}

void diff_rrsets(Changes& changes, const Zone& from, const Zone& to) {
  const auto before = rrsets_of(from);
  const auto after = rrsets_of(to);
  std::map<RRsetKey, std::pair<const RRset*, const RRset*>> all;
  for (const auto& [key, rrset] : before) all[key].first = rrset;
  for (const auto& [key, rrset] : after) all[key].second = rrset;
  for (const auto& [key, both] : all) {
    const RRset& known = both.second == nullptr ? *both.first : *both.second;
    if (both.first != nullptr && both.second != nullptr && both.first->ttl == both.second->ttl &&
        both.first->rdata == both.second->rdata) {
      continue;
    }
    changes.add(
        {.kind = "rrset",
         .subject = fmt::format("{} {}", known.owner.text_without_dot(), type_to_text(known.type)),
         .rank = ChangeClass::traffic,
         .effect = ChangeEffect::touches,
         .before = both.first == nullptr ? "" : rrset_text(*both.first),
         .after = both.second == nullptr ? "" : rrset_text(*both.second),
         .zone = to.apex.text_without_dot()},
        both.second == nullptr ? from.file : to.file, path_of(to, known));
  }
}

std::string operator_names_text(const std::optional<OperatorNames>& names) {
  if (!names) return "";
  std::vector<std::string> networks, labels;
  for (const geo::Prefix& network : names->allow) networks.push_back(geo::to_text(network));
  if (names->geo) labels.emplace_back("geo");
  if (names->health) labels.emplace_back("health");
  if (names->gate) labels.emplace_back("gate");
  return fmt::format("{} for {}", fmt::join(labels, ", "), fmt::join(networks, ", "));
}

void diff_operator_names(Changes& changes, const Zone& from, const Zone& to) {
  changes.add({.kind = "operator-names",
               .subject = "operator names of zone " + to.apex.text_without_dot(),
               .rank = ChangeClass::traffic,
               .effect = ChangeEffect::touches,
               .before = operator_names_text(from.operator_names),
               .after = operator_names_text(to.operator_names),
               .zone = to.apex.text_without_dot()},
              to.operator_names ? to.file : from.file, "operator-names");
}

std::string zone_text(const Zone& zone) {
  return fmt::format("{} services, {} RRsets", zone.services.size(), zone.rrsets.size());
}

void diff_overrides(Changes& changes) {
  std::map<std::string, std::pair<std::string, std::string>> networks;
  for (const geo::Override& one : changes.from().overrides) {
    networks[geo::to_text(one.network)].first = location_text(one.location);
  }
  for (const geo::Override& one : changes.to().overrides) {
    networks[geo::to_text(one.network)].second = location_text(one.location);
  }
  // Where a client is decides what its home is, for services that say `home: client`.
  const bool is_law = std::ranges::any_of(changes.to().services, [](const Service& service) {
    return service.home_kind == HomeKind::client && service.residency != Residency::none;
  });
  for (auto& [network, texts] : networks) {
    changes.add({.kind = "network",
                 .subject = "network " + network,
                 .rank = is_law ? ChangeClass::legal : ChangeClass::traffic,
                 .effect = ChangeEffect::touches,
                 .before = std::move(texts.first),
                 .after = std::move(texts.second)},
                "networks.yaml", "");
  }
}

}  // namespace

void diff_zones(Changes& changes) {
  const auto before = zones_of(changes.from());
  const auto after = zones_of(changes.to());
  std::map<Name, std::pair<const Zone*, const Zone*>> all;
  for (const auto& [apex, zone] : before) all[apex].first = zone;
  for (const auto& [apex, zone] : after) all[apex].second = zone;
  for (const auto& [apex, both] : all) {
    if (both.first != nullptr && both.second != nullptr) {
      diff_rrsets(changes, *both.first, *both.second);
      diff_operator_names(changes, *both.first, *both.second);
      continue;
    }
    const Zone& known = both.first == nullptr ? *both.second : *both.first;
    changes.add({.kind = both.first == nullptr ? "zone-added" : "zone-removed",
                 .subject = "zone " + apex.text_without_dot(),
                 .rank = ChangeClass::traffic,
                 .effect = ChangeEffect::touches,
                 .before = both.first == nullptr ? "" : zone_text(*both.first),
                 .after = both.second == nullptr ? "" : zone_text(*both.second),
                 .zone = apex.text_without_dot()},
                known.file, "zone");
  }
  diff_overrides(changes);
}

}  // namespace demarc::zones::diff
