// The count of endpoints that went down lately, against one made anew from all checks.
#include "zones/down_endpoints.h"

#include <map>
#include <optional>
#include <random>
#include <string>

#include <fmt/format.h>
#include <catch2/catch.hpp>

namespace demarc::zones {
namespace {

WallTime at(int second) { return WallTime(std::chrono::seconds(second)); }

/// The same question answered the long way.
struct Plain {
  struct Check {
    std::string endpoint;
    std::optional<WallTime> since;
  };
  [[nodiscard]] std::map<std::string, WallTime> down() const {
    std::map<std::string, WallTime> went;
    for (const auto& [key, check] : checks) {
      if (!check.since) continue;
      const auto [known, is_new] = went.emplace(check.endpoint, *check.since);
      if (!is_new) known->second = std::max(known->second, *check.since);
    }
    return went;
  }
  [[nodiscard]] std::size_t down_after(WallTime moment) const {
    std::size_t count = 0;
    for (const auto& [endpoint, since] : down()) count += since > moment ? 1 : 0;
    return count;
  }
  std::map<std::string, Check> checks;
};

}  // namespace

TEST_CASE("an endpoint is down since the last of its checks went", "[guard]") {
  DownEndpoints endpoints;
  endpoints.add("a/http", "a");
  endpoints.add("a/tcp", "a");
  endpoints.add("b/tcp", "b");
  CHECK(endpoints.known() == 2);
  CHECK(endpoints.down() == 0);

  endpoints.note("a/http", at(10));
  CHECK(endpoints.down_after(at(9)) == 1);
  CHECK(endpoints.down_after(at(10)) == 0);
  endpoints.note("a/tcp", at(20));
  CHECK(endpoints.down() == 1);
  CHECK(endpoints.down_after(at(10)) == 1);
  endpoints.note("b/tcp", at(20));
  CHECK(endpoints.down_after(at(10)) == 2);

  endpoints.note("a/tcp", std::nullopt);
  CHECK(endpoints.down() == 2);
  CHECK(endpoints.down_after(at(10)) == 1);
  endpoints.note("a/http", std::nullopt);
  CHECK(endpoints.down() == 1);
}

TEST_CASE("a check that nobody added moves nothing", "[guard]") {
  DownEndpoints endpoints;
  endpoints.add("a/tcp", "a");
  endpoints.note("other/tcp", at(1));
  CHECK(endpoints.known() == 1);
  CHECK(endpoints.down() == 0);
}

TEST_CASE("the count of endpoints is right after any verdicts", "[guard]") {
  std::mt19937 random(20261124);
  const auto below = [&](int limit) {
    return static_cast<int>(random() % static_cast<unsigned>(limit));
  };
  for (int round = 0; round < 20; ++round) {
    DownEndpoints endpoints;
    Plain plain;
    for (int check = 0; check < 30; ++check) {
      const std::string endpoint = fmt::format("e{}", below(8));
      const std::string key = fmt::format("{}/{}", endpoint, check);
      endpoints.add(key, endpoint);
      plain.checks[key].endpoint = endpoint;
    }
    for (int step = 0; step < 500; ++step) {
      auto& [key, check] = *std::next(plain.checks.begin(), below(30));
      check.since = below(3) == 0 ? std::nullopt : std::optional(at(below(40)));
      endpoints.note(key, check.since);
      const WallTime moment = at(below(40));
      REQUIRE(endpoints.down() == plain.down().size());
      REQUIRE(endpoints.down_after(moment) == plain.down_after(moment));
    }
  }
}

}  // namespace demarc::zones
