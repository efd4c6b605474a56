// Degraded endpoints: less traffic, never somebody else's, and no more than health may move.
#include <catch2/catch.hpp>

#include "tests/zones/leash_story.h"

namespace demarc::zones::testing {

TEST_CASE("degraded: a record that is slow has a part of its weight until it is well",
          "[zones][degraded]") {
  Service made = pool(2, loose());
  made.degraded_weight = 40;
  LeashStory story(made);
  for (std::size_t i = 0; i < 2; ++i) story.up(i);
  CHECK(story.weight(0) == 100);
  story.found(0, Verdict::degraded);
  CHECK(story.weight(0) == 40);
  CHECK(story.weight(1) == 100);
  CHECK(story.told("weights-changed"));

  SECTION("not knowing changes nothing, over a restart as well") {
    story.found(0, Verdict::stale);
    CHECK(story.weight(0) == 40);
    story.restart();
    CHECK(story.weight(0) == 40);
    story.up(0);
    CHECK(story.weight(0) == 100);
  }
  SECTION("worse, and back") {
    story.down(0);
    CHECK(story.answering() == Records{1});
    story.found(0, Verdict::degraded);
    CHECK(story.weight(0) == 40);
    story.up(0);
    CHECK(story.weight(0) == 100);
  }
  SECTION("all of them are as good as each other") {
    story.found(1, Verdict::degraded);
    CHECK(story.weight(0) == 40);
    CHECK(story.weight(1) == 40);
  }
  SECTION("nothing moves while it is frozen, and all that waited afterwards") {
    story.happens(FreezeSet{true, "anna", "a look at it"});
    story.up(0);
    story.found(1, Verdict::degraded);
    CHECK(story.weight(0) == 40);
    CHECK(story.weight(1) == 100);
    story.happens(FreezeSet{false, "anna", "seen"});
    CHECK(story.weight(0) == 100);
    CHECK(story.weight(1) == 40);
  }
}

TEST_CASE("degraded: what it takes away is held to the leash's pace", "[zones][degraded]") {
  LeashSettings leash = loose();
  leash.removed_per_minute = 20;  // of 400: 80 in a minute, and one whole record at least
  LeashStory story(pool(4, leash));
  for (std::size_t i = 0; i < 4; ++i) story.up(i);
  for (std::size_t i = 0; i < 3; ++i) story.found(i, Verdict::degraded);
  CHECK(story.weight(0) == 50);
  CHECK(story.weight(1) == 100);
  CHECK(story.weight(2) == 100);
  story.pass_with_timers(61s);
  CHECK(story.weight(1) == 50);
  CHECK(story.weight(2) == 100);
  story.pass_with_timers(61s);
  CHECK(story.weight(2) == 50);
}

TEST_CASE("degraded: the only home keeps its clients, whatever lies abroad", "[zones][degraded]") {
  Service made = seed_service();
  made.checks[0].on_fail = {{RecordId{0}, 0}, {RecordId{1}, 100}};
  made.leash = loose();
  LeashStory story(made);
  story.up(0);
  story.found(0, Verdict::degraded);
  CHECK(story.answering() == Records{0});
  CHECK(story.weight(0) == 50);
  CHECK(story.steering.state().pending.empty());
}

}  // namespace demarc::zones::testing
