#include "zones/yaml/networks_file.h"

#include <map>

#include "geo/countries.h"

namespace demarc::zones::yaml {
namespace {

struct Line {
  std::vector<At<geo::Prefix>> networks;
  geo::Location location;
};

std::optional<Line> read_line(const Reading& reading, const Node& node) {
  Line line;
  const auto add_network = [&](const Node& item) {
    if (const auto prefix = read_network(reading, item))
      line.networks.push_back({*prefix, item.at});
  };
  geo::Location& location = line.location;
  const bool is_map = read_map(
      reading, node, "network line",
      {{"network", Presence::required,
        [&](const Node& value) {
          read_one_or_list(reading, value, "network", networks_per_line_max, add_network);
        }},
       {"country", Presence::optional,
        [&](const Node& value) { assign(location.country, read_country(reading, value)); }},
       {"subdivision", Presence::optional,
        [&](const Node& value) { assign(location.subdivision, read_subdivision(reading, value)); }},
       {"continent", Presence::optional,
        [&](const Node& value) { assign(location.continent, read_continent(reading, value)); }},
       {"asn", Presence::optional,
        [&](const Node& value) { assign(location.asn, read_asn(reading, value)); }},
       {"location", Presence::optional, [&](const Node& value) {
          assign(location.coordinates, read_coordinates(reading, value));
        }}});
  if (!is_map) return std::nullopt;
  if (node.keys.size() == 1 && !line.networks.empty()) {
    reading.error(node.at, "network-says-nothing",
                  "a network line with nothing but its network; expected country, subdivision, "
                  "continent, asn or location");
  }
  return line;
}

/// Fills in what follows from what was written, and checks that it agrees.
void complete(const Reading& reading, Position at, geo::Location& location) {
  const std::string subdivision_country = location.subdivision.substr(0, 2);
  if (!location.subdivision.empty() && location.country.known() &&
      subdivision_country != location.country.text()) {
    reading.error(at, "subdivision-elsewhere",
                  "subdivision `{}` in country `{}`; expected one of that country",
                  location.subdivision, location.country.text());
  }
  if (!location.subdivision.empty() && !location.country.known()) {
    location.country = geo::parse_code2(subdivision_country).value_or(geo::Code2{});
  }
  const geo::Country* country = geo::find_country(location.country);
  if (country != nullptr && !location.continent.known()) location.continent = country->continent;
}

}  // namespace

std::vector<geo::Override> read_networks_file(const Reading& reading, const Node& root) {
  std::vector<geo::Override> overrides;
  if (root.kind == NodeKind::null) return overrides;
  std::map<geo::Prefix, std::size_t> seen;  // network -> line
  const auto add_line = [&](const Node& node) {
    auto line = read_line(reading, node);
    if (!line) return;
    complete(reading, node.at, line->location);
    for (const auto& [prefix, at] : line->networks) {
      const auto [first, is_new] = seen.try_emplace(prefix, at.line);
      if (is_new) {
        overrides.push_back({prefix, line->location});
      } else {
        reading.error(at, "network-twice", "network {} again, first in line {}; expected it once",
                      geo::to_text(prefix), first->second);
      }
    }
  };
  read_list(reading, root, "networks.yaml", override_lines_max, add_line);
  return overrides;
}

}  // namespace demarc::zones::yaml
