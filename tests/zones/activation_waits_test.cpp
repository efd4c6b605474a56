// A crossing that is covered waits for its steps, and is made when the last one passes: the lag of
// a replica, the advisor's word; over a restart, an end of the grant, a freeze, home's recovery.
#include <algorithm>
#include <cmath>

#include "tests/zones/token_story.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

const std::string lag_key = "example.com/api/lag/us";
const std::string api_check = "example.com/api/api.eu.example.net";

enum class Guard : std::uint8_t { lag, advisor };

Repository guarded_by(Guard guard) {
  Repository repository = tenant_repository();
  if (guard == Guard::advisor) {
    repository.policy.advisor = Advisor{"http://127.0.0.1:1/v1/data/crossing", 500ms};
  } else {
    repository.services[0].activation.lag = {
        {.key = lag_key, .region = us, .url = {}, .pointer = {}, .probe_at = {}, .max = 30}};
  }
  return repository;
}

/// A grant of an hour is live, home has failed, and the crossing waits for one step.
struct Waits : TokenStory {
  explicit Waits(Guard guard_of) : TokenStory(guarded_by(guard_of)), guard(guard_of) {
    REQUIRE(present(token("legal-1", "t-1")).empty());
    REQUIRE(present(token("sec-1", "t-2")).empty());
    grant = steering.state().grants.begin()->first;
    eu_down();
    REQUIRE_FALSE(crosses());
    if (guard == Guard::advisor) question = asked();
  }
  Waits(const Waits& before, SteeringState restored)
      : TokenStory(guarded_by(before.guard), std::move(restored)),
        guard(before.guard),
        grant(before.grant),
        question(before.question) {}

  void eu_up() { happens(VerdictFound{api_check, Verdict::up, "HTTP 200"}); }
  /// What is waited for comes: a small lag, an allow.
  void good_word() {
    if (guard == Guard::lag) return (void)happens(LagMeasured{lag_key, 3.0, "3 at /lag"});
    happens(AdviceGiven{question, Effect::allow, "fine"});
  }
  void bad_word() {
    if (guard == Guard::lag) return (void)happens(LagMeasured{lag_key, 31.0, "31 at /lag"});
    happens(AdviceGiven{question, Effect::deny, "not now"});
  }
  [[nodiscard]] std::string asked() const {
    REQUIRE(effects.advice_wanted.size() == 1);
    return effects.advice_wanted.front().id;
  }
  [[nodiscard]] std::string step_name() const {
    return guard == Guard::lag ? "replication-lag" : "advisor";
  }
  /// The names of the steps that have not passed, of the one crossing that waits; "" if none does.
  [[nodiscard]] std::string waited_for() const {
    const auto waiting = steering.waiting(ServiceId{0});
    if (waiting.empty()) return {};
    CHECK(waiting.size() == 1);
    CHECK(waiting.begin()->first == grant + " to us");
    return failed_steps(waiting.begin()->second);
  }
  [[nodiscard]] auto count(const std::string& kind) const {
    return std::ranges::count(told(), kind);
  }

  Guard guard;
  std::string grant;
  std::string question;
};

Waits restarted(const Waits& before) {
  const auto restored = parse_state(write_state(before.steering.state()));
  REQUIRE(restored.has_value());
  REQUIRE(*restored == before.steering.state());
  Waits after(before, *restored);
  after.clock = before.clock;
  return after;
}

/// The facts of an entry that are steps, in order.
std::vector<std::pair<std::string, std::string>> steps_of(const AuditEntry& entry) {
  std::vector<std::pair<std::string, std::string>> steps;
  for (const auto& fact : entry.facts) {
    if (fact.first.starts_with("step-")) steps.push_back(fact);
  }
  return steps;
}

}  // namespace

