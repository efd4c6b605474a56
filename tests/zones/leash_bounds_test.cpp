// Where the leash ends: a person's order, a grant's share, a route that differs, a target that is
// waited for. What it keeps is never kept instead of what is well.
#include <catch2/catch.hpp>

#include "tests/zones/leash_story.h"

namespace demarc::zones::testing {
namespace {

LeashSettings keeping(unsigned min_healthy) {
  LeashSettings leash = loose();
  leash.min_healthy = min_healthy;
  return leash;
}

void order(LeashStory& story, const std::string& target, OrderKind kind) {
  story.happens(OrderGiven{target, "", "ops", "I know better", 1h, kind});
  REQUIRE(story.effects.reply->accepted);
}

}  // namespace

TEST_CASE("leash: who is forced down goes at once, whatever is kept", "[leash]") {
  SECTION("min-healthy") {
    LeashStory story(pool(10, keeping(100)));
    order(story, "e0.example.net", OrderKind::force_down);
    CHECK(story.answering() == Records{1, 2, 3, 4, 5, 6, 7, 8, 9});
  }
  SECTION("removed-per-minute") {
    LeashStory story(pool(10));
    for (const char* const e : {"e0", "e1", "e2", "e3", "e4"}) {
      order(story, std::string(e) + ".example.net", OrderKind::force_down);
    }
    CHECK(story.answering() == Records{5, 6, 7, 8, 9});
    story.down(5);  // orders used up nothing of what health may do
    CHECK(story.answering() == Records{6, 7, 8, 9});
  }
}

TEST_CASE("leash: who is forced up comes back at once, whatever delays him", "[leash]") {
  LeashSettings leash;
  SECTION("failback-delay") { leash = {}; }
  SECTION("flap") { leash.flap = FlapSettings{}; }
  SECTION("slow-start") { leash.slow_start = 5min; }
  LeashStory story(pool(2, leash));
  for (int i = 0; i < 5; ++i) {
    story.down(0);
    story.pass_with_timers(5s);
    if (i < 4) story.up(0);
  }
  REQUIRE(story.answering() == Records{1});
  order(story, "e0.example.net", OrderKind::force_up);
  CHECK(story.weight(0) == 100);
}

TEST_CASE("leash: who still answers somebody is no removal, and holds nobody else back",
          "[leash]") {
  Service made = pool(4);
  made.records[0].region = eu2;
  made.route = RouteLines{
      {RouteLine{MatchCountry{{code("FR")}}, {eu2}, {}}, RouteLine{MatchAll{}, {eu, eu2}, {}}}};
  LeashStory story(made);
  story.down(0);  // all that clients in France have
  story.down(1);
  CHECK(story.answering() == Records{2, 3});
  story.down(2);
  CHECK(story.answering() == Records{2, 3});
  const auto holds = story.steering.holds_of(ServiceId{0});
  REQUIRE(holds.size() == 1);
  CHECK(holds[0].until == story.clock.wall + removal_window);
  story.pass_with_timers(removal_window);
  CHECK(story.answering() == Records{3});
}

TEST_CASE("leash: by hand nobody waits abroad while others get no answer at home", "[leash]") {
  const KeyPair key = make_key_pair(KeyAlgorithm::EdDSA).value();
  Service made = seed_service();
  made.leash.failback_by_hand = true;
  made.on_block.answer = GENERATE(BlockAnswer::servfail, BlockAnswer::nodata, BlockAnswer::hold);
  CAPTURE(static_cast<int>(made.on_block.answer));
  LeashStory story(made, approved_by(key));
  story.down(0);
  story.grant(key, 50U);
  REQUIRE(story.choice().share == 50);
  story.pass_with_timers(10min);
  story.up(0);
  if (made.on_block.answer == BlockAnswer::hold) {
    CHECK(story.choice().share == 50);  // the others are at home, by weight
    CHECK(story.rest().kind == ChoiceKind::records);
    return;
  }
  CHECK(story.choice().share == 100);
  CHECK(story.answering() == Records{0});
}

TEST_CASE("leash: beside a share abroad nobody who is down is kept instead of a take-over",
          "[leash]") {
  const KeyPair key = make_key_pair(KeyAlgorithm::EdDSA).value();
  Service made = service("api", Residency::hard,
                         {record(eu, 100, "e0.example.net"), record(us, 0, "us.example.net"),
                          record(eu2, 100, "e2.example.net"), record(eu2, 100, "e3.example.net"),
                          record(eu2, 0, "standby.example.net")});
  add_check(made, 0, std::vector<SetWeight>{{RecordId{0}, 0}, {RecordId{1}, 100}});
  add_check(made, 2);
  add_check(made, 3);
  made.leash = keeping(50);
  made.route = RouteLines{{RouteLine{MatchAll{}, {eu, us, eu2}, {}}}};
  LeashStory story(made, approved_by(key));
  story.down(0);
  story.grant(key, 50U);
  REQUIRE(story.choice().share == 50);
  story.down(1);
  story.down(2);
  REQUIRE(story.choice().share == 50);
  REQUIRE(story.rest().records.size() == 1);
  CHECK(index_of(story.rest().records[0].record) == 4);
}

TEST_CASE("leash: a crossing that waits for its target is made when that is well", "[leash]") {
  const KeyPair key = make_key_pair(KeyAlgorithm::EdDSA).value();
  Service made = seed_service();
  add_check(made, 1);
  made.activation.target_healthy = true;
  made.leash.failover_delay = 10min;
  LeashStory story(made, approved_by(key));
  SECTION("it was down, and that did not count yet") {
    story.up(1);
    story.down(0);
    story.pass_with_timers(11min);
    story.down(1);
    story.pass_with_timers(10s);
  }
  SECTION("nobody knew yet") {
    story.down(0);
    story.pass_with_timers(11min);
  }
  story.grant(key);
  REQUIRE(story.answering() == Records{0});
  story.up(1);
  CHECK(story.answering() == Records{1});
}

}  // namespace demarc::zones::testing
