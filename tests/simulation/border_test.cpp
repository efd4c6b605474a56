// Random histories, judged by an oracle that knows DESIGN.md section 4 and none of the code it
// judges: at no moment does a hard service answer outside home without a live grant.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>

#include <catch2/catch.hpp>

#include "tests/simulation/history.h"

namespace demarc::simulation {
namespace {

constexpr std::uint64_t events_a_world = 500;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

TEST_CASE("border: random histories never answer outside home without a live grant",
          "[simulation]") {
  const std::uint64_t events = from_environment("DEMARC_SIMULATION_EVENTS", 30'000);
  const std::uint64_t seed = from_environment("DEMARC_SIMULATION_SEED", std::random_device{}());
  WARN("replay: DEMARC_SIMULATION_SEED=" << seed << " DEMARC_SIMULATION_EVENTS=" << events
                                         << " simulation_tests");
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t crossings = 0, held = 0, refused = 0, accepted = 0, restarts = 0, shares = 0,
                tenants = 0, made = 0, advised = 0, lags = 0, asserted = 0;
  for (std::uint64_t world = 0; world * events_a_world < events; ++world) {
    History history(seed + world);
    for (std::uint64_t i = 0; i < events_a_world; ++i) history.one_event();
    if (const std::string& text = history.oracle().violation(); !text.empty()) {
      FAIL("seed " << seed + world << ": " << text);
    }
    REQUIRE(history.states_round_trip());
    crossings += history.oracle().crossings_seen;
    held += history.oracle().held_seen;
    shares += history.oracle().shares_seen;
    tenants += history.oracle().tenants_seen;
    made += history.oracle().made_seen;
    advised += history.oracle().advised_seen;
    lags += history.oracle().lags_seen;
    asserted += history.oracle().asserted_seen;
    refused += history.refused();
    accepted += history.accepted();
    restarts += history.restarts();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  WARN(events << " events in " << took.count() << " s, "
              << static_cast<std::uint64_t>(static_cast<double>(events) / took.count())
              << " a second; answers judged outside home " << crossings << " (of a share " << shares
              << ", of tenants " << tenants << "), crossings made " << made << " (advised "
              << advised << ", behind a lag " << lags << "), asserted " << asserted << ", held "
              << held << ", tokens accepted " << accepted << ", refused " << refused
              << ", restarts " << restarts);
  // A simulation in which nothing ever crosses, is held or refused would prove nothing.
  CHECK(crossings > events / 100);
  CHECK(made > events / 5000);
  CHECK(held > events / 100);
  CHECK(refused > events / 1000);
  CHECK(accepted > events / 1000);
  CHECK(restarts > events / 1000);
}

TEST_CASE("border: one list of events makes the same decisions twice", "[simulation]") {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const auto play = [seed] {
      History history(seed);
      for (int i = 0; i < 1'000; ++i) history.one_event();
      return history.digest();
    };
    CHECK(play() == play());
  }
}

}  // namespace demarc::simulation