TEST_CASE("activation: the entry of a crossing that waits has every step with its result",
          "[activation]") {
  const Guard guard = GENERATE(Guard::lag, Guard::advisor);
  const bool is_lag = guard == Guard::lag;
  const Waits story(guard);
  const AuditEntry& entry = story.fact("activation-waits");
  CHECK(entry.jurisdiction == "EU");
  CHECK(entry.fact("crossing") == story.grant + " to us");
  CHECK_FALSE(entry.tells_of_new_crossing);
  std::vector<std::pair<std::string, std::string>> expected = {
      {"step-evidence-quorum",
       "passed: " + api_check + " down since 2026-11-23T12:00:00.000Z: HTTP 503"},
      {"step-target-healthy", "passed: the target has no checks"}};
  if (is_lag) {
    expected.emplace_back("step-replication-lag",
                          "not passed: " + lag_key + " was not measured yet");
  }
  expected.emplace_back(
      "step-legal-token",
      "passed: " + story.grant + " by anna (legal), ben (security) until 2026-11-23T13:00:00.000Z");
  expected.emplace_back("step-residency-rule", "passed: grant-required");
  if (!is_lag) expected.emplace_back("step-advisor", "not passed: asked, no answer yet");
  expected.emplace_back("step-freeze-off", "passed: not frozen");
  CHECK(steps_of(entry) == expected);
  CHECK(story.waited_for() == story.step_name());
  CHECK(story.count("crossing-made") == 0);
  CHECK(story.fact("crossing-held").fact("why") ==
        "a grant covers it, and it waits for steps: " + story.grant +
            " to us: " + story.step_name());
}

TEST_CASE("activation: what is waited for comes, and the crossing is made with its steps told",
          "[activation]") {
  Waits story(GENERATE(Guard::lag, Guard::advisor));
  story.pass(5s);
  story.good_word();
  CHECK(story.crosses());
  CHECK(story.waited_for().empty());
  CHECK(story.count("activation-waits") == 0);
  REQUIRE(story.count("crossing-made") == 1);
  const AuditEntry& made = story.fact("crossing-made");
  CHECK(made.tells_of_new_crossing);
  CHECK(made.fact("from") == "eu");
  const auto steps = steps_of(made);
  REQUIRE(steps.size() == 6);
  for (const auto& [step, text] : steps) {
    CAPTURE(step);
    CHECK(text.starts_with("passed: "));
  }
  CHECK(made.fact("step-" + story.step_name()) ==
        (story.guard == Guard::lag
             ? "passed: 3 measured at 2026-11-23T12:00:05.000Z, at most 30 allowed"
             : "passed: allows: fine"));
  CHECK(story.fact("pending-ended").fact("why") == "covered by a grant");
  CHECK(story.steering.state().told.at("api.example.com").waits.empty());

  // The steps are asked of a new crossing alone: this one stays until its grant or its need ends.
  story.bad_word();
  CHECK(story.crosses());
  story.pass(10min);
  story.happens(TimerFired{});
  CHECK(story.crosses());
}

TEST_CASE("activation: a bad word leaves the crossing held, and is told once", "[activation]") {
  Waits story(GENERATE(Guard::lag, Guard::advisor));
  story.bad_word();
  CHECK_FALSE(story.crosses());
  CHECK(story.waited_for() == story.step_name());
  // The same step is still the one that is waited for, and that was told.
  CHECK(story.count("activation-waits") == 0);
  CHECK(story.count("crossing-held") == 0);
  CHECK(story.effects.alerts_raised.empty());
  story.pass(5s);
  story.bad_word();
  CHECK(story.effects.audit.empty());
  CHECK_FALSE(story.crosses());
  story.good_word();
  CHECK(story.crosses() ==
        (story.guard == Guard::lag));  // a deny is final, a lag is measured again
}

