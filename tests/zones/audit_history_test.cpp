#include "zones/audit/history.h"

#include <algorithm>

#include <catch2/catch.hpp>

using namespace demarc;
using namespace demarc::zones;

namespace {

const WallTime begin{std::chrono::hours(490'000)};
WallTime at(int minute) { return begin + std::chrono::minutes(minute); }

using Facts = std::vector<std::pair<std::string, std::string>>;
ParsedEntry told(int minute, std::string kind, Facts facts = {}) {
  static std::uint64_t sequence = 0;
  return {{at(minute), std::move(kind), "EU", std::move(facts)}, {sequence++, "ns1", {}}, {}};
}

std::vector<Interval> story(int from, int to, const std::string& tenant = "") {
  History history("api.example.com", tenant, at(from), at(to));
  const std::pair<std::string, std::string> api{"service", "api.example.com"};
  history.add(told(0, "start"));
  history.add(told(1, "configuration-loaded"));
  history.add(told(1, "service-loaded", {api, {"residency", "hard"}, {"home", "EU"}}));
  history.add(
      told(3, "crossing-made", {{"service", "other.example.com"}, {"crossing", "g0 to us"}}));
  history.add(told(5, "grant-accepted",
                   {api, {"grant", "g1"}, {"signature-t", "person anna role legal case C-1"}}));
  history.add(told(6, "crossing-made", {api, {"crossing", "g1 to us for tenant acme"}}));
  history.add(told(9, "crossing-ended", {api, {"crossing", "g1 to us for tenant acme"}}));
  history.add(told(20, "stop"));
  return history.finish();
}

bool ever(const std::vector<Interval>& intervals) {
  return std::ranges::any_of(intervals, &Interval::is_outside);
}

}  // namespace

TEST_CASE("history: a crossing shows in exactly the times it touches", "[zones][audit][history]") {
  CHECK(ever(story(0, 30)));
  CHECK(ever(story(7, 8)));
  CHECK_FALSE(ever(story(1, 6)));
  CHECK_FALSE(ever(story(10, 30)));
}

TEST_CASE("history: intervals have no gaps, and say who signed", "[zones][audit][history]") {
  const auto intervals = story(0, 30);
  REQUIRE(intervals.size() == 5);
  CHECK(intervals.front().from == at(0));
  CHECK(intervals.back().to == at(30));
  for (std::size_t i = 1; i < intervals.size(); ++i) {
    CHECK(intervals[i].from == intervals[i - 1].to);
  }
  CHECK(intervals[2].is_outside);
  CHECK(intervals[2].what.find("anna") != std::string::npos);
  CHECK(intervals.back().is_unknown);
}

TEST_CASE("history: after the trail's last entry nothing is claimed of a server that may be gone",
          "[zones][audit][history]") {
  History history("api.example.com", "", at(0), at(30));
  const std::pair<std::string, std::string> api{"service", "api.example.com"};
  history.add(told(0, "start"));
  history.add(told(1, "configuration-loaded"));
  history.add(told(1, "service-loaded", {api, {"residency", "hard"}, {"home", "EU"}}));
  history.add(told(12, "token-refused"));
  const auto intervals = history.finish();
  REQUIRE(intervals.size() >= 2);
  CHECK(intervals.back().from == at(12));
  CHECK(intervals.back().what.starts_with("after the trail's last entry, if the server ran on"));
  CHECK_FALSE(ever(intervals));
}

TEST_CASE("history: another tenant's crossing is not this one's", "[zones][audit][history]") {
  CHECK(ever(story(0, 30, "acme")));
  CHECK_FALSE(ever(story(0, 30, "globex")));
}

TEST_CASE("history: what retention removed is not known, until it is told again",
          "[zones][audit][history]") {
  const std::pair<std::string, std::string> api{"service", "api.example.com"};
  const auto [name, crossings, is_outside] = GENERATE(table<const char*, const char*, bool>(
      {{"none is open", "none", false}, {"one is", "g1 to us, g2 to ap for tenant acme", true}}));
  CAPTURE(name);
  const ParsedEntry before =
      told(2, "service-loaded", {api, {"crossings", "none"}, {"soft-crossing", "none"}});
  const ParsedEntry last = told(3, "weights-changed", {api});
  // Entries between the two, up to `last`, are gone in some log: a crossing may be among them.
  History history("api.example.com", "", at(0), at(30), last.place.sequence);
  history.add(before);
  history.add(last);
  history.add(
      told(5, "service-loaded", {api, {"crossings", crossings}, {"soft-crossing", "none"}}));
  history.add(told(9, "weights-changed", {api}));
  history.add(told(20, "crossing-ended", {api, {"crossing", "g1 to us"}}));
  history.add(told(20, "crossing-ended", {api, {"crossing", "g2 to ap for tenant acme"}}));
  history.add(told(25, "stop"));
  const auto intervals = history.finish();
  REQUIRE(intervals.size() >= 3);
  CHECK(intervals.front().is_removed);
  CHECK(intervals.front().is_unknown);
  CHECK(intervals.front().to == at(5));
  CHECK(intervals[1].is_outside == is_outside);
  CHECK_FALSE(intervals[1].is_unknown);
  CHECK(std::ranges::count(intervals, true, &Interval::is_removed) == 1);
  CHECK(ever(intervals) == is_outside);
}

TEST_CASE("history: a crossing is told of even where other details are gone",
          "[zones][audit][history]") {
  const std::pair<std::string, std::string> api{"service", "api.example.com"};
  History history("api.example.com", "", at(0), at(30), 1'000'000);
  history.add(told(5, "crossing-made", {api, {"crossing", "g1 to us"}}));
  history.add(told(9, "crossing-ended", {api, {"crossing", "g1 to us"}}));
  const auto intervals = history.finish();
  CHECK(ever(intervals));
  CHECK(intervals.back().is_removed);
}

TEST_CASE("history: what is told of one class of tenants ends no crossing of another",
          "[zones][audit][history]") {
  const std::pair<std::string, std::string> api{"service", "api.example.com"}, eu{"class", "eu"};
  const std::pair<std::string, std::string> none{"crossings", "none"},
      soft{"soft-crossing", "none"};
  History history("api.example.com", "", at(0), at(30));
  history.add(told(0, "configuration-loaded"));
  history.add(told(0, "service-loaded", {api, none, soft}));
  history.add(told(1, "crossing-made", {api, {"crossing", "g1 to us"}}));
  history.add(told(5, "service-loaded", {api, eu, none, soft}));
  history.add(told(8, "crossing-ended", {api, {"crossing", "g1 to us"}}));
  history.add(told(20, "stop"));
  const auto intervals = history.finish();
  const auto outside = std::ranges::find(intervals, true, &Interval::is_outside);
  REQUIRE(outside != intervals.end());
  CHECK(outside->from == at(1));
  CHECK(outside->to == at(8));
}
