#include "geo/location.h"

#include <catch2/catch.hpp>

#include "geo/countries.h"

namespace demarc::geo {
namespace {

Location place(const char* country, const char* subdivision = "") {
  Location location;
  location.country = parse_code2(country).value_or(Code2{});
  location.subdivision = subdivision;
  return completed(location);
}

TEST_CASE("code: two ASCII letters, in upper case", "[geo][location]") {
  CHECK(parse_code2("de")->text() == "DE");
  CHECK(parse_code2("NO")->text() == "NO");
  for (const char* text : {"", "D", "DEU", "D1", "??", "\xc3\x84"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_code2(text));
  }
  CHECK(Code2{}.text().empty());
}

TEST_CASE("distance: along the great circle", "[geo][location]") {
  const Coordinates frankfurt{50.11, 8.68};
  const Coordinates ashburn{38.95, -77.45};
  CHECK(distance_km(frankfurt, frankfurt) == 0);
  CHECK(distance_km(frankfurt, ashburn) == Approx(6'537).margin(20));
  CHECK(distance_km(frankfurt, ashburn) == Approx(distance_km(ashburn, frankfurt)));
  CHECK(distance_km({0, 179.5}, {0, -179.5}) == Approx(111.2).margin(0.1));  // over the date line
  CHECK(distance_km({0, 0}, {0, 180}) == Approx(20'015).margin(1));          // the far side
  CHECK(distance_km({90, 0}, {-90, 77}) == Approx(20'015).margin(1));
}

TEST_CASE("location: what follows from the rest is filled in", "[geo][location]") {
  CHECK(place("DE").continent.text() == "EU");
  CHECK(place("", "US-CA").country.text() == "US");
  CHECK(place("", "US-CA").continent.text() == "NA");
  CHECK(place("DE", "DE-BY").subdivision == "DE-BY");
  CHECK(place("DE", "US-CA").subdivision.empty());  // contradictory: the country is believed
  CHECK(place("") == Location{});

  Location cyprus;
  cyprus.country = *parse_code2("CY");
  cyprus.continent = *parse_code2("AS");
  CHECK(completed(cyprus).continent.text() == "AS");  // what a source says itself stays
}

TEST_CASE("location: a loser fills what the winner does not know", "[geo][location]") {
  Location winner = place("DE");
  Location loser = place("DE", "DE-BY");
  loser.asn = 64'500;
  loser.registered_country = *parse_code2("US");
  loser.coordinates = Coordinates{48.1, 11.6};

  const Location both = merged(winner, loser);
  CHECK(both.subdivision == "DE-BY");
  CHECK(both.asn == 64'500);
  CHECK(both.registered_country.text() == "US");
  CHECK(both.coordinates == Coordinates{48.1, 11.6});
  CHECK(merged(Location{}, loser) == loser);
  CHECK(merged(loser, Location{}) == loser);

  winner.asn = 64'501;
  CHECK(merged(winner, loser).asn == 64'501);
}

TEST_CASE("location: the place of another country is not taken", "[geo][location]") {
  Location loser = place("US", "US-CA");
  loser.asn = 64'500;
  loser.coordinates = Coordinates{37, -122};
  const Location result = merged(place("DE"), loser);
  CHECK(result.country.text() == "DE");
  CHECK(result.continent.text() == "EU");
  CHECK(result.subdivision.empty());
  CHECK_FALSE(result.coordinates);
  CHECK(result.asn == 64'500);
}

TEST_CASE("countries: every ISO 3166-1 code and XK, on one of seven continents",
          "[geo][countries]") {
  CHECK(countries().size() == 250);
  for (const Country& country : countries()) {
    CAPTURE(country.code.text());
    CHECK(is_continent(country.continent));
    CHECK(find_country(country.code) == &country);
    CHECK(std::abs(country.centroid.latitude) <= 90);
    CHECK(std::abs(country.centroid.longitude) <= 180);
  }
  for (const char* code : {"EU", "UK", "AA", "ZZ", "AP"}) {
    CAPTURE(code);
    CHECK(find_country(*parse_code2(code)) == nullptr);
  }
  CHECK(find_country(Code2{}) == nullptr);
  CHECK_FALSE(is_continent(Code2{}));
  CHECK_FALSE(is_continent(*parse_code2("DE")));
}

TEST_CASE("countries: continents are those of GeoIP, not of the Union", "[geo][countries]") {
  const auto continent = [](const char* code) {
    return find_country(*parse_code2(code))->continent.text();
  };
  CHECK(continent("GB") == "EU");
  CHECK(continent("RU") == "EU");
  CHECK(continent("CY") == "EU");
  CHECK(continent("TR") == "AS");
  CHECK(continent("EG") == "AF");
  CHECK(continent("MX") == "NA");
  CHECK(continent("BR") == "SA");
  CHECK(continent("AQ") == "AN");
  CHECK(continent("NZ") == "OC");
}

}  // namespace
}  // namespace demarc::geo
