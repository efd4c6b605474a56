// When answers may be others soon: what the TTL follows.
#include <catch2/catch.hpp>

#include "tests/zones/leash_story.h"

namespace demarc::zones::testing {
namespace {

std::optional<WallTime> changes(const LeashStory& story) {
  return story.steering.published(ServiceId{0})->may_change_at();
}

constexpr auto long_ago = WallTime{};

Service following(std::size_t count, LeashSettings leash = loose()) {
  Service made = pool(count, leash);
  made.ttl = 60;
  made.ttl_min = 10;
  return made;
}

void waver(LeashStory& story, std::size_t check, bool wavers) {
  story.happens(CheckWavered{story.service().checks[check].key, wavers});
}

}  // namespace

TEST_CASE("ttl follows: from the first failure until the last recovery", "[zones][ttl]") {
  LeashStory story(following(2));
  story.up(0);
  story.up(1);
  CHECK_FALSE(changes(story));
  waver(story, 0, true);
  CHECK(changes(story) == long_ago);
  CHECK(story.answering() == Records{0, 1});
  waver(story, 0, false);
  CHECK_FALSE(changes(story));

  waver(story, 0, true);
  story.down(0);
  waver(story, 0, false);
  CHECK(story.answering() == Records{1});
  CHECK(changes(story) == long_ago);
  waver(story, 0, true);
  story.up(0);
  waver(story, 0, false);
  CHECK(story.answering() == Records{0, 1});
  CHECK_FALSE(changes(story));
}

TEST_CASE("ttl follows: timers of the leash, and the end of orders", "[zones][ttl]") {
  LeashSettings leash = loose();
  leash.failback_delay = 5min;
  leash.failover_delay = 30s;
  LeashStory story(following(3, leash));
  for (std::size_t i = 0; i < 3; ++i) story.up(i);
  story.down(0);
  CHECK(changes(story) == long_ago);  // it may be well again before its delay is over
  story.pass_with_timers(31s);
  CHECK(story.answering() == Records{1, 2});
  story.up(0);
  CHECK(changes(story) == story.clock.wall + 5min);
  story.pass_with_timers(301s);
  CHECK(story.answering() == Records{0, 1, 2});
  CHECK_FALSE(changes(story));

  const WallTime ends = story.clock.wall + 10min;
  story.happens(OrderGiven{.target = "e1.example.net",
                           .service = {},
                           .who = "anna",
                           .reason = "work on it",
                           .lasts = 10min});
  CHECK(story.answering() == Records{0, 2});
  CHECK(changes(story) == ends);
  story.restart();
  CHECK(changes(story) == ends);
  story.pass_with_timers(601s);
  CHECK_FALSE(changes(story));
}

TEST_CASE("ttl follows: nobody is published again for a TTL that does not", "[zones][ttl]") {
  Service made = following(2);
  made.ttl_min = made.ttl;
  LeashStory story(made);
  story.up(0);
  waver(story, 0, true);
  CHECK(story.effects.publish.empty());
  story.down(0);
  CHECK_FALSE(changes(story));
}

}  // namespace demarc::zones::testing
