// What is believed of one endpoint while it fails in every way we know, on a clock made of numbers:
// the schedule, the book of checks and the hysteresis together, with the defaults of a check.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "health/checks.h"
#include "health/schedule.h"

using namespace demarc;
using namespace demarc::health;
using namespace std::chrono_literals;
using zones::Verdict;

namespace {

constexpr CheckTiming defaults{};
constexpr Milliseconds death = 60s;
/// It dies just after a good probe, `fall` more begin, and the last runs into its timeout.
constexpr Milliseconds down_at_most = defaults.fall * defaults.interval + defaults.timeout + 100ms;
/// Jitter takes at most a fifth; it may die just before a probe.
constexpr Milliseconds down_at_least = (defaults.fall - 1) * defaults.interval * 4 / 5;
constexpr Milliseconds up_at_most = defaults.rise * defaults.interval + 100ms;

/// What a probe that begins now would find, and after which time.
struct Sight {
  ProbeOutcome outcome = ProbeOutcome::pass;
  std::string detail = "HTTP 200";
  Milliseconds takes = 20ms;
};

struct Seen {
  Milliseconds time;
  Verdict to;
  std::string detail;
};

class World {
 public:
  World(std::uint64_t seed, std::function<Sight(Milliseconds)> endpoint)
      : schedule_(seed), endpoint_(std::move(endpoint)) {}

  /// As after a restart: this was believed before it. To be called before run().
  void seed(Verdict verdict) { checks_.seed("check", verdict); }

  /// From `from` to `to` no result comes, whatever the endpoint does.
  void stick(Milliseconds from, Milliseconds to) { stuck_ = {from, to}; }

  std::vector<Seen> run(Milliseconds until) {
    schedule_.add(checks_.replace({{{.timing = defaults}, {"check"}}}, moment()).added, {});
    for (; now_ < until; now_ += 50ms) {
      if (now_ < stuck_.first || now_ >= stuck_.second) probe();
      keep(checks_.check_ages(moment()));
    }
    return seen_;
  }

 private:
  [[nodiscard]] Moment moment() const { return {WallTime{now_}, MonotonicTime{now_}}; }

  void probe() {
    if (running_ && now_ >= started_ + sight_.takes) {
      keep(checks_.note(*running_, {sight_.outcome, sight_.detail, sight_.takes}, moment()));
      schedule_.plan_next(*running_, defaults.interval, MonotonicTime{started_});
      running_.reset();
    }
    if (running_) return;
    running_ = schedule_.take_due(MonotonicTime{now_});
    if (!running_) return;
    started_ = now_;
    sight_ = endpoint_(now_);
  }

  void keep(const std::vector<VerdictChange>& changes) {
    for (const VerdictChange& change : changes) seen_.push_back({now_, change.to, change.detail});
  }

  Checks checks_;
  ProbeSchedule schedule_;
  std::function<Sight(Milliseconds)> endpoint_;
  std::pair<Milliseconds, Milliseconds> stuck_{};
  Milliseconds now_{0};
  std::optional<TargetId> running_;
  Milliseconds started_{0};
  Sight sight_;
  std::vector<Seen> seen_;
};

std::string verdicts(const std::vector<Seen>& seen) {
  std::string text;
  for (const Seen& one : seen) {
    if (!text.empty()) text += ' ';
    text += zones::to_text(one.to);
  }
  return text;
}

/// Ill for `ill_for` from every `period` on, well before that.
Sight flapping(Milliseconds now, Milliseconds period, Milliseconds ill_for) {
  const bool is_ill = now % period >= period - ill_for;
  return is_ill ? Sight{ProbeOutcome::fail, "HTTP 503"} : Sight{};
}

}  // namespace

