// The hysteresis as tables: rows of results, and the verdicts they make.
#include "health/verdict_machine.h"

#include <string>

#include <catch2/catch.hpp>

using namespace demarc;
using namespace demarc::health;
using namespace std::chrono_literals;
using zones::Verdict;

namespace {

MonotonicTime at(Milliseconds since_start) { return MonotonicTime{} + since_start; }

constexpr CheckTiming timing(unsigned fall, unsigned rise) {
  return {.interval = 10s, .timeout = 4s, .fall = fall, .rise = rise};
}

char letter(Verdict verdict) { return zones::to_text(verdict).front(); }

/// '+' and '-' are results ten seconds apart; what comes back are the verdicts after each.
std::string verdicts(VerdictMachine machine, const CheckTiming& check, std::string_view results) {
  std::string found;
  Milliseconds time{0};
  for (const char result : results) {
    machine.step(check, result == '+' ? ProbeOutcome::pass : ProbeOutcome::fail, at(time += 10s));
    found += letter(machine.verdict());
  }
  return found;
}

}  // namespace

TEST_CASE("verdict machine: fall and rise count what comes in a row", "[health][verdict]") {
  const auto [name, fall, rise, results, expected] =
      GENERATE(table<const char*, unsigned, unsigned, const char*, const char*>({
          {"the first pass decides at once", 3, 2, "+", "u"},
          {"the first failure decides at once", 3, 2, "-", "d"},
          {"one failure below fall changes nothing", 3, 2, "+--+--+", "uuuuuuu"},
          {"fall failures in a row", 3, 2, "+---", "uuud"},
          {"one failure is enough with fall 1", 1, 2, "+-", "ud"},
          {"one pass below rise changes nothing", 3, 2, "-+-+-", "ddddd"},
          {"rise passes in a row", 3, 2, "-++", "ddu"},
          {"one pass is enough with rise 1", 3, 1, "-+", "du"},
          {"a whole outage", 3, 2, "++---+-++-",
           "uuuuddddu"
           "u"},
          {"an alternating target keeps its verdict", 2, 2, "+-+-+-+-", "uuuuuuuu"},
      }));
  CAPTURE(name);
  CHECK(verdicts({}, timing(fall, rise), results) == expected);
}

TEST_CASE("verdict machine: a seed is a belief, not a count", "[health][verdict]") {
  const auto [name, seed, results, expected] =
      GENERATE(table<const char*, Verdict, const char*, const char*>({
          {"up needs fall failures to go", Verdict::up, "---", "uud"},
          {"down needs rise passes to go", Verdict::down, "++", "du"},
          {"stale is no belief", Verdict::stale, "-", "d"},
          {"unknown is no belief", Verdict::unknown, "+", "u"},
      }));
  CAPTURE(name);
  CHECK(verdicts(VerdictMachine::seeded(seed, at(0ms)), timing(3, 2), results) == expected);
}

TEST_CASE("verdict machine: a transition says from, to and why", "[health][verdict]") {
  VerdictMachine machine;
  const CheckTiming check = timing(1, 1);
  CHECK(machine.step(check, ProbeOutcome::pass, at(1s)) ==
        Transition{Verdict::unknown, Verdict::up, TransitionReason::first_result});
  CHECK(machine.step(check, ProbeOutcome::pass, at(2s)) == std::nullopt);
  CHECK(machine.step(check, ProbeOutcome::fail, at(3s)) ==
        Transition{Verdict::up, Verdict::down, TransitionReason::fell});
  CHECK(machine.step(check, ProbeOutcome::pass, at(4s)) ==
        Transition{Verdict::down, Verdict::up, TransitionReason::rose});
  CHECK(machine.check_age(check, at(60s)) ==
        Transition{Verdict::up, Verdict::stale, TransitionReason::went_stale});
  CHECK(machine.check_age(check, at(61s)) == std::nullopt);
}

