#include "zones/yaml/route_file.h"

namespace demarc::zones::yaml {
namespace {

constexpr std::size_t regions_in_line_max = 1000;

void read_regions(const Reading& reading, const Node& node, std::string_view what,
                  std::vector<TextAt>& regions) {
  read_one_or_list(reading, node, what, regions_in_line_max, [&](const Node& item) {
    auto region = read_identifier(reading, item, what);
    if (!region) return;
    for (const TextAt& earlier : regions) {
      if (earlier.value != region->value) continue;
      reading.error(item.at, "region-twice", "region `{}` again; expected it once in a list",
                    region->value);
      return;
    }
    regions.push_back(std::move(*region));
  });
}

/// What a line was found to have.
struct LineParts {
  std::size_t matches = 0;
  bool has_to = false;
  bool has_default = false;
};

/// Reads the values of one kind of match into the line.
template <typename MatchKind, typename Value, typename Read>
std::function<void(const Node&)> match_field(const Reading& reading, RouteLineEntry& line,
                                             LineParts& parts, std::string_view what,
                                             std::vector<Value> MatchKind::* values, Read read) {
  return [&reading, &line, &parts, what, values, read](const Node& node) {
    ++parts.matches;
    MatchKind match;
    read_one_or_list(reading, node, what, route_items_max, [&](const Node& item) {
      if (auto value = read(reading, item)) (match.*values).push_back(std::move(*value));
    });
    line.match = std::move(match);
  };
}

void check_parts(const Reading& reading, const RouteLineEntry& line, const LineParts& parts) {
  const bool is_good =
      parts.has_default ? parts.matches == 0 && !parts.has_to : parts.matches == 1 && parts.has_to;
  if (is_good) return;
  reading.error(line.at, "bad-route-line",
                "a route line with {} matches{}{}; expected one match and `to`, or `default` alone",
                parts.matches, parts.has_to ? " and `to`" : "",
                parts.has_default ? " and `default`" : "");
}

void read_line(const Reading& reading, const Node& node, std::vector<RouteLineEntry>& lines) {
  RouteLineEntry line;
  line.at = node.at;
  line.match = MatchAll{};
  LineParts parts;
  const bool is_map = read_map(
      reading, node, "route line",
      {{"network", Presence::optional,
        match_field(reading, line, parts, "network", &MatchNetwork::prefixes, read_network)},
       {"asn", Presence::optional,
        match_field(reading, line, parts, "asn", &MatchAsn::asns, read_asn)},
       {"subdivision", Presence::optional,
        match_field(reading, line, parts, "subdivision", &MatchSubdivision::subdivisions,
                    read_subdivision)},
       {"country", Presence::optional,
        match_field(reading, line, parts, "country", &MatchCountry::countries, read_country)},
       {"continent", Presence::optional,
        match_field(reading, line, parts, "continent", &MatchContinent::continents,
                    read_continent)},
       {"jurisdiction", Presence::optional,
        [&](const Node& value) {
          ++parts.matches;
          read_one_or_list(reading, value, "jurisdiction", route_items_max, [&](const Node& item) {
            if (auto name = read_identifier(reading, item, "jurisdiction")) {
              line.jurisdictions.push_back(std::move(*name));
            }
          });
        }},
       {"to", Presence::optional,
        [&](const Node& value) {
          parts.has_to = true;
          read_regions(reading, value, "to", line.to);
        }},
       {"default", Presence::optional, [&](const Node& value) {
          parts.has_default = true;
          read_regions(reading, value, "default", line.to);
        }}});
  if (!is_map) return;
  check_parts(reading, line, parts);
  lines.push_back(std::move(line));
}

bool is_default(const RouteLineEntry& line) {
  return std::holds_alternative<MatchAll>(line.match) && line.jurisdictions.empty();
}

void read_lines(const Reading& reading, const Node& node, RouteEntry& route) {
  route.kind = RouteKind::lines;
  const bool is_read = read_list(reading, node, "route", route_lines_max,
                                 [&](const Node& item) { read_line(reading, item, route.lines); });
  if (!is_read || route.lines.size() != node.items.size()) return;
  for (std::size_t i = 0; i + 1 < route.lines.size(); ++i) {
    const bool is_written_so = node.items[i].keys.size() == 1;  // else check_parts has said more
    if (is_default(route.lines[i]) && is_written_so) {
      reading.error(route.lines[i].at, "default-not-last",
                    "`default` before the last line; expected it as the last one");
    }
  }
  if (!is_default(route.lines.back())) {
    reading.error(route.lines.back().at, "default-missing",
                  "the last route line is no `default`; expected {{ default: [REGION, ...] }}, "
                  "where unknown clients end");
  }
}

void read_nearest(const Reading& reading, const Node& node, RouteEntry& route) {
  route.kind = RouteKind::nearest;
  read_map(reading, node, "route",
           {{"nearest", Presence::required,
             [&](const Node& value) { read_regions(reading, value, "nearest", route.nearest); }},
            {"limit", Presence::optional, [&](const Node& value) {
               assign(route.limit, read_integer(reading, value, "limit", {1, regions_in_line_max}));
             }}});
}

}  // namespace

RouteEntry read_route(const Reading& reading, const Node& node) {
  RouteEntry route;
  route.at = node.at;
  if (node.kind == NodeKind::scalar && node.text == "nearest") {
    route.kind = RouteKind::nearest;
    route.nearest_of_all = true;
  } else if (node.kind == NodeKind::list) {
    read_lines(reading, node, route);
  } else if (node.kind == NodeKind::map) {
    read_nearest(reading, node, route);
  } else {
    reading.error(
        node.at, "bad-route",
        "route is {}; expected `nearest`, {{ nearest: [REGION, ...] }} or a list of lines",
        node.kind == NodeKind::scalar ? fmt::format("`{}`", node.text) : "nothing");
  }
  return route;
}

}  // namespace demarc::zones::yaml
