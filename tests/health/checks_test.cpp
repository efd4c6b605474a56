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

TEST_CASE("checks: a result without a word is none, and staleness follows", "[health][checks]") {
  Checks checks;
  const auto added = checks.replace({target("a", {"x"})}, at(0s)).added;
  const ProbeResult silent{ProbeOutcome::silent, "HTTP 503", 700us};
  CHECK(checks.note(added[0], silent, at(1s)).empty());
  CHECK(checks.is_first_round_done());
  CHECK(checks.snapshot(at(1s))[0].verdict == Verdict::unknown);
  REQUIRE(checks.note(added[0], good, at(10s)).size() == 1);
  for (int i = 2; i < 5; ++i) CHECK(checks.note(added[0], silent, at(i * 10s)).empty());
  CHECK(checks.check_ages(at(43s)).empty());
  const auto aged = checks.check_ages(at(44s));
  REQUIRE(aged.size() == 1);
  CHECK(aged[0].to == Verdict::stale);
  CHECK(aged[0].detail == "no result for 34000 ms; the last one: HTTP 503");
}

TEST_CASE("checks: a calculated check follows the others at once", "[health][checks]") {
  const auto [name, what, verdicts, expected] =
      GENERATE(table<const char*, zones::Calculated, std::string, Verdict>({
          {"two of three", {2, {"x", "y", "z"}, false}, "++-", Verdict::up},
          {"one of three", {2, {"x", "y", "z"}, false}, "+--", Verdict::down},
          {"decided without the last", {2, {"x", "y", "z"}, false}, "++?", Verdict::up},
          {"not decided yet", {2, {"x", "y", "z"}, false}, "+-?", Verdict::unknown},
          {"inverted", {1, {"x"}, true}, "+", Verdict::down},
          {"inverted, down", {1, {"x"}, true}, "-", Verdict::up},
          {"inverted, unknown", {1, {"x"}, true}, "?", Verdict::unknown},
      }));
  CAPTURE(name);
  const auto found = calculate(what, [&, &results = verdicts](const std::string& key) {
    const char c = results[static_cast<std::size_t>(key[0] - 'x')];
    return c == '+' ? Verdict::up : c == '-' ? Verdict::down : Verdict::unknown;
  });
  CHECK(found.verdict == expected);
}

TEST_CASE("checks: calculated ones over a reload, stale inputs and each other",
          "[health][checks]") {
  Checks checks;
  const std::vector<CalculatedCheck> calculated{{"all", {2, {"x", "y"}, false}},
                                                {"not", {1, {"all"}, true}}};
  const std::vector<ProbeTarget> targets{target("a", {"x"}), target("b", {"y"})};
  const auto added = checks.replace(targets, at(0s), calculated).added;
  CHECK(checks.note(added[0], good, at(1s)).size() == 1);
  const auto up = checks.note(added[1], good, at(1s));
  REQUIRE(up.size() == 3);
  CHECK(up[1].key == "all");
  CHECK(up[1].to == Verdict::up);
  CHECK(up[2].key == "not");
  CHECK(up[2].to == Verdict::down);
  CHECK(up[2].detail == "1 of 1 well, 0 unknown; up unless at least 1");

  CHECK(checks.replace(targets, at(2s), calculated).changes.empty());
  checks.note(added[0], bad, at(3s));
  const auto down = checks.note(added[0], bad, at(4s));
  REQUIRE(down.size() == 3);
  CHECK(down[1].to == Verdict::down);
  CHECK(down[2].to == Verdict::up);
  for (int i = 1; i <= 4; ++i) checks.note(added[1], good, at(i * 10s));
  const auto aged = checks.check_ages(at(40s));  // x alone has gone stale
  REQUIRE(aged.size() == 3);
  CHECK(aged[1].key == "all");
  CHECK(aged[1].to == Verdict::stale);
  const auto states = checks.snapshot(at(44s));
  REQUIRE(states.size() == 4);
  CHECK(states[0].key == "all");
  CHECK(states[0].url == "calculated");
  CHECK(states[0].down_time == 36s);
  CHECK(checks.replace(targets, at(50s)).changes.empty());
  CHECK(checks.snapshot(at(50s)).size() == 2);
}

TEST_CASE("checks: wavering is told once each way, also to those that join or leave",
          "[health][checks]") {
  Checks checks;
  const auto told = [&] {
    std::string text;
    for (const auto& [key, wavers] : checks.take_wavering()) text += (wavers ? '+' : '-') + key;
    return text;
  };
  const auto added = checks.replace({target("a", {"x"})}, at(0s)).added;
  checks.note(added[0], good, at(1s));
  CHECK(told().empty());
  checks.note(added[0], bad, at(2s));
  CHECK(told() == "+x");
  CHECK(told().empty());
  checks.replace({target("a", {"x", "y"})}, at(2s));
  CHECK(told() == "+y");
  checks.note(added[0], bad, at(3s));  // down now, and sure of it
  CHECK(told() == "-x-y");
  checks.note(added[0], good, at(4s));
  CHECK(told() == "+x+y");
  checks.check_ages(at(100s));
  CHECK(told() == "-x-y");
  checks.note(added[0], bad, at(101s));
  checks.note(added[0], good, at(102s));
  CHECK(told() == "+x+y");
  checks.replace({target("b", {"x"})}, at(103s));
  CHECK(told() == "-x-y");
}
