// The guard against mass failures, canaries, and orders about many endpoints.
#include <catch2/catch.hpp>

#include "tests/zones/leash_story.h"
#include "zones/order_target.h"

namespace demarc::zones::testing {
namespace {

Records all_but(std::size_t count, const Records& out) {
  Records records;
  for (std::size_t i = 0; i < count; ++i) {
    if (!out.contains(i)) records.insert(i);
  }
  return records;
}

}  // namespace

TEST_CASE("guard: when most fail within a minute none of it counts, and it is told", "[leash]") {
  LeashStory story(pool(6, loose()), small_policy());
  story.down(0);
  story.pass_with_timers(2min);  // of another cause
  story.down(1);
  story.pass_with_timers(10s);
  story.down(2);
  story.down(3);
  CHECK(story.answering() == Records{4, 5});
  story.down(4);
  CHECK(story.answering() == Records{1, 2, 3, 4, 5});
  CHECK(story.told("mass-failure-begun"));
  CHECK(story.raised("mass-failure"));
  REQUIRE(story.steering.state().mass_failure);
  story.down(5);
  CHECK(story.answering() == Records{1, 2, 3, 4, 5});

  story.restart();
  CHECK(story.answering() == Records{1, 2, 3, 4, 5});
  CHECK(story.raised("mass-failure"));

  SECTION("it ends by itself, and what is still down counts") {
    story.up(5);
    CHECK(story.steering.state().mass_failure);
    story.up(1);
    CHECK_FALSE(story.steering.state().mass_failure);
    CHECK(story.told("mass-failure-ended"));
    CHECK(story.ended("mass-failure"));
    CHECK(story.answering() == Records{1, 5});
  }
  SECTION("a prober that knows nothing any more does not end it") {
    for (std::size_t i = 0; i < 6; ++i) {
      story.found(i, Verdict::stale);
      CHECK(story.steering.state().mass_failure);
    }
    CHECK(story.answering() == Records{1, 2, 3, 4, 5});
    for (std::size_t i = 0; i < 6; ++i) story.down(i);
    CHECK(story.answering() == Records{1, 2, 3, 4, 5});
    story.up(5);
    story.up(4);
    story.up(3);
    CHECK_FALSE(story.steering.state().mass_failure);
  }
  SECTION("a person may say that they are really down") {
    story.happens(FreezeSet{false, "ops", "the data centre burns"});
    REQUIRE(story.effects.reply->accepted);
    CHECK(story.told("mass-failure-overruled"));
    CHECK(story.ended("mass-failure"));
    CHECK(story.choice().note == ChoiceNote::all_down);
    story.up(5);
    CHECK(story.answering() == Records{5});
    CHECK_FALSE(story.told("mass-failure-begun"));
  }
  SECTION("with a human's freeze, his comes first") {
    story.happens(FreezeSet{true, "ops", "looking"});
    story.happens(FreezeSet{false, "ops", "seen"});
    CHECK(story.answering() == Records{1, 2, 3, 4, 5});
    CHECK(story.steering.state().mass_failure);
  }
}

TEST_CASE("guard: few endpoints, few failures and slow ones are no mass failure", "[leash]") {
  LeashStory three(pool(3, loose()), small_policy());
  for (std::size_t i = 0; i < 3; ++i) three.down(i);
  CHECK_FALSE(three.steering.state().mass_failure);

  LeashStory half(pool(4, loose()), small_policy());
  half.down(0);
  half.down(1);
  CHECK_FALSE(half.steering.state().mass_failure);
  half.down(2);
  CHECK(half.steering.state().mass_failure);

  LeashStory slow(pool(4, loose()), small_policy());
  for (std::size_t i = 0; i < 4; ++i) {
    slow.down(i);
    slow.pass_with_timers(31s);
  }
  CHECK_FALSE(slow.steering.state().mass_failure);

  Policy off = small_policy();
  off.mass_failure.share = 100;
  LeashStory never(pool(4, loose()), off);
  for (std::size_t i = 0; i < 4; ++i) never.down(i);
  CHECK_FALSE(never.steering.state().mass_failure);
}

TEST_CASE("guard: canaries alone say whose fault it is", "[leash]") {
  Service made = pool(6, loose());
  made.checks[4].is_canary = true;
  made.checks[5].is_canary = true;
  LeashStory story(made, small_policy());
  for (std::size_t i = 0; i < 5; ++i) story.down(i);
  CHECK_FALSE(story.steering.state().mass_failure);
  CHECK(story.answering() == Records{5});
  story.down(5);
  CHECK(story.steering.state().mass_failure);
  CHECK(story.answering() == all_but(6, {}));
  story.found(5, Verdict::stale);  // not known to be well
  CHECK(story.steering.state().mass_failure);
  story.up(5);
  CHECK_FALSE(story.steering.state().mass_failure);
  CHECK(story.answering() == Records{5});
}

TEST_CASE("orders: a pattern names many endpoints", "[leash]") {
  CHECK(matches_pattern("api.*.example", "api.eu.example"));
  CHECK(matches_pattern("API.*.example", "api.eu.west.Example"));
  CHECK(matches_pattern("*", ""));
  CHECK(matches_pattern("a?c*", "abc"));
  CHECK_FALSE(matches_pattern("api.*.example", "api.example"));
  CHECK_FALSE(matches_pattern("a?c", "ac"));
  CHECK_FALSE(matches_pattern("", "a"));
  CHECK(matches_pattern("*a*a*a*b", std::string(60, 'a') + "b"));

  LeashStory story(pool(12, loose()));
  story.happens(OrderGiven{"e1*.example.net", "", "ops", "why", 1h});
  REQUIRE(story.effects.reply->accepted);
  CHECK(story.answering() == all_but(12, {1, 10, 11}));
  story.happens(OrderGiven{"x*.example.net", "", "ops", "why", 1h});
  CHECK_FALSE(story.effects.reply->accepted);
  story.restart();
  CHECK(story.answering() == all_but(12, {1, 10, 11}));
  story.happens(OrderEnded{"e1*.example.net", "ops"});
  CHECK(story.answering() == all_but(12, {}));
}

TEST_CASE("orders: forced up and down win over health, a drain over both", "[leash]") {
  LeashStory story(pool(3, loose()));
  story.down(0);
  CHECK(story.answering() == Records{1, 2});
  story.happens(
      OrderGiven{"e0.example.net", "", "ops", "the probe is wrong", 1h, OrderKind::force_up});
  REQUIRE(story.effects.reply->accepted);
  CHECK(story.answering() == Records{0, 1, 2});
  story.happens(OrderGiven{"e1.example.net", "", "ops", "it lies", 1h, OrderKind::force_down});
  CHECK(story.answering() == Records{0, 2});
  story.restart();
  CHECK(story.answering() == Records{0, 2});
  story.happens(OrderGiven{"e0.example.net", "", "ops", "why", 30min});
  CHECK(story.answering() == Records{2});
  story.pass_with_timers(31min);
  CHECK(story.answering() == Records{0, 2});
  story.pass_with_timers(1h);
  CHECK(story.answering() == Records{1, 2});
}

TEST_CASE("orders: forced down applies on-fail, and the gate still holds", "[leash]") {
  LeashStory story(seed_service());
  story.happens(OrderGiven{"api.eu.example.net", "", "ops", "it lies", 1h, OrderKind::force_down});
  REQUIRE(story.effects.reply->accepted);
  CHECK(story.answering() == Records{0});
  CHECK(story.choice().note == ChoiceNote::held);
  CHECK(story.steering.state().pending.size() == 1);
  // What is abroad does not become lawful by a word that it is well.
  story.happens(OrderGiven{"us", "", "ops", "why", 1h, OrderKind::force_up});
  CHECK(story.answering() == Records{0});
}

}  // namespace demarc::zones::testing
