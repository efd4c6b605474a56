// When probes are due: first at once, then within the interval.
#include "health/schedule.h"

#include <catch2/catch.hpp>

using namespace demarc;
using namespace demarc::health;
using namespace std::chrono_literals;

namespace {

constexpr MonotonicTime start{1'000'000ms};

}  // namespace

TEST_CASE("schedule: first probes are a spacing apart, in order", "[health][schedule]") {
  ProbeSchedule schedule(1);
  schedule.add({TargetId{7}, TargetId{3}, TargetId{5}}, start);
  CHECK(schedule.take_due(start - 1ms) == std::nullopt);
  CHECK(schedule.take_due(start) == TargetId{7});
  CHECK(schedule.take_due(start) == std::nullopt);
  CHECK(schedule.next_due() == start + first_probe_spacing);
  CHECK(schedule.take_due(start + 1h) == TargetId{3});
  CHECK(schedule.take_due(start + 1h) == TargetId{5});
  CHECK(schedule.next_due() == std::nullopt);
}

TEST_CASE("schedule: jitter shortens an interval by a fifth at most", "[health][schedule]") {
  ProbeSchedule schedule(42);
  MonotonicTime earliest = start + 1h;
  MonotonicTime latest = start;
  for (int i = 0; i < 2'000; ++i) {
    schedule.plan_next(TargetId{1}, 10s, start);
    const auto due = schedule.next_due();
    REQUIRE(due);
    earliest = std::min(earliest, *due);
    latest = std::max(latest, *due);
    REQUIRE(schedule.take_due(*due) == TargetId{1});
  }
  CHECK(earliest >= start + 8s);
  CHECK(earliest < start + 8'100ms);
  CHECK(latest <= start + 10s);
  CHECK(latest > start + 9'900ms);
}

TEST_CASE("schedule: the same seed gives the same times, another others", "[health][schedule]") {
  const auto due = [](std::uint64_t seed) {
    ProbeSchedule schedule(seed);
    schedule.plan_next(TargetId{1}, 1h, start);
    return schedule.next_due();
  };
  CHECK(due(5) == due(5));
  CHECK(due(5) != due(6));
}

TEST_CASE("schedule: targets that are gone are never due", "[health][schedule]") {
  ProbeSchedule schedule(1);
  schedule.add({TargetId{1}, TargetId{2}}, start);
  schedule.retain([](TargetId target) { return target == TargetId{2}; });
  CHECK(schedule.take_due(start + 1h) == TargetId{2});
  CHECK(schedule.take_due(start + 1h) == std::nullopt);
}
