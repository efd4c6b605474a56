// Times in files and logs (RFC 3339), as people and others write them.
#include "zones/time_text.h"

#include <catch2/catch.hpp>

namespace demarc::zones {
namespace {

TEST_CASE("time text: what is written is read again", "[zones][time]") {
  for (const char* const text :
       {"1970-01-01T00:00:00.000Z", "2026-11-23T06:00:00.001Z", "2024-02-29T23:59:59.999Z"}) {
    const auto time = parse_rfc3339(text);
    REQUIRE(time);
    CHECK(to_rfc3339(*time) == text);
  }
  CHECK(parse_rfc3339("2026-11-23T06:00:00Z") == parse_rfc3339("2026-11-23T06:00:00.000Z"));
  CHECK(parse_rfc3339("2026-11-23T06:00:00.5Z") == parse_rfc3339("2026-11-23T06:00:00.500Z"));
}

TEST_CASE("time text: nothing else is a time", "[zones][time]") {
  const std::string ones(5000, '1');
  for (const std::string& text :
       {std::string(), std::string("Z"), std::string("2026-11-23T06:00:00"),
        std::string("2026-11-23 06:00:00Z"), std::string("2026-02-29T06:00:00Z"),
        std::string("2026-13-01T06:00:00Z"), std::string("2026-11-23T24:00:00Z"),
        std::string("2026-11-23T06:60:00Z"), std::string("2026-11-23T06:00:60Z"),
        std::string("2026-11-23T06:00:00.Z"), std::string("2026-11-23T06:00:00.0000Z"),
        std::string("2026-11-23T06:00:00,5Z"), std::string("2026-11-23T06:00:00.-5Z"),
        std::string("2026-11-23T06:00:00+1Z"), "2026-11-23T06:00:00." + ones + "Z",
        "2026-11-23T06:00:00" + ones + "Z", "2026-11-23T03:36:" + ones + "49.385Z"}) {
    CAPTURE(text.substr(0, 60));
    CHECK_FALSE(parse_rfc3339(text));
  }
}

}  // namespace
}  // namespace demarc::zones
