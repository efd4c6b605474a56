// Delays, flap penalty, and the way home by hand: when health that changed begins to count.
#include <random>

#include <catch2/catch.hpp>

#include "tests/zones/leash_story.h"
#include "zones/flap.h"

namespace demarc::zones::testing {
namespace {

LeashSettings flapping() {
  LeashSettings leash = loose();
  leash.flap = FlapSettings{};
  return leash;
}

/// Probes alternate; the more is out, the more the rest is loaded, and the more of it fails.
struct AlternatingDay {
  AlternatingDay(std::size_t count, const LeashSettings& leash, unsigned seed)
      : story(pool(count, leash)), random(seed), is_down(count, false), recovered(count) {}

  /// Plays it; `look` is told of who answered before and now at each change.
  template <typename Look>
  void play(Look look) {
    const WallTime end = story.clock.wall + 24h;
    Records before = story.answering();
    const auto look_again = [&] {
      if (const Records now = story.answering(); now != before) look(before, now);
      before = story.answering();
    };
    while (story.clock.wall < end) {
      const WallTime next = story.clock.wall + Milliseconds(1000 + random() % 30'000);
      while (story.clock.wall < next) {
        story.pass_with_timers(std::min(next, due()) - story.clock.wall);
        look_again();
      }
      const std::size_t count = is_down.size(), at = random() % count;
      const bool was_down = is_down[at];
      const std::size_t out = count - std::min(count, before.size());
      is_down[at] = random() % count < usually_down + out / 2;
      if (was_down && !is_down[at]) recovered[at] = story.clock.wall;
      story.found(at, is_down[at] ? Verdict::down : Verdict::up);
      REQUIRE_FALSE(story.choice().records.empty());
      look_again();
    }
  }
  /// Whether it is well, and was for as long as it has to be.
  [[nodiscard]] bool is_back(std::size_t record) const {
    const Milliseconds delay = story.service().leash.failback_delay;
    return !is_down[record] &&
           (!recovered[record] || *recovered[record] + delay <= story.clock.wall);
  }
  /// When steering wants to be woken; the clock's next moment at least.
  [[nodiscard]] WallTime due() const {
    return std::max(story.effects.timer.value_or(WallTime::max()), story.clock.wall + 1ms);
  }

  LeashStory story;
  std::mt19937_64 random;
  std::size_t usually_down = 6;  // with all of it answering
  std::vector<bool> is_down;
  std::vector<std::optional<WallTime>> recovered;  // when it was found well, after having been down
};

}  // namespace

TEST_CASE("leash: failover-delay waits before a failure counts", "[leash]") {
  LeashSettings leash = loose();
  leash.failover_delay = 30s;
  LeashStory story(pool(2, leash));
  story.down(0);
  CHECK(story.answering() == Records{0, 1});
  REQUIRE(story.effects.timer);
  CHECK(*story.effects.timer == story.clock.wall + 30s);
  story.pass_with_timers(29'999ms);
  CHECK(story.answering() == Records{0, 1});
  story.pass_with_timers(1ms);
  CHECK(story.answering() == Records{1});

  story.up(0);
  CHECK(story.answering() == Records{0, 1});
  story.down(0);  // well again in time: nothing ever moved
  story.pass_with_timers(20s);
  story.up(0);
  story.pass_with_timers(1h);
  CHECK(story.answering() == Records{0, 1});
}

TEST_CASE("leash: failback-delay keeps a record out while others at home answer", "[leash]") {
  LeashStory story(pool(2));  // 5 minutes by default
  story.down(0);
  story.pass_with_timers(1min);
  story.up(0);
  CHECK(story.answering() == Records{1});
  const auto holds = story.steering.holds_of(ServiceId{0});
  REQUIRE(holds.size() == 1);
  CHECK(holds[0].kind == LeashHold::Kind::failback_delay);
  CHECK(holds[0].until == story.clock.wall + 5min);
  story.pass_with_timers(2min);
  story.restart();
  CHECK(story.answering() == Records{1});
  story.pass_with_timers(3min - 1ms);
  CHECK(story.answering() == Records{1});
  story.pass_with_timers(1ms);
  CHECK(story.answering() == Records{0, 1});

  // The only one that is well is back at once.
  story.down(0);
  story.pass_with_timers(1min);
  story.down(1);
  CHECK(story.choice().note == ChoiceNote::all_down);
  story.up(0);
  CHECK(story.choice().note == ChoiceNote::none);
  CHECK(story.answering().contains(0));

  // And so is one that waits when the others go.
  LeashStory other(pool(2));
  other.down(0);
  other.pass_with_timers(2min);
  other.up(0);
  CHECK(other.answering() == Records{1});
  other.down(1);
  CHECK(other.answering() == Records{0});
}

TEST_CASE("leash: a delay never keeps traffic abroad", "[leash]") {
  Service made = seed_service(Residency::soft);
  LeashStory story(made);
  story.down(0);
  CHECK(story.answering() == Records{1});
  story.up(0);
  CHECK(story.answering() == Records{0});
}

TEST_CASE("flap: the penalty halves, suppresses and lets go", "[leash]") {
  const FlapSettings settings;
  CHECK(decayed(3000, 10min, settings) == 1500);
  CHECK(decayed(3000, 20min, settings) == 750);
  CHECK(decayed(3000, -1min, settings) == 3000);
  CHECK(suppressed_for(2500, settings) == 0ms);
  CHECK(suppressed_for(3200, settings) == 20min);
  std::uint32_t penalty = 0;
  for (int i = 0; i < 100; ++i) penalty = penalty_after_change(penalty, settings);
  CHECK(suppressed_for(penalty, settings) == 40min);
}

TEST_CASE("flap: what changes its mind too often stays out until it is quiet", "[leash]") {
  LeashStory story(pool(3, flapping()));
  story.down(0);
  story.pass_with_timers(10s);
  story.up(0);  // the first time it is believed
  CHECK(story.answering() == Records{0, 1, 2});
  story.pass_with_timers(10s);
  story.down(0);
  story.pass_with_timers(10s);
  story.up(0);
  CHECK(story.answering() == Records{1, 2});
  CHECK(story.raised("leash/api.example.com"));
  CHECK(story.steering.holds_of(ServiceId{0}).front().kind == LeashHold::Kind::flap);
  story.pass_with_timers(18min);
  CHECK(story.answering() == Records{1, 2});
  story.pass_with_timers(1min);
  CHECK(story.answering() == Records{0, 1, 2});
}

TEST_CASE("flap: a record that flaps for a day returns seldom, as its settings promise",
          "[leash]") {
  LeashStory story(pool(4, flapping()));
  std::size_t returns = 0;
  bool was_in = true;
  for (int i = 0; i < 24 * 60; ++i) {  // down and up each minute
    story.down(0);
    story.pass_with_timers(30s);
    story.up(0);
    story.pass_with_timers(30s);
    const bool is_in = story.answering().contains(0);
    returns += is_in && !was_in ? 1 : 0;
    was_in = is_in;
  }
  // Once believed, then never quiet for long enough.
  CHECK(returns <= 1);
  CHECK_FALSE(was_in);
  story.up(0);
  story.pass_with_timers(41min);
  CHECK(story.answering().contains(0));
}

TEST_CASE("leash: a day of targets that alternate, as AWS had it in October 2025", "[leash]") {
  const auto seed = GENERATE(1U, 2U, 3U);
  CAPTURE(seed);
  LeashSettings leash;  // as they are by default, and a flap penalty
  leash.flap = FlapSettings{};
  leash.min_healthy = 40;
  AlternatingDay day(20, leash, seed);
  std::vector<std::pair<WallTime, std::size_t>> removals;
  day.play([&](const Records& before, const Records& now) {
    const auto removed = static_cast<std::size_t>(
        std::ranges::count_if(before, [&](std::size_t record) { return !now.contains(record); }));
    if (removed != 0) removals.emplace_back(day.story.clock.wall, removed);
  });
  std::size_t most = 0;
  for (std::size_t i = 0; i < removals.size(); ++i) {
    std::size_t sum = 0;
    for (std::size_t j = i; j < removals.size(); ++j) {
      if (removals[j].first < removals[i].first + removal_window) sum += removals[j].second;
    }
    most = std::max(most, sum);
  }
  CHECK(most > 0);
  CHECK(most <= 20 * leash.removed_per_minute / 100);
}

TEST_CASE("leash: on such a day nobody is back before his delay while somebody else is well",
          "[leash]") {
  const auto seed = GENERATE(1U, 2U, 3U);
  CAPTURE(seed);
  AlternatingDay day(20, LeashSettings{}, seed);
  day.usually_down = 3;
  std::size_t returns = 0;
  day.play([&](const Records& before, const Records& now) {
    const bool is_any_well =
        std::ranges::any_of(now, [&](std::size_t r) { return day.is_back(r); });
    for (const std::size_t record : now) {
      if (before.contains(record) || day.is_down[record] || !is_any_well) continue;
      ++returns;
      CHECK(day.is_back(record));
    }
  });
  CHECK(returns > 100);
}

TEST_CASE("leash: with failback manual a crossing goes on until a word or its grant's end",
          "[leash]") {
  LeashSettings by_hand;
  by_hand.failback_by_hand = true;
  const auto make = [&](LeashSettings leash) {
    Service made = seed_service();
    made.leash = leash;
    return made;
  };
  const KeyPair key = make_key_pair(KeyAlgorithm::EdDSA).value();
  const Policy policy = approved_by(key);
  const auto cross = [&](LeashStory& story) {
    story.down(0);
    story.grant(key);
    REQUIRE(story.answering() == Records{1});
    story.pass_with_timers(10min);
    story.up(0);
  };

  LeashStory automatic(make({}), policy);
  cross(automatic);
  CHECK(automatic.answering() == Records{0});  // rule 10: by themselves

  LeashStory story(make(by_hand), policy);
  cross(story);
  CHECK(story.answering() == Records{1});
  CHECK(story.raised("leash/api.example.com"));
  SECTION("a word brings it home") {
    story.restart();
    CHECK(story.answering() == Records{1});
    story.happens(FailbackOrdered{"api.example.com", "ops", ""});
    CHECK_FALSE(story.effects.reply->accepted);
    story.happens(FailbackOrdered{"api.example.com", "ops", "data is reconciled"});
    REQUIRE(story.effects.reply->accepted);
    CHECK(story.told("failback-ordered"));
    CHECK(story.answering() == Records{0});
    CHECK(story.ended("leash/api.example.com"));
    story.happens(FailbackOrdered{"api.example.com", "ops", "again"});
    CHECK_FALSE(story.effects.reply->accepted);
  }
  SECTION("the grant's end brings it home") {
    story.pass_with_timers(5h - 10min - 1s);
    CHECK(story.answering() == Records{1});
    story.pass_with_timers(1s);
    CHECK(story.answering() == Records{0});
    CHECK(story.choice().note == ChoiceNote::none);
    CHECK(story.steering.state().leashes.empty());
  }
  SECTION("so do its revocation, and the setting's end") {
    if (GENERATE(true, false)) {
      story.happens(GrantRevoked{"t1", "ops", "why"});
    } else {
      story.load(make({}), policy);
    }
    CHECK(story.answering() == Records{0});
  }
  SECTION("home that fails and recovers again waits again") {
    story.down(0);
    CHECK(story.answering() == Records{1});
    story.up(0);
    CHECK(story.answering() == Records{1});
  }
}

}  // namespace demarc::zones::testing
