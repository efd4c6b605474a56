#include "zones/view.h"

#include <algorithm>
#include <set>
#include <string>

#include <fmt/format.h>

#include "geo/countries.h"

namespace demarc::zones {
namespace {

bool holds(std::span<const geo::Prefix> marks, std::uint32_t mark,
           const std::vector<geo::Prefix>& prefixes) {
  // The mark is the longest listed network around the client, so a listed prefix holds the client
  // exactly if it holds the mark.
  if (mark == geo::no_network_mark || mark >= marks.size()) return false;
  return std::ranges::any_of(
      prefixes, [&](const geo::Prefix& prefix) { return prefix.contains(marks[mark]); });
}

struct Matcher {
  const Policy& policy;
  const geo::Location& location;
  std::span<const geo::Prefix> marks;

  bool operator()(const MatchNetwork& match) const {
    return holds(marks, location.network_mark, match.prefixes);
  }
  bool operator()(const MatchAsn& match) const {
    return location.asn != 0 && std::ranges::count(match.asns, location.asn) != 0;
  }
  bool operator()(const MatchSubdivision& match) const {
    return !location.subdivision.empty() &&
           std::ranges::count(match.subdivisions, location.subdivision) != 0;
  }
  bool operator()(const MatchCountry& match) const {
    return location.country.known() && std::ranges::count(match.countries, location.country) != 0;
  }
  bool operator()(const MatchContinent& match) const {
    geo::Code2 continent = location.continent;
    if (!continent.known()) {
      if (const auto* country = geo::find_country(location.country)) continent = country->continent;
    }
    return continent.known() && std::ranges::count(match.continents, continent) != 0;
  }
  bool operator()(const MatchJurisdiction& match) const {
    const auto jurisdiction = policy.jurisdiction_of(location.country);
    return jurisdiction && std::ranges::count(match.jurisdictions, *jurisdiction) != 0;
  }
  bool operator()(const MatchAll&) const { return true; }
};

std::vector<RegionId> nearest_regions(const Policy& policy, const RouteNearest& route,
                                      const geo::Location& location) {
  std::vector<RegionId> order = route.regions;
  auto here = location.coordinates;
  if (!here) {
    if (const auto* country = geo::find_country(location.country)) here = country->centroid;
  }
  if (here) {
    std::ranges::stable_sort(order, {}, [&](RegionId region) {
      return geo::distance_km(*here, policy.region(region).location);
    });
  }
  if (route.limit && order.size() > *route.limit) order.resize(*route.limit);
  return order;
}

/// Equal text for routes that say the same; places do not count.
std::string canonical(const Service& service) {
  std::string key;
  const auto regions = [&](const std::vector<RegionId>& list) {
    for (const RegionId region : list) key += fmt::format(">{}", index_of(region));
  };
  const auto list = [&](char kind, const auto& values, const auto& text) {
    key += kind;
    for (const auto& value : values) key += fmt::format(" {}", text(value));
  };
  const auto same = [](const auto& value) { return value; };
  const auto code = [](const geo::Code2& value) { return value.text(); };
  if (const auto* lines = std::get_if<RouteLines>(&service.route)) {
    for (const RouteLine& line : lines->lines) {
      key += '|';
      if (const auto* m = std::get_if<MatchNetwork>(&line.match)) {
        list('n', m->prefixes, [](const geo::Prefix& p) { return to_text(p); });
      } else if (const auto* asn = std::get_if<MatchAsn>(&line.match)) {
        list('a', asn->asns, same);
      } else if (const auto* subdivision = std::get_if<MatchSubdivision>(&line.match)) {
        list('s', subdivision->subdivisions, same);
      } else if (const auto* country = std::get_if<MatchCountry>(&line.match)) {
        list('c', country->countries, code);
      } else if (const auto* continent = std::get_if<MatchContinent>(&line.match)) {
        list('t', continent->continents, code);
      } else if (const auto* jurisdiction = std::get_if<MatchJurisdiction>(&line.match)) {
        list('j', jurisdiction->jurisdictions, [](JurisdictionId id) { return index_of(id); });
      } else {
        key += '*';
      }
      regions(line.to);
    }
  } else if (const auto* nearest = std::get_if<RouteNearest>(&service.route)) {
    key += fmt::format("nearest {}", nearest->limit.value_or(0));
    regions(nearest->regions);
  }
  if (service.home_kind == HomeKind::client) {
    key += service.home ? fmt::format("/client {}", index_of(*service.home)) : "/client";
  }
  return key;
}

/// Whether a route and home tell no clients apart at all: as those of hundreds of tenant classes,
/// which must not cost anything for each of a million networks.
bool is_same_for_all(const Service& service) {
  if (service.home_kind == HomeKind::client) return false;
  const auto* lines = std::get_if<RouteLines>(&service.route);
  return std::holds_alternative<RouteWeighted>(service.route) ||
         (lines != nullptr && !lines->lines.empty() &&
          std::holds_alternative<MatchAll>(lines->lines.front().match));
}

}  // namespace

Variant evaluate_route(const Policy& policy, const Service& service, const geo::Location& location,
                       std::span<const geo::Prefix> marks) {
  Variant variant;
  if (const auto* lines = std::get_if<RouteLines>(&service.route)) {
    const Matcher matcher{policy, location, marks};
    const auto line = std::ranges::find_if(
        lines->lines, [&](const RouteLine& l) { return std::visit(matcher, l.match); });
    if (line != lines->lines.end()) variant.order = line->to;
  } else if (const auto* nearest = std::get_if<RouteNearest>(&service.route)) {
    variant.order = nearest_regions(policy, *nearest, location);
  } else {
    variant.weighted = true;
  }
  if (service.home_kind == HomeKind::client) {
    variant.home = policy.jurisdiction_of(location.country);
    if (!variant.home) variant.home = service.home;
  }
  return variant;
}

Views::Views(Repository& repository) : repository_(&repository) {
  std::map<std::string, ViewId> ids;
  std::set<geo::Prefix> marks;
  for (std::size_t i = 0; i < repository.services.size(); ++i) {
    Service& service = repository.services[i];
    const auto [known, is_new] =
        ids.try_emplace(canonical(service), ViewId{static_cast<std::uint32_t>(views_.size())});
    if (is_new) {
      views_.push_back({.example = ServiceId{static_cast<std::uint32_t>(i)},
                        .is_same_for_all = is_same_for_all(service)});
    }
    service.view = known->second;
    if (const auto* lines = std::get_if<RouteLines>(&service.route)) {
      for (const RouteLine& line : lines->lines) {
        if (const auto* match = std::get_if<MatchNetwork>(&line.match)) {
          marks.insert(match->prefixes.begin(), match->prefixes.end());
        }
      }
    }
  }
  marks_.assign(marks.begin(), marks.end());
  for (View& view : views_) {
    if (!view.is_same_for_all) continue;
    view.variants.push_back(
        evaluate_route(repository.policy, repository.service(view.example), {}, marks_));
  }
}

std::optional<geo::ClassId> Views::classify(const geo::Location& location) {
  std::vector<VariantId> row;
  row.reserve(views_.size());
  for (View& view : views_) {
    if (view.is_same_for_all) continue;
    Variant variant =
        evaluate_route(repository_->policy, repository_->service(view.example), location, marks_);
    const auto next = static_cast<VariantId>(view.variants.size());
    const auto [known, is_new] = view.ids.try_emplace(std::move(variant), next);
    if (is_new) view.variants.push_back(known->first);
    row.push_back(known->second);
  }
  if (classes_.size() == geo::class_count_max && !classes_.contains(row)) return std::nullopt;
  const auto next = static_cast<geo::ClassId>(classes_.size());
  const auto [known, is_new] = classes_.try_emplace(std::move(row), next);
  if (is_new) {
    std::size_t at = 0;
    for (View& view : views_) {
      view.variant_of_class.push_back(view.is_same_for_all ? VariantId{0} : known->first[at++]);
    }
    class_count_ = classes_.size();
  }
  return known->second;
}

bool Views::needs_geo() const noexcept {
  return std::ranges::any_of(views_, [&](const View& view) {
    const Service& service = repository_->services[index_of(view.example)];
    if (service.home_kind == HomeKind::client) return true;
    if (const auto* nearest = std::get_if<RouteNearest>(&service.route)) {
      return nearest->regions.size() > 1;
    }
    const auto* lines = std::get_if<RouteLines>(&service.route);
    return lines != nullptr && std::ranges::any_of(lines->lines, [](const RouteLine& line) {
             return !std::holds_alternative<MatchAll>(line.match) &&
                    !std::holds_alternative<MatchNetwork>(line.match);
           });
  });
}

std::span<const Variant> Views::variants(ViewId view) const {
  return views_.at(index_of(view)).variants;
}

const std::vector<VariantId>& Views::variant_of_class(ViewId view) const {
  return views_.at(index_of(view)).variant_of_class;
}

}  // namespace demarc::zones