TEST_CASE("failures: an endpoint that breaks is down in time, and up again after it is mended",
          "[health][failures]") {
  const Sight ill = GENERATE(
      Sight{ProbeOutcome::fail, "timeout after 4000 ms", 4s},  // dead host, or much too slow
      Sight{ProbeOutcome::fail, "connection refused", 1ms}, Sight{ProbeOutcome::fail, "HTTP 500"},
      Sight{ProbeOutcome::fail, "certificate: certificate has expired"},
      Sight{ProbeOutcome::fail, "HTTP 200, but `well` is not in the body"});
  constexpr Milliseconds mended = 300s;
  for (std::uint64_t phase = 0; phase < 100; ++phase) {
    World world(phase,
                [&](Milliseconds now) { return now >= death && now < mended ? ill : Sight{}; });
    CAPTURE(ill.detail, phase);
    const auto seen = world.run(400s);
    REQUIRE(verdicts(seen) == "up down up");
    CHECK(seen[1].time - death <= down_at_most);
    CHECK(seen[1].time - death >= down_at_least);
    CHECK(seen[1].detail == ill.detail);
    CHECK(seen[2].time - mended <= up_at_most);
  }
}

TEST_CASE("failures: what is slow within the timeout is up", "[health][failures]") {
  World world(1, [](Milliseconds) { return Sight{.takes = 3900ms}; });
  CHECK(verdicts(world.run(10min)) == "up");
}

TEST_CASE("failures: one that was broken from the beginning is down at its first probe",
          "[health][failures]") {
  World world(1, [](Milliseconds) { return Sight{ProbeOutcome::fail, "connection refused", 1ms}; });
  const auto seen = world.run(10min);
  CHECK(verdicts(seen) == "down");
  CHECK(seen.at(0).time <= 100ms);
}

TEST_CASE("failures: flapping faster than `fall` probes moves nothing, slower once each way",
          "[health][failures]") {
  const auto [period, ill_for, downs_an_hour] =
      GENERATE(table<Milliseconds, Milliseconds, std::ptrdiff_t>({
          {2s, 1s, 0},      // which probes it hits is chance: see below
          {30s, 15s, 0},    // two probes at most
          {60s, 16s, 0},    // three would have to begin in less than two shortest intervals
          {120s, 60s, 30},  // seen, each
          {600s, 300s, 6},
      }));
  CAPTURE(period.count(), ill_for.count());
  const auto seen = World(7, [&, period = period, ill_for = ill_for](Milliseconds now) {
                      return flapping(now, period, ill_for);
                    }).run(1h);
  const auto downs = std::ranges::count(seen, Verdict::down, &Seen::to);
  if (period < defaults.interval) {  // every probe tosses a coin: far fewer changes than probes
    CHECK(std::ssize(seen) < 120);
    return;
  }
  CHECK(downs == downs_an_hour);
  CHECK(std::ssize(seen) <= 1 + 2 * downs_an_hour);
}

TEST_CASE("failures: a stuck prober makes stale, and what it missed needs all its counts",
          "[health][failures]") {
  const bool is_dead_after = GENERATE(false, true);
  constexpr Milliseconds stuck_from = 60s;
  constexpr Milliseconds stuck_to = 200s;
  World world(3, [&](Milliseconds now) {
    return is_dead_after && now >= stuck_from ? Sight{ProbeOutcome::fail, "HTTP 503"} : Sight{};
  });
  world.stick(stuck_from, stuck_to);
  const auto seen = world.run(300s);
  REQUIRE(verdicts(seen) == (is_dead_after ? "up stale up down" : "up stale up"));
  CHECK(seen[1].time - stuck_from <= stale_after(defaults) + 50ms);
  if (is_dead_after) CHECK(seen[3].time - stuck_to >= down_at_least);
}

TEST_CASE("failures: a restart amid a failure begins with what was believed",
          "[health][failures]") {
  const auto [name, before, is_ill, expected] =
      GENERATE(table<const char*, Verdict, bool, const char*>({
          {"down before, and still", Verdict::down, true, ""},
          {"down before, mended meanwhile", Verdict::down, false, "up"},
          {"up before, broken meanwhile", Verdict::up, true, "down"},
          {"up before, and still", Verdict::up, false, ""},
          {"stale before: the first result decides", Verdict::stale, true, "down"},
      }));
  CAPTURE(name);
  World world(5, [is_ill = is_ill](Milliseconds) {
    return is_ill ? Sight{ProbeOutcome::fail, "HTTP 503"} : Sight{};
  });
  world.seed(before);
  const auto seen = world.run(5min);
  CHECK(verdicts(seen) == expected);
  if (before == Verdict::down && !is_ill) CHECK(seen.at(0).time >= defaults.interval * 4 / 5);
  if (before == Verdict::up && is_ill) CHECK(seen.at(0).time >= down_at_least);
}
