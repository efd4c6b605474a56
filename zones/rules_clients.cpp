#include "zones/rules_clients.h"

#include <set>

#include <fmt/format.h>

#include "geo/countries.h"

namespace demarc::zones {
namespace {

geo::Location location_in(const geo::Country& country) {
  geo::Location location;
  location.country = country.code;
  location.continent = country.continent;
  location.coordinates = country.centroid;
  return location;
}

struct NamedInRoutes {
  std::set<std::string> subdivisions;
  std::set<std::uint32_t> asns;
};

NamedInRoutes collect_named(const Repository& repository) {
  NamedInRoutes named;
  for (const Service& service : repository.services) {
    const auto* route = std::get_if<RouteLines>(&service.route);
    if (route == nullptr || service.residency != Residency::hard) continue;
    for (const RouteLine& line : route->lines) {
      if (const auto* asn = std::get_if<MatchAsn>(&line.match)) {
        named.asns.insert(asn->asns.begin(), asn->asns.end());
      } else if (const auto* match = std::get_if<MatchSubdivision>(&line.match)) {
        named.subdivisions.insert(match->subdivisions.begin(), match->subdivisions.end());
      }
    }
  }
  return named;
}

void add_named(const NamedInRoutes& named, std::vector<ClientClass>& clients) {
  for (const std::string& subdivision : named.subdivisions) {
    const auto code = geo::parse_code2(std::string_view(subdivision).substr(0, 2));
    const geo::Country* country = code ? geo::find_country(*code) : nullptr;
    if (country == nullptr) continue;
    geo::Location location = location_in(*country);
    location.subdivision = subdivision;
    clients.push_back(
        {.location = location, .text = "in " + subdivision, .is_country_known = true});
  }
  for (const std::uint32_t asn : named.asns) {
    geo::Location location;
    location.asn = asn;
    clients.push_back({.location = location, .text = fmt::format("of AS{}", asn)});
  }
}

}  // namespace

std::vector<ClientClass> build_clients(const Repository& repository,
                                       std::span<const geo::Prefix> marks) {
  std::vector<ClientClass> clients;
  for (const geo::Country& country : geo::countries()) {
    clients.push_back({.location = location_in(country),
                       .text = fmt::format("in {}", country.code.text()),
                       .is_country_known = true});
  }
  clients.push_back({.location = {}, .text = "of no known country", .is_country_known = true});
  add_named(collect_named(repository), clients);
  for (std::size_t i = 0; i < marks.size(); ++i) {
    geo::Location location;
    location.network_mark = static_cast<std::uint32_t>(i);
    clients.push_back({.location = location, .text = "in " + geo::to_text(marks[i])});
  }
  for (const Region& region : repository.policy.regions) {
    geo::Location location;
    location.coordinates = region.location;
    clients.push_back({.location = location,
                       .text = fmt::format("beside region {}", region.name),
                       .is_beside_region = true});
  }
  return clients;
}

}  // namespace demarc::zones
