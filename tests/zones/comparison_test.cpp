#include "zones/comparison.h"

#include <limits>

#include <catch2/catch.hpp>

using namespace demarc::zones;

TEST_CASE("comparison: what holds", "[zones][comparison]") {
  const auto [text, value, expected] = GENERATE(table<const char*, double, bool>({
      {"< 0.05", 0.049, true},
      {"< 0.05", 0.05, false},
      {"<= 0.05", 0.05, true},
      {"> 0", 0, false},
      {">0", 1e-9, true},
      {">= -1.5", -1.5, true},
      {"> 2e-3", 0.0021, true},
      {"< 1", std::numeric_limits<double>::quiet_NaN(), false},
      {">= 1", std::numeric_limits<double>::quiet_NaN(), false},
  }));
  CAPTURE(text, value);
  const auto comparison = parse_comparison(text);
  REQUIRE(comparison);
  CHECK(comparison->holds(value) == expected);
}

TEST_CASE("comparison: what is none", "[zones][comparison]") {
  const std::string_view text = GENERATE("", "<", "< ", "< x", "< 1x", "0.05", "= 1", "<> 1",
                                         "< NaN", "> inf", "< 1e999", "< 1 2", "<\t1");
  CAPTURE(text);
  CHECK_FALSE(parse_comparison(text));
}
