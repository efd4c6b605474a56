#include "zones/view.h"

#include <catch2/catch.hpp>

#include "tests/zones/world.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

Service routed(Route route) {
  Service made = service("www", Residency::none, {record(eu, 1, "w.eu.example.net")});
  made.route = std::move(route);
  return made;
}

std::vector<RegionId> order(const Service& made, const geo::Location& location,
                            std::vector<geo::Prefix> marks = {}) {
  return evaluate_route(small_policy(), made, location, marks).order;
}

}  // namespace

TEST_CASE("view: the first line that matches gives the regions", "[zones][view]") {
  const geo::Prefix lab = *geo::parse_prefix("203.0.113.0/24");
  const geo::Prefix inside = *geo::parse_prefix("203.0.113.128/25");
  const Service made = routed(RouteLines{{
      RouteLine{MatchNetwork{{lab}}, {eu2}, {}},
      RouteLine{MatchAsn{{64500}}, {us}, {}},
      RouteLine{MatchSubdivision{{"US-CA"}}, {us, ch}, {}},
      RouteLine{MatchCountry{{code("DE")}}, {eu, ch}, {}},
      RouteLine{MatchJurisdiction{{EU}}, {eu, eu2}, {}},
      RouteLine{MatchContinent{{code("EU")}}, {ch}, {}},
      RouteLine{MatchAll{}, {us, eu}, {}},
  }});
  using Regions = std::vector<RegionId>;
  geo::Location german = in("DE");
  CHECK(order(made, german) == Regions{eu, ch});
  CHECK(order(made, in("FR")) == Regions{eu, eu2});  // our own list
  CHECK(order(made, in("GB")) == Regions{ch});       // GeoIP's continent, by the country
  CHECK(order(made, in("JP")) == Regions{us, eu});
  CHECK(order(made, geo::Location{}) == Regions{us, eu});
  german.asn = 64500;
  CHECK(order(made, german) == Regions{us});
  german.network_mark = 1;  // a longer listed network inside the lab
  CHECK(order(made, german, {lab, inside}) == Regions{eu2});
  german.network_mark = 0;
  CHECK(order(made, german, {*geo::parse_prefix("198.51.100.0/24"), lab}) == Regions{us});
  geo::Location californian = in("US");
  californian.subdivision = "US-CA";
  CHECK(order(made, californian) == Regions{us, ch});
}

TEST_CASE("view: nearest sorts by distance, ties by the order written", "[zones][view]") {
  const Service made = routed(RouteNearest{{us, ch, eu}, {}});
  using Regions = std::vector<RegionId>;
  CHECK(order(made, in("DE")) == Regions{eu, ch, us});
  CHECK(order(made, in("US")) == Regions{us, eu, ch});
  CHECK(order(made, geo::Location{}) == Regions{us, ch, eu});  // nowhere: as written
  geo::Location zurich = in("DE");
  zurich.coordinates = geo::Coordinates{47.4, 8.5};  // the network's own place wins
  CHECK(order(made, zurich).front() == ch);
  CHECK(order(routed(RouteNearest{{us, ch, eu}, 1}), in("DE")) == Regions{eu});
}

TEST_CASE("view: equal routes share a view, a class has one variant of each", "[zones][view]") {
  Repository repository =
      repository_of({routed(RouteNearest{{us, eu}, {}}), routed(RouteNearest{{us, eu}, {}}),
                     routed(RouteNearest{{eu, us}, {}}), seed_service()});
  Views views(repository);
  CHECK(views.view_count() == 3);
  CHECK(repository.services[0].view == repository.services[1].view);
  CHECK(repository.services[0].view != repository.services[2].view);
  CHECK(views.needs_geo());

  const auto unknown = views.classify(geo::Location{});
  const auto german = views.classify(in("DE"));
  const auto french = views.classify(in("FR"));
  CHECK(unknown == geo::ClassId{0});
  CHECK(german == french);
  CHECK(german != unknown);
  for (std::size_t i = 0; i < views.view_count(); ++i) {
    CHECK(views.variant_of_class(ViewId{static_cast<std::uint32_t>(i)}).size() ==
          views.class_count());
  }
}

TEST_CASE("view: a service without route needs no database", "[zones][view]") {
  Repository repository = repository_of({seed_service()});
  CHECK_FALSE(Views(repository).needs_geo());
}