TEST_CASE("activation: silence makes no crossing, however long", "[activation]") {
  Waits story(GENERATE(Guard::lag, Guard::advisor));
  for (int i = 0; i < 20; ++i) {
    story.pass(advice_asked_again);
    if (story.guard == Guard::lag) {
      story.happens(LagMeasured{lag_key, std::nullopt, "no answer within 200 ms"});
    } else {
      story.happens(TimerFired{});
      CHECK(story.asked() == story.question);
      story.happens(AdviceGiven{story.question, {}, "no advice within 500 ms"});
    }
    CHECK_FALSE(story.crosses());
    CHECK(story.waited_for() == story.step_name());
    CHECK(story.count("activation-waits") == 0);
  }
}

TEST_CASE("activation: a lag at its bounds", "[activation]") {
  Waits story(Guard::lag);
  SECTION("one unit in the last place too much") {
    story.happens(LagMeasured{lag_key, std::nextafter(30.0, 31.0), ""});
    CHECK_FALSE(story.crosses());
  }
  SECTION("just as much as is allowed") {
    story.happens(LagMeasured{lag_key, 30.0, ""});
    CHECK(story.crosses());
  }
  SECTION("another replica's") {
    story.happens(LagMeasured{"example.com/docs/lag/us", 0.0, ""});
    CHECK_FALSE(story.crosses());
    CHECK_FALSE(story.steering.state().lag.contains("example.com/docs/lag/us"));
  }
  SECTION("measured, then lost: what was good is good no more") {
    story.eu_up();
    story.happens(LagMeasured{lag_key, 1.0, ""});
    story.happens(LagMeasured{lag_key, std::nullopt, "connection refused"});
    story.eu_down();
    CHECK_FALSE(story.crosses());
    CHECK(story.fact("activation-waits").fact("step-replication-lag") ==
          "not passed: not known: connection refused");
  }
  SECTION("measured three intervals ago, and a millisecond less") {
    const Milliseconds fresh = lag_fresh_intervals * LagCheck{}.interval;
    const bool is_old = GENERATE(true, false);
    story.eu_up();
    story.happens(LagMeasured{lag_key, 1.0, ""});
    story.pass(is_old ? fresh : fresh - 1ms);
    story.eu_down();
    CHECK(story.crosses() == !is_old);
  }
}

TEST_CASE("activation: a restart amid the wait goes on waiting", "[activation]") {
  const Guard guard = GENERATE(Guard::lag, Guard::advisor);
  const Waits before(guard);
  SECTION("nothing was heard yet") {
    Waits after = restarted(before);
    CHECK_FALSE(after.crosses());
    CHECK(after.waited_for() == after.step_name());
    CHECK(after.count("activation-waits") == 0);  // it was told before
    after.good_word();
    CHECK(after.crosses());
    CHECK(after.count("crossing-made") == 1);
  }
  SECTION("a bad word was heard") {
    Waits bad(guard);
    bad.bad_word();
    Waits after = restarted(bad);
    CHECK_FALSE(after.crosses());
    CHECK(after.waited_for() == after.step_name());
    after.good_word();
    CHECK(after.crosses() == (guard == Guard::lag));
  }
  SECTION("a good word was heard before the failure of another step") {
    Waits frozen(guard);
    frozen.happens(FreezeSet{true, "anna", "hold on"});
    frozen.good_word();
    REQUIRE_FALSE(frozen.crosses());
    Waits after = restarted(frozen);
    CHECK_FALSE(after.crosses());
    CHECK(after.waited_for() == "freeze-off");
    after.happens(FreezeSet{false, "anna", ""});
    CHECK(after.crosses());
  }
  SECTION("it is made already: no step is asked again, no entry made twice") {
    Waits made(guard);
    made.good_word();
    REQUIRE(made.crosses());
    const Waits after = restarted(made);
    CHECK(after.crosses());
    CHECK(after.count("crossing-made") == 0);
    CHECK(after.effects.advice_wanted.empty());
  }
}

