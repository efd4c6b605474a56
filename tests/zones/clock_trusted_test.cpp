// After a person's word that it is earlier than was believed: what is measured from now is as old
// as it was.
#include "tests/zones/leash_story.h"
#include "tests/zones/token_story.h"

#include <catch2/catch.hpp>

namespace demarc::zones::testing {
namespace {

/// The wall clock goes back, and somebody says that it is right now.
template <typename Story>
void set_back(Story& story, Milliseconds by) {
  story.clock.wall -= by;
  story.happens(TimerFired{});
  REQUIRE(story.steering.clock_in_doubt());
  story.happens(ClockTrusted{"anna", "it was ahead"});
  REQUIRE_FALSE(story.steering.clock_in_doubt());
}

const std::string lag_key = "example.com/api/lag/us";

Repository guarded_by_lag() {
  Repository repository = tenant_repository();
  repository.services[0].activation.lag = {
      {.key = lag_key, .region = us, .url = {}, .pointer = {}, .probe_at = {}, .max = 30}};
  return repository;
}

}  // namespace

TEST_CASE("clock set back: a failure that waits for its delay waits no longer", "[leash][clock]") {
  LeashSettings leash = loose();
  leash.failover_delay = 30s;
  LeashStory story(pool(2, leash));
  story.down(0);
  story.pass_with_timers(20s);
  set_back(story, 1h);
  CHECK(story.answering() == Records{0, 1});
  story.pass_with_timers(10s);
  CHECK(story.answering() == Records{1});
}

TEST_CASE("clock set back: a return that waits for its delay waits no longer", "[leash][clock]") {
  LeashSettings leash = loose();
  leash.failback_delay = 60s;
  LeashStory story(pool(2, leash));
  story.down(0);
  story.up(0);
  story.pass_with_timers(50s);
  CHECK(story.answering() == Records{1});
  set_back(story, 1h);
  CHECK(story.answering() == Records{1});
  story.pass_with_timers(10s);
  CHECK(story.answering() == Records{0, 1});
}

TEST_CASE("clock set back: what a mass failure took back counts when it ends", "[leash][clock]") {
  LeashStory story(pool(6, loose()), small_policy());
  for (std::size_t i = 0; i < 4; ++i) story.down(i);
  REQUIRE(story.steering.state().mass_failure);
  set_back(story, 1h);
  CHECK(story.steering.state().mass_failure);
  story.up(0);
  CHECK_FALSE(story.steering.state().mass_failure);
  CHECK(story.answering() == Records{0, 4, 5});
}

TEST_CASE("clock set back: failures of long ago are no mass failure now", "[leash][clock]") {
  LeashStory story(pool(6, loose()), small_policy());
  for (std::size_t i = 0; i < 4; ++i) {
    story.down(i);
    story.pass_with_timers(2min);
  }
  REQUIRE(story.answering() == Records{4, 5});
  set_back(story, 1h);
  story.down(4);
  CHECK_FALSE(story.steering.state().mass_failure);
  CHECK(story.answering() == Records{5});
}

TEST_CASE("clock set back: a lag of long ago opens no crossing", "[activation][clock]") {
  TokenStory story(guarded_by_lag());
  REQUIRE(story.present(story.token("legal-1", "t-1")).empty());
  REQUIRE(story.present(story.token("sec-1", "t-2")).empty());
  story.happens(LagMeasured{lag_key, 3.0, "3 at /lag"});
  story.pass(10min);
  story.eu_down();
  REQUIRE_FALSE(story.crosses());
  set_back(story, 15min);
  CHECK_FALSE(story.crosses());
  story.happens(LagMeasured{lag_key, 3.0, "3 at /lag"});
  CHECK(story.crosses());
}

}  // namespace demarc::zones::testing