TEST_CASE("verdict machine: a belief is stale after three intervals and a timeout",
          "[health][verdict]") {
  const auto [name, age, expected] = GENERATE(table<const char*, Milliseconds, Verdict>({
      {"just below", 33'999ms, Verdict::up},
      {"on", 34'000ms, Verdict::stale},
      {"just above", 34'001ms, Verdict::stale},
  }));
  CAPTURE(name);
  VerdictMachine machine;
  machine.step(timing(3, 2), ProbeOutcome::pass, at(5s));
  machine.check_age(timing(3, 2), at(5s + age));
  CHECK(machine.verdict() == expected);
}

TEST_CASE("verdict machine: unknown never grows stale", "[health][verdict]") {
  VerdictMachine machine;
  CHECK(machine.check_age(timing(3, 2), at(1h)) == std::nullopt);
  CHECK(machine.verdict() == Verdict::unknown);
}

TEST_CASE("verdict machine: after staleness the old belief holds until the counts overthrow it",
          "[health][verdict]") {
  const auto [name, before, results, expected] =
      GENERATE(table<const char*, const char*, const char*, const char*>({
          {"up comes back with a pass", "+", "+", "u"},
          {"up comes back even with a failure", "+", "---", "uud"},
          {"failures before the gap do not count", "+--", "---", "uud"},
          {"down comes back even with a pass", "-", "++", "du"},
      }));
  CAPTURE(name);
  const CheckTiming check = timing(3, 2);
  VerdictMachine machine;
  for (const char result : std::string_view(before)) {
    machine.step(check, result == '+' ? ProbeOutcome::pass : ProbeOutcome::fail, at(1s));
  }
  REQUIRE(machine.check_age(check, at(1h)));
  CHECK(verdicts(machine, check, results) == expected);
}

TEST_CASE("verdict machine: failures count until enough passes in a row clear them",
          "[health][verdict]") {
  const auto [ok, results, expected] = GENERATE(table<unsigned, const char*, const char*>({
      {1, "+-+-+-+-", "uuuuuuuu"},
      {2, "+-+-+-+-", "uuuuuddd"},
      {2, "+--++--++--", "uuuuuuuuuuu"},
      {3, "+--++-", "uuuuud"},
      {3, "+--+++--", "uuuuuuuu"},
      {9, "+---++-", "uuudduu"},  // what came before it rose is forgotten
  }));
  CAPTURE(ok, results);
  CheckTiming check = timing(3, 2);
  check.ok = ok;
  CHECK(verdicts({}, check, results) == expected);
}

TEST_CASE("verdict machine: the median of five answers says what is degraded",
          "[health][verdict]") {
  // Digits are hundreds of milliseconds, `-` a failure, `w` one that says itself that it is weak.
  const auto [name, results, expected] = GENERATE(table<const char*, const char*, const char*>({
      {"at the limit", "555555", "uuuuuu"},
      {"one slow answer, or two", "1166111", "uuuuuuu"},
      {"the third of five", "166161", "uuuudd"},
      {"three at once", "11666", "uuuud"},
      {"between the limits nothing changes", "6665555555", "uudddddddd"},
      {"back at 80 percent", "66644411", "uuddduuu"},
      {"failures have no say", "66--6--6", "uuuudddd"},
      {"down and up again, still slow", "666---66", "uudddxxd"},
      {"weak by its own word", "1wwww111", "uuuddddu"},
  }));
  CAPTURE(name);
  CheckTiming check = timing(3, 2);
  check.degraded_above = 500ms;
  VerdictMachine machine;
  std::string found;
  Milliseconds time{0};
  for (const char result : std::string_view(results)) {
    const auto outcome = result == '-'   ? ProbeOutcome::fail
                         : result == 'w' ? ProbeOutcome::weak
                                         : ProbeOutcome::pass;
    const Milliseconds latency{result >= '0' && result <= '9' ? (result - '0') * 100 : 0};
    machine.step(check, outcome, at(time += 10s), latency);
    found += machine.verdict() == Verdict::down ? 'x' : letter(machine.verdict());
  }
  CHECK(found == expected);
}

TEST_CASE("verdict machine: degraded survives a restart and a gap", "[health][verdict]") {
  CheckTiming check = timing(3, 2);
  check.degraded_above = 500ms;
  VerdictMachine machine = VerdictMachine::seeded(Verdict::degraded, at(0s));
  CHECK(machine.verdict() == Verdict::degraded);
  CHECK_FALSE(machine.step(check, ProbeOutcome::pass, at(10s), 100ms));
  REQUIRE(machine.check_age(check, at(100s)));
  CHECK(machine.verdict() == Verdict::stale);
  const auto fresh = machine.step(check, ProbeOutcome::pass, at(110s), 100ms);
  REQUIRE(fresh);
  CHECK(*fresh == Transition{Verdict::stale, Verdict::degraded, TransitionReason::fresh_again});
  const auto sped = machine.step(check, ProbeOutcome::pass, at(120s), 100ms);
  REQUIRE(sped);
  CHECK(*sped == Transition{Verdict::degraded, Verdict::up, TransitionReason::sped_up});
}
