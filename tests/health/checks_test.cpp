// The book of targets: who hears of a verdict, and what survives a reload.
#include "health/checks.h"

#include <catch2/catch.hpp>

using namespace demarc;
using namespace demarc::health;
using namespace std::chrono_literals;
using zones::Verdict;

namespace {

Moment at(Milliseconds time) { return {WallTime{time}, MonotonicTime{time}}; }

ProbeTarget target(std::string host, std::vector<std::string> keys) {
  return {{.host = std::move(host), .timing = {10s, 4s, 2, 2}}, std::move(keys)};
}

const ProbeResult good{ProbeOutcome::pass, "HTTP 200", 900us};
const ProbeResult bad{ProbeOutcome::fail, "HTTP 503", 800us};

}  // namespace

TEST_CASE("checks: a change is told to every key of the target", "[health][checks]") {
  Checks checks;
  const auto added = checks.replace({target("a", {"x", "y"})}, at(0s)).added;
  REQUIRE(added.size() == 1);
  const auto changes = checks.note(added[0], bad, at(1s));
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].key == "x");
  CHECK(changes[1].key == "y");
  CHECK(changes[1].from == Verdict::unknown);
  CHECK(changes[1].to == Verdict::down);
  CHECK(changes[1].detail == "HTTP 503");
  CHECK(changes[1].at == at(1s));
  CHECK(checks.note(added[0], bad, at(2s)).empty());
}

TEST_CASE("checks: the first round ends with the last target's first result", "[health][checks]") {
  Checks checks;
  CHECK(checks.is_first_round_done());
  const auto added = checks.replace({target("a", {"x"}), target("b", {"y"})}, at(0s)).added;
  checks.note(added[0], good, at(1s));
  checks.note(added[0], good, at(2s));
  CHECK_FALSE(checks.is_first_round_done());
  checks.note(added[1], bad, at(3s));
  CHECK(checks.is_first_round_done());
}

TEST_CASE("checks: a reload keeps what did not change and drops the rest", "[health][checks]") {
  Checks checks;
  const auto first = checks.replace({target("a", {"x"}), target("b", {"y"})}, at(0s)).added;
  checks.note(first[0], good, at(1s));
  checks.note(first[1], bad, at(1s));

  const auto second = checks.replace({target("a", {"x"}), target("c", {"y"})}, at(2s));
  CHECK(second.changes.empty());
  REQUIRE(second.added.size() == 1);
  CHECK(checks.find(first[0]) != nullptr);
  CHECK(checks.find(first[1]) == nullptr);
  CHECK_FALSE(checks.is_first_round_done());

  const auto states = checks.snapshot(at(3s));
  REQUIRE(states.size() == 2);
  CHECK(states[0].verdict == Verdict::up);
  CHECK(states[0].since == at(1s));
  CHECK(states[1].verdict == Verdict::unknown);
  CHECK(checks.note(first[1], good, at(4s)).empty());
}

TEST_CASE("checks: a check that joins a known target learns its verdict at once",
          "[health][checks]") {
  Checks checks;
  const auto added = checks.replace({target("a", {"x"})}, at(0s)).added;
  checks.note(added[0], bad, at(1s));
  const auto changes = checks.replace({target("a", {"new", "x"})}, at(2s)).changes;
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].key == "new");
  CHECK(changes[0].to == Verdict::down);
  CHECK(changes[0].detail == "HTTP 503");
}

TEST_CASE("checks: a seed is where a restart goes on", "[health][checks]") {
  Checks checks;
  checks.seed("x", Verdict::up);
  checks.seed("gone", Verdict::down);
  const auto added = checks.replace({target("a", {"x"})}, at(0s)).added;
  CHECK(checks.snapshot(at(0s)).at(0).verdict == Verdict::up);
  CHECK_FALSE(checks.is_first_round_done());
  CHECK(checks.note(added[0], bad, at(1s)).empty());
  CHECK(checks.note(added[0], bad, at(2s)).size() == 1);

  // The seed of a check that did not exist is forgotten, not kept for a later one of that name.
  checks.replace({target("b", {"gone"})}, at(3s));
  CHECK(checks.snapshot(at(3s)).at(0).verdict == Verdict::unknown);
}

TEST_CASE("checks: no result for three intervals and a timeout is stale", "[health][checks]") {
  Checks checks;
  const auto added = checks.replace({target("a", {"x"}), target("b", {"y"})}, at(0s)).added;
  checks.note(added[0], good, at(1s));
  CHECK(checks.check_ages(at(34'999ms)).empty());
  const auto changes = checks.check_ages(at(35s));
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].key == "x");
  CHECK(changes[0].to == Verdict::stale);
  CHECK(changes[0].detail == "no result for 34000 ms; the last one: HTTP 200");
}

TEST_CASE("checks: the snapshot says what is known of each check", "[health][checks]") {
  Checks checks;
  const auto added = checks.replace({target("b.example", {"z", "m"})}, at(0s)).added;
  CHECK(checks.snapshot(at(1s)).at(0).age == std::nullopt);
  CHECK(checks.snapshot(at(1s)).at(0).detail == "not probed yet");
  checks.note(added[0], good, at(2s));
  checks.note(added[0], bad, at(12s));
  const auto states = checks.snapshot(at(15s));
  REQUIRE(states.size() == 2);
  CHECK(states[0].key == "m");
  CHECK(states[1].key == "z");
  CHECK(states[0].url == "https://b.example/");
  CHECK(states[0].verdict == Verdict::up);
  CHECK(states[0].since == at(2s));
  CHECK(states[0].detail == "HTTP 503");
  CHECK(states[0].latency == 800us);
  CHECK(states[0].age == 3s);
  CHECK(states[0].passes == 0);
  CHECK(states[0].failures == 1);
}

TEST_CASE("checks: when a certificate ends is kept while nobody answers", "[health][checks]") {
  Checks checks;
  const auto added = checks.replace({target("a", {"x"})}, at(0s)).added;
  const auto end = [&] { return checks.snapshot(at(9s)).at(0).certificate_end; };
  CHECK_FALSE(end());
  ProbeResult seen = good;
  seen.certificate_end = at(1h).wall;
  checks.note(added[0], seen, at(1s));
  CHECK(end() == at(1h).wall);
  checks.note(added[0], bad, at(2s));
  CHECK(end() == at(1h).wall);
  seen.certificate_end = at(2h).wall;
  checks.note(added[0], seen, at(3s));
  CHECK(end() == at(2h).wall);
}

TEST_CASE("checks: what became of a target so far is counted", "[health][checks][history]") {
  Checks checks;
  const auto added = checks.replace({target("eu.example.net", {"a"})}, at(0s)).added;
  REQUIRE(added.size() == 1);
  const auto note = [&](const ProbeResult& result, Milliseconds when) {
    (void)checks.note(added[0], result, at(when));
    return checks.snapshot(at(when))[0];
  };
  CHECK(note(good, 1s).transitions == 1);
  CHECK(note(bad, 10s).down_time == 0s);
  CHECK(note(bad, 20s).transitions == 2);
  CHECK(checks.snapshot(at(25s))[0].down_time == 5s);
  CHECK(note(good, 30s).down_time == 10s);
  CHECK(note(good, 40s).down_time == 20s);
  const CheckState later = checks.snapshot(at(100s))[0];
  CHECK(later.down_time == 20s);
  CHECK(later.transitions == 3);
  CHECK(later.latencies.count() == 3);
  CHECK(later.latencies.quantile(0.5).value() >= 900us);
}
