// Zones, their static RRsets, and the operator's own word about networks.
#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/diff/parts.h"
#include "zones/diff/text.h"
#include "zones/rdata.h"

namespace demarc::zones::diff {
namespace {

std::map<Name, const Zone*> zones_of(const Repository& repository) {
  std::map<Name, const Zone*> zones;
  for (const Zone& zone : repository.zones) zones.emplace(zone.apex, &zone);
  return zones;
}

std::string rrset_text(const RRset& rrset) {
  std::vector<std::string> texts;
  for (const std::string_view rdata : rrset.rdata()) texts.push_back(rdata_text(rrset.type, rdata));
  std::ranges::sort(texts);
  return fmt::format("{} (ttl {})", fmt::join(texts, ", "), rrset.ttl);
}

/// Where a zone file may say it: by the owner's label relative to the apex, or "@".
std::string path_of(const Zone& zone, const RRset& rrset) {
  const Name at = rrset.owner();
  std::string owner = at.text_without_dot();
  const std::string apex = zone.apex.text_without_dot();
  if (at == zone.apex) {
    owner = "@";
  } else if (owner.size() > apex.size() + 1) {
    owner.resize(owner.size() - apex.size() - 1);
  }
  if (rrset.type == rrtype::soa) return "soa";
  if (owner == "@" && rrset.type == rrtype::ns) return "nameservers";
  return fmt::format("records/{}/{}", owner, type_to_text(rrset.type));
}

/// Of two zones with one apex: one RRset of both, or of one of them.
struct RRsetPair {
  std::optional<RRset> before;
  std::optional<RRset> after;

  [[nodiscard]] bool is_same() const {
    return before && after && before->ttl == after->ttl &&
           std::ranges::equal(before->rdata(), after->rdata());
  }
};

/// Both have their RRsets in the same order, so one pass over the two finds what belongs together.
template <typename Use>
void for_each_pair(const RRsets& before, const RRsets& after, Use use) {
  const auto key = [](const RRset& rrset) { return std::pair(rrset.labels(), rrset.type); };
  auto left = before.begin();
  auto right = after.begin();
  while (left != before.end() || right != after.end()) {
    RRsetPair pair;
    if (left != before.end() && (right == after.end() || key(*left) <= key(*right))) {
      pair.before = *left;
    }
    if (right != after.end() && (left == before.end() || key(*right) <= key(*left))) {
      pair.after = *right;
    }
    if (pair.before) ++left;
    if (pair.after) ++right;
    use(pair);
  }
}

void diff_rrsets(Changes& changes, const Zone& from, const Zone& to) {
  for_each_pair(from.rrsets, to.rrsets, [&](const RRsetPair& pair) {
    if (pair.is_same()) return;
    const RRset& known = pair.after ? *pair.after : *pair.before;
    changes.add({.kind = "rrset",
                 .subject = fmt::format("{} {}", known.owner().text_without_dot(),
                                        type_to_text(known.type)),
                 .rank = ChangeClass::traffic,
                 .effect = ChangeEffect::touches,
                 .before = pair.before ? rrset_text(*pair.before) : "",
                 .after = pair.after ? rrset_text(*pair.after) : "",
                 .zone = to.apex.text_without_dot()},
                pair.after ? to.file : from.file, path_of(to, known));
  });
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
  return fmt::format("{} services, {} RRsets", zone.services.size(), zone.rrsets.count());
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
