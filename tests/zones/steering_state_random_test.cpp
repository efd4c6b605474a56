// What was told, measured and advised comes back from the state's text as it was, whatever it says.
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include <catch2/catch.hpp>

#include "zones/steering_state.h"

using namespace demarc;
using namespace demarc::zones;

namespace {

class RandomState {
 public:
  explicit RandomState(std::uint32_t seed) : random_(seed) {}

  SteeringState draw() {
    SteeringState state;
    for (std::size_t i = below(6); i > 0; --i) state.told[text()] = told();
    for (std::size_t i = below(6); i > 0; --i) {
      state.lag[text()] = {maybe() ? std::optional(number()) : std::nullopt, text(), time()};
    }
    for (std::size_t i = below(6); i > 0; --i) {
      std::optional<Effect> effect;
      if (maybe()) effect = maybe() ? Effect::allow : Effect::deny;
      state.advice[text()] = {text(), effect, text(), time()};
    }
    for (std::size_t i = below(6); i > 0; --i) state.checks[text()] = check();
    for (std::size_t i = below(6); i > 0; --i) {
      const std::string id = text();
      constexpr OrderKind kinds[] = {OrderKind::drain, OrderKind::force_up, OrderKind::force_down};
      state.orders[id] = {id, text(), text(), text(), text(), time(), time(), kinds[below(3)]};
    }
    for (std::size_t i = below(6); i > 0; --i) state.leashes[text()] = leash();
    if (maybe()) state.mass_failure = MassFailure{time(), time(), text(), text()};
    state.trusted_wall = time();
    state.configuration = text();
    return state;
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  bool maybe() { return below(2) == 0; }

  /// UTF-8 of up to 20 characters: what JSON escapes, what it does not, NUL, other scripts.
  std::string text() {
    static const std::vector<std::string> letters = {"a",
                                                     "Z",
                                                     " ",
                                                     "\"",
                                                     "\\",
                                                     "/",
                                                     "\n",
                                                     "\t",
                                                     "\r",
                                                     "\b",
                                                     "{}",
                                                     "[1]",
                                                     "\x7f",
                                                     ",",
                                                     ": ",
                                                     "0",
                                                     "ü",
                                                     "€",
                                                     "語",
                                                     "\xf0\x9f\x9a\xa7",
                                                     "\xef\xbf\xbd",
                                                     "\x1f",
                                                     "\\u0000",
                                                     std::string(1, '\0')};
    std::string out;
    for (std::size_t i = below(21); i > 0; --i) out += letters[below(letters.size())];
    return out;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> list(below(4));
    for (std::string& one : list) one = text();
    return list;
  }
  /// Any finite double, with its bits drawn evenly; sometimes one at an edge.
  double number() {
    using Limits = std::numeric_limits<double>;
    constexpr double edges[] = {0,
                                -0.0,
                                1,
                                0.1,
                                Limits::min(),
                                Limits::denorm_min(),
                                Limits::max(),
                                Limits::lowest(),
                                9007199254740993.0};
    if (below(4) == 0) return edges[below(std::size(edges))];
    for (;;) {
      const auto bits = (std::uint64_t{random_()} << 32U) | random_();
      if (const auto drawn = std::bit_cast<double>(bits); std::isfinite(drawn)) return drawn;
    }
  }
  WallTime time() {
    return WallTime(Milliseconds(static_cast<std::int64_t>(random_()) * 1000 - 1'000'000'000'000));
  }
  CheckState check() {
    constexpr Verdict verdicts[] = {Verdict::unknown, Verdict::up, Verdict::degraded, Verdict::down,
                                    Verdict::stale};
    CheckState drawn{.verdict = verdicts[below(5)],
                     .since = time(),
                     .detail = text(),
                     .failing = maybe(),
                     .degraded = maybe()};
    if (maybe()) drawn.failing_since = time();
    if (maybe()) drawn.returns = time();
    if (maybe()) {
      drawn.penalty = static_cast<std::uint32_t>(1 + random_() / 2);
      drawn.penalty_at = time();
    }
    return drawn;
  }
  LeashState leash() {
    LeashState drawn;
    for (std::size_t i = below(4); i > 0; --i) {
      drawn.weights[text()] = static_cast<std::uint16_t>(random_());
      drawn.removed.push_back({time(), static_cast<std::uint32_t>(random_())});
      drawn.returned[text()] = time();
      drawn.kept_away.insert(text());
    }
    return drawn;
  }
  Told told() {
    return {.weights = text(),
            .crossings = texts(),
            .soft_abroad = texts(),
            .left = texts(),
            .waits = text(),
            .asserted = text(),
            .leashed = text()};
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("steering state: random members come back as they were", "[steering][state][property]") {
  for (std::uint32_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    const SteeringState state = RandomState(seed).draw();
    const std::string text = write_state(state);
    const auto restored = parse_state(text);
    if (!restored) FAIL(restored.error());
    CHECK(*restored == state);
    CHECK(write_state(*restored) == text);
  }
}

TEST_CASE("steering state: of a file without the newer members, nothing was told of them",
          "[steering][state]") {
  SteeringState state;
  state.told["api.example.com"] = {.weights = "eu=0 us=100",
                                   .crossings = {"grant-1 to us"},
                                   .soft_abroad = {"us"},
                                   .left = {},
                                   .waits = {},
                                   .asserted = {}};
  state.advice["grant-1 from eu to us"] = {"api.example.com", {}, "", WallTime{}};
  state.lag["example.com/api/lag/us"] = {{}, "was not asked", WallTime{}};
  const std::string text = write_state(state);
  for (const char* member : {"\"left\"", "\"waits\"", "\"asserted\"", "\"allows\"", "\"value\""}) {
    CAPTURE(member);
    CHECK(text.find(member) == std::string::npos);
  }
  CHECK(parse_state(text) == state);
  CHECK(write_state({}).find("\"lag\"") == std::string::npos);
  CHECK(write_state({}).find("\"advice\"") == std::string::npos);
}

TEST_CASE("steering state: what no text can hold is told in letters that can",
          "[steering][state]") {
  SteeringState state;
  state.lag["lag"] = {3.0, "HTTP \xff\xfe", WallTime{}};
  const auto restored = parse_state(write_state(state));
  REQUIRE(restored.has_value());
  CHECK(restored->lag.at("lag").value == 3.0);
  CHECK(restored->lag.at("lag").detail == "HTTP \xef\xbf\xbd\xef\xbf\xbd");
}
