// The leash on weights: how much may go in a minute, what stays, how a record comes back.
#include "zones/leash.h"

#include <random>

#include <catch2/catch.hpp>

#include "tests/zones/leash_story.h"

namespace demarc::zones::testing {
namespace {

/// The most base weight that left the answers within any minute, records of weight 100.
std::size_t most_removed(const LeashStory& story) {
  std::vector<std::pair<WallTime, std::size_t>> removals;
  for (std::size_t i = 1; i < story.history.size(); ++i) {
    const auto& [at, now] = story.history[i];
    std::size_t removed = 0;
    for (const std::size_t record : story.history[i - 1].second) {
      removed += now.contains(record) ? 0 : 100;
    }
    if (removed != 0) removals.emplace_back(at, removed);
  }
  std::size_t most = 0;
  for (std::size_t i = 0; i < removals.size(); ++i) {
    std::size_t sum = 0;
    for (std::size_t j = i; j < removals.size(); ++j) {
      if (removals[j].first < removals[i].first + removal_window) sum += removals[j].second;
    }
    most = std::max(most, sum);
  }
  return most;
}

}  // namespace

TEST_CASE("leash: a third of a pool goes in a minute, the rest is kept and told", "[leash]") {
  LeashStory story(pool(10));
  for (std::size_t i = 0; i < 3; ++i) story.down(i);
  CHECK(story.answering() == Records{3, 4, 5, 6, 7, 8, 9});
  CHECK_FALSE(story.raised("leash/api.example.com"));
  story.pass(10s);
  story.down(3);
  story.down(4);
  CHECK(story.answering() == Records{3, 4, 5, 6, 7, 8, 9});
  CHECK(story.raised("leash/api.example.com"));
  CHECK(story.told("leash-held"));
  const auto holds = story.steering.holds_of(ServiceId{0});
  REQUIRE(holds.size() == 2);
  CHECK(holds[0].kind == LeashHold::Kind::velocity);
  CHECK(holds[0].until == story.clock.wall + 50s);

  story.pass(49s);
  story.happens(TimerFired{});
  CHECK(story.answering() == Records{3, 4, 5, 6, 7, 8, 9});
  REQUIRE(story.effects.timer);
  CHECK(*story.effects.timer == story.clock.wall + 1s);
  story.pass(1s);
  story.happens(TimerFired{});
  CHECK(story.answering() == Records{5, 6, 7, 8, 9});
  CHECK(story.ended("leash/api.example.com"));
  CHECK(story.told("leash-released"));
}

TEST_CASE("leash: small pools work as without it, and one record may always go", "[leash]") {
  LeashStory three(pool(3));
  three.down(0);
  CHECK(three.answering() == Records{1, 2});
  three.down(1);
  CHECK(three.answering() == Records{2});

  LeashStory four(pool(4, {.removed_per_minute = 1}));
  four.down(0);
  CHECK(four.answering() == Records{1, 2, 3});
  four.down(1);  // kept for a minute beside those that are well
  CHECK(four.answering() == Records{1, 2, 3});
  four.pass_with_timers(1min);
  CHECK(four.answering() == Records{2, 3});
}

TEST_CASE("leash: who is down is never kept instead of who takes over", "[leash]") {
  Service made = pool(4);
  made.records.push_back(record(eu2, 0, "standby.example.net"));
  LeashStory story(made);
  for (std::size_t i = 0; i < 3; ++i) story.down(i);
  CHECK(story.answering() == Records{1, 2, 3});
  story.down(3);
  CHECK(story.answering() == Records{4});
  CHECK(story.choice().note == ChoiceNote::none);

  // The next region of a route takes over as well, for whom the first answers alone.
  Service routed = pool(4);
  routed.records.push_back(record(eu2, 100, "other.example.net"));
  routed.route = RouteLines{{RouteLine{MatchAll{}, {eu, eu2}, {}}}};
  LeashStory by_route(routed);
  for (std::size_t i = 0; i < 4; ++i) by_route.down(i);
  CHECK(by_route.answering() == Records{4});
}

TEST_CASE("leash: with nobody well all answer, and the first one back is not alone", "[leash]") {
  LeashStory story(pool(10));
  for (std::size_t i = 0; i < 10; ++i) story.down(i);
  CHECK(story.choice().note == ChoiceNote::all_down);
  CHECK(story.answering().size() == 10);
  story.pass_with_timers(2min);
  story.up(9);
  CHECK(story.answering().size() == 7);  // three of the others may go in a minute
  CHECK(story.answering().contains(9));
  CHECK(most_removed(story) <= 300);
}

TEST_CASE("leash: on-block and a pending change do not wait for it", "[leash]") {
  Service made = pool(3);
  made.on_block.answer = BlockAnswer::nodata;
  made.records.push_back(record(us, 0, "api.us.example.net"));
  LeashStory story(made);
  for (std::size_t i = 0; i < 3; ++i) story.down(i);
  CHECK(story.choice().kind == ChoiceKind::nodata);
  CHECK(story.steering.state().pending.size() == 1);
}

TEST_CASE("leash: min-healthy keeps a share of the pool however long it takes", "[leash]") {
  LeashStory story(pool(10, {.removed_per_minute = 100, .min_healthy = 50, .failback_delay = 0ms}));
  for (std::size_t i = 0; i < 7; ++i) story.down(i);
  CHECK(story.answering() == Records{5, 6, 7, 8, 9});
  story.pass_with_timers(1h);
  CHECK(story.answering() == Records{5, 6, 7, 8, 9});
  CHECK(story.steering.holds_of(ServiceId{0}).front().kind == LeashHold::Kind::min_healthy);
  story.up(0);
  CHECK(story.answering() == Records{0, 6, 7, 8, 9});
}

TEST_CASE("leash: an order is not held", "[leash]") {
  LeashStory story(pool(10, {.min_healthy = 90}));
  story.down(0);
  story.down(1);
  CHECK(story.answering().contains(1));
  for (const char* endpoint : {"e1.example.net", "e2.example.net", "e3.example.net"}) {
    story.happens(OrderGiven{endpoint, "", "ops", "why", 1h});
    REQUIRE(story.effects.reply->accepted);
  }
  CHECK(story.answering() == Records{4, 5, 6, 7, 8, 9});
}

TEST_CASE("leash: a returning record's weight grows in steps", "[leash]") {
  LeashStory story(pool(2, {.failback_delay = 0ms, .slow_start = 5min}));
  CHECK(story.weight(0) == 100);  // at the start nobody returns
  story.down(0);
  story.pass(1min);
  story.up(0);
  std::vector<std::uint16_t> weights = {story.weight(0)};
  for (int minute = 0; minute < 4; ++minute) {
    story.pass_with_timers(59s);
    CHECK(story.weight(0) == weights.back());
    story.pass_with_timers(1s + 1ms);
    weights.push_back(story.weight(0));
  }
  CHECK(weights == std::vector<std::uint16_t>{20, 40, 60, 80, 100});
  CHECK(story.steering.state().leashes.empty());
}

TEST_CASE("leash: it goes on over a restart and a reload", "[leash]") {
  LeashStory story(pool(10));
  for (std::size_t i = 0; i < 5; ++i) story.down(i);
  const auto before = story.answering();
  CHECK(before.size() == 7);
  story.pass(10s);
  story.restart();
  CHECK(story.answering() == before);
  CHECK(story.raised("leash/api.example.com"));
  story.load(pool(10));
  CHECK(story.answering() == before);
  story.pass_with_timers(50s);
  CHECK(story.answering() == Records{5, 6, 7, 8, 9});

  // Another service of that name's place: nothing is remembered of the old.
  Service other = pool(10);
  other.owner = name("other.example.com");
  story.load(other);
  CHECK_FALSE(story.steering.state().leashes.contains("api.example.com"));
}

TEST_CASE("leash: whatever happens, no more goes in a minute than may", "[leash]") {
  const auto seed = GENERATE(range(1U, 21U));
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const unsigned percent = 10 + static_cast<unsigned>(random() % 60);
  const std::size_t count = 4 + random() % 17;
  LeashStory story(pool(count, {.removed_per_minute = percent, .failback_delay = 0ms}));
  std::vector<bool> is_down(count, false);
  for (int i = 0; i < 800; ++i) {
    story.pass_with_timers(Milliseconds(random() % 20'000));
    const std::size_t at = random() % count;
    is_down[at] = random() % 2 == 0;
    story.found(at, is_down[at] ? Verdict::down : Verdict::up);
    REQUIRE_FALSE(story.choice().records.empty());
    if (random() % 50 == 0) story.restart();
  }
  CHECK(most_removed(story) <= std::max<std::size_t>(count * percent, 100));
}

}  // namespace demarc::zones::testing