TEST_CASE("activation: a grant that ends while its crossing waits opens nothing any more",
          "[activation]") {
  Waits story(GENERATE(Guard::lag, Guard::advisor));
  SECTION("by time") {
    story.pass(1h);
    story.happens(TimerFired{});
  }
  SECTION("by a word") { story.happens(GrantRevoked{story.grant, "anna", "a mistake"}); }
  SECTION("by the event that would have opened it") { story.pass(1h); }
  story.good_word();
  CHECK_FALSE(story.crosses());
  CHECK(story.steering.waiting(ServiceId{0}).empty());
  CHECK(story.steering.state().grants.empty());
  CHECK(story.steering.state().advice.empty());
  CHECK(story.steering.state().told.at("api.example.com").waits.empty());
  REQUIRE(story.steering.state().pending.size() == 1);  // it is wanted as before
  CHECK(story.steering.state().pending.begin()->second.why ==
        "the target is outside home and no live grant covers it");
}

TEST_CASE("activation: a freeze while a crossing waits keeps it from being made", "[activation]") {
  Waits story(GENERATE(Guard::lag, Guard::advisor));
  story.happens(FreezeSet{true, "anna", "hold on"});
  CHECK(story.waited_for() == story.step_name() + ", freeze-off");
  story.good_word();
  CHECK_FALSE(story.crosses());
  CHECK(story.waited_for() == "freeze-off");
  CHECK(story.fact("activation-waits").fact("step-freeze-off") ==
        "not passed: frozen by anna: hold on");
  SECTION("it ends: the crossing is made then, not with the next event of that service") {
    story.happens(FreezeSet{false, "anna", ""});
    CHECK(story.crosses());
    CHECK(story.count("crossing-made") == 1);
  }
  SECTION("the grant's end goes on") {
    story.pass(1h);
    story.happens(FreezeSet{false, "anna", ""});
    CHECK_FALSE(story.crosses());
  }
  SECTION("the way home goes on") {
    story.eu_up();
    story.happens(FreezeSet{false, "anna", ""});
    CHECK_FALSE(story.crosses());
    CHECK(story.steering.state().pending.empty());
  }
}

TEST_CASE("activation: home that recovers while a crossing waits ends the wait", "[activation]") {
  Waits story(GENERATE(Guard::lag, Guard::advisor));
  story.eu_up();
  CHECK(story.waited_for().empty());
  CHECK(story.fact("pending-ended").fact("why") == "no longer wanted");
  CHECK_FALSE(story.steering.state().told.contains("api.example.com"));
  story.good_word();
  CHECK_FALSE(story.crosses());
  CHECK(story.count("crossing-made") == 0);

  // The next failure is a new crossing: a fresh lag counts for it, a word on the last one does not.
  story.eu_down();
  CHECK(story.crosses() == (story.guard == Guard::lag));
  if (story.guard == Guard::lag) return;
  CHECK(story.count("activation-waits") == 1);
  CHECK(story.asked() == story.question);
  story.good_word();
  CHECK(story.crosses());
}

TEST_CASE("activation: a reload that asks for more is waited for, one that asks for less opens",
          "[activation]") {
  Waits story(GENERATE(Guard::lag, Guard::advisor));
  Repository repository = guarded_by(story.guard);
  SECTION("capacity as well") {
    repository.services[0].activation.capacity = 60;
    story.load(std::move(repository));
    CHECK(story.fact("activation-waits").fact("step-capacity") ==
          "not passed: 0 % declared, 60 % required");
    story.good_word();
    CHECK_FALSE(story.crosses());
    CHECK(story.waited_for() == "capacity");
    Repository enough = guarded_by(story.guard);
    enough.services[0].activation.capacity = 60;
    enough.services[0].records[1].capacity = 60;
    story.load(std::move(enough));
    CHECK(story.crosses());
  }
  SECTION("nothing any more") {
    story.load(tenant_repository());
    CHECK(story.crosses());
    CHECK(steps_of(story.fact("crossing-made")).size() == 5);
  }
}
