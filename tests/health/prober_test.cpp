// The whole prober against real servers: verdicts come, change, survive reloads and never come from
// the prober's own trouble.
#include "health/prober.h"

#include <algorithm>
#include <memory>
#include <mutex>

#include <catch2/catch.hpp>

#include "tests/health/probing.h"
#include "tests/support/wait_for.h"

using namespace demarc;
using namespace demarc::health;
using namespace std::chrono_literals;
using testing::Conduct;
using testing::HttpBackend;
using testing::wait_for;
using zones::Verdict;

namespace {

Moment system_now() {
  return {std::chrono::floor<Milliseconds>(std::chrono::system_clock::now()),
          std::chrono::floor<Milliseconds>(std::chrono::steady_clock::now())};
}

/// A prober and all it said.
class Watched {
 public:
  explicit Watched(std::size_t in_flight_max = probes_in_flight_max,
                   std::size_t per_host_max = probes_per_host_max)
      : prober({.clock = system_now,
                .seed = 1,
                .in_flight_max = in_flight_max,
                .per_host_max = per_host_max},
               {.on_verdict = [this](const VerdictChange& change) { take(change); },
                .on_first_round_done = [this] { ++first_rounds; }}) {}
  ~Watched() { prober.stop(); }

  /// Every change of one key so far, as "unknown>up up>down".
  [[nodiscard]] std::string history(const std::string& key) const {
    const std::scoped_lock lock(mutex_);
    std::string text;
    for (const VerdictChange& change : changes_) {
      if (change.key != key) continue;
      if (!text.empty()) text += ' ';
      text += std::string(to_text(change.from)) + '>' + std::string(to_text(change.to));
    }
    return text;
  }
  [[nodiscard]] Verdict verdict(const std::string& key) const {
    for (const CheckState& state : prober.snapshot()) {
      if (state.key == key) return state.verdict;
    }
    return Verdict::unknown;
  }

  std::atomic<int> first_rounds{0};
  std::atomic<bool> is_stuck{false};  // the next callback hangs until this is false again
  std::atomic<bool> has_been_stuck{false};
  Prober prober;

 private:
  void take(const VerdictChange& change) {
    {
      const std::scoped_lock lock(mutex_);
      changes_.push_back(change);
    }
    if (!is_stuck) return;
    has_been_stuck = true;
    static_cast<void>(wait_for([this] { return !is_stuck; }, 20s));
  }
  mutable std::mutex mutex_;
  std::vector<VerdictChange> changes_;
};

ProbeTarget target(const HttpBackend& backend, std::vector<std::string> keys,
                   CheckTiming timing = {.interval = 50ms, .timeout = 2s, .fall = 2, .rise = 2}) {
  Probe probe = local_probe(backend.port());
  probe.timing = timing;
  return {probe, std::move(keys)};
}

}  // namespace

TEST_CASE("prober: a backend dies and comes back", "[health][prober]") {
  HttpBackend backend;
  Watched watched;
  REQUIRE(watched.prober.start({target(backend, {"a", "b"})}));
  CHECK(wait_for([&] { return watched.first_rounds == 1; }));
  CHECK(watched.history("a") == "unknown>up");
  backend.close();
  CHECK(wait_for([&] { return watched.verdict("a") == Verdict::down; }));
  backend.reopen();
  CHECK(wait_for([&] { return watched.verdict("a") == Verdict::up; }));
  backend.status(503);
  CHECK(wait_for([&] { return watched.verdict("a") == Verdict::down; }));
  watched.prober.stop();
  CHECK(watched.history("a") == "unknown>up up>down down>up up>down");
  CHECK(watched.history("b") == watched.history("a"));
  CHECK(watched.first_rounds == 1);
}

TEST_CASE("prober: the first round waits for every target", "[health][prober]") {
  HttpBackend good;
  HttpBackend slow;
  slow.slow(400ms);
  Watched watched;
  REQUIRE(watched.prober.start({target(good, {"good"}), target(slow, {"slow"})}));
  CHECK(wait_for([&] { return watched.history("good") == "unknown>up"; }));
  CHECK(wait_for([&] { return watched.first_rounds == 1; }));
  CHECK(watched.history("slow") == "unknown>up");
}

TEST_CASE("prober: nothing to probe is a first round too", "[health][prober]") {
  Watched watched;
  REQUIRE(watched.prober.start({}));
  CHECK(wait_for([&] { return watched.first_rounds == 1; }));
}

TEST_CASE("prober: a target is probed once however many checks use it", "[health][prober]") {
  HttpBackend backend;
  Watched watched;
  REQUIRE(watched.prober.start({target(backend, {"a", "b", "c"}, {.interval = 1h})}));
  CHECK(wait_for([&] { return watched.history("c") == "unknown>up"; }));
  CHECK(backend.requests() == 1);
}

TEST_CASE("prober: a seeded verdict holds until the counts overthrow it", "[health][prober]") {
  HttpBackend backend;
  backend.status(500);
  Watched watched;
  watched.prober.seed("a", Verdict::up);
  REQUIRE(watched.prober.start({target(backend, {"a"})}));
  CHECK(wait_for([&] { return watched.first_rounds == 1; }));
  CHECK(wait_for([&] { return watched.verdict("a") == Verdict::down; }));
  watched.prober.stop();
  CHECK(watched.history("a") == "up>down");
}

TEST_CASE("prober: a reload keeps known verdicts, gives up the rest", "[health][prober]") {
  HttpBackend kept;
  HttpBackend dropped;
  HttpBackend fresh;
  dropped.hang();
  Watched watched;
  const CheckTiming once{.interval = 1h, .timeout = 30s};
  REQUIRE(watched.prober.start({target(kept, {"kept"}, once), target(dropped, {"dropped"}, once)}));
  CHECK(wait_for([&] { return watched.history("kept") == "unknown>up"; }));
  CHECK(wait_for([&] { return dropped.requests() == 1; }));
  CHECK(watched.first_rounds == 0);

  watched.prober.replace({target(kept, {"kept", "joined"}, once), target(fresh, {"fresh"}, once)});
  CHECK(wait_for([&] { return watched.first_rounds == 1; }));
  CHECK(watched.history("fresh") == "unknown>up");
  CHECK(watched.history("joined") == "unknown>up");
  CHECK(kept.requests() == 1);
  CHECK(wait_for([&] { return dropped.open_connections() == 0; }));
  CHECK(watched.prober.snapshot().size() == 3);
}

TEST_CASE("prober: hanging and endless neighbours harm nobody else", "[health][prober]") {
  HttpBackend good;
  std::vector<std::unique_ptr<HttpBackend>> bad;
  std::vector<ProbeTarget> targets;
  for (const Conduct conduct : {Conduct::hang, Conduct::endless_body, Conduct::dribble,
                                Conduct::endless_headers, Conduct::reset, Conduct::garbage}) {
    bad.push_back(std::make_unique<HttpBackend>());
    bad.back()->behave({.conduct = conduct});
    targets.push_back(target(*bad.back(), {"bad" + std::to_string(bad.size())}));
  }
  targets.push_back(target(good, {"good"}));
  Watched watched;
  REQUIRE(watched.prober.start(std::move(targets)));
  CHECK(wait_for([&] { return good.requests() >= 20; }));
  CHECK(wait_for([&] { return watched.first_rounds == 1; }));
  watched.prober.stop();
  CHECK(watched.history("good") == "unknown>up");
}

TEST_CASE("prober: no more probes in flight than allowed", "[health][prober]") {
  HttpBackend backend;
  backend.slow(20ms);
  std::vector<ProbeTarget> targets;
  for (int i = 0; i < 12; ++i) {
    targets.push_back(target(backend, {std::to_string(i)}, {.interval = 1h}));
    targets.back().probe.path = "/" + std::to_string(i);
  }
  Watched watched(2);
  REQUIRE(watched.prober.start(std::move(targets)));
  std::size_t most = 0;
  CHECK(wait_for([&] {
    most = std::max(most, backend.open_connections());
    return watched.first_rounds == 1;
  }));
  CHECK(backend.requests() == 12);
  // The server may still be closing one while the next comes in.
  CHECK(most <= 4);
}

TEST_CASE("prober: a host that hangs with all its checks leaves room for the others",
          "[health][prober]") {
  HttpBackend hung;
  hung.hang();
  HttpBackend good({.address = "::1"});
  std::vector<ProbeTarget> targets;
  for (int i = 0; i < 10; ++i) {
    targets.push_back(
        target(hung, {std::to_string(i)}, {.interval = 1h, .timeout = 60s, .fall = 2, .rise = 2}));
    targets.back().probe.path = "/" + std::to_string(i);
  }
  ProbeTarget elsewhere = target(good, {"good"});
  elsewhere.probe.addresses = {*geo::parse_address("::1")};
  auto all = targets;
  all.push_back(elsewhere);
  Watched watched(4, 2);
  REQUIRE(watched.prober.start(all));
  CHECK(wait_for([&] { return good.requests() >= 10; }));
  CHECK(hung.open_connections() == 2);
  CHECK(watched.verdict("good") == Verdict::up);

  // Those that hang are given up, in flight or in line; of the next two one was in line.
  watched.prober.replace({targets[9], targets[0], elsewhere});
  const std::size_t before = good.requests();
  CHECK(wait_for([&] { return good.requests() >= before + 10; }));
  CHECK(wait_for([&] { return hung.open_connections() <= 2; }));
  watched.prober.replace({elsewhere});
  CHECK(wait_for([&] { return hung.open_connections() == 0; }));
  hung.ok();
  watched.prober.replace(all);
  for (int i = 0; i < 10; ++i) {
    CHECK(wait_for([&] { return watched.verdict(std::to_string(i)) == Verdict::up; }));
  }
}

TEST_CASE("prober: its own stall is no evidence against an endpoint", "[health][prober]") {
  HttpBackend slow;
  HttpBackend other;
  slow.slow(100ms);
  Watched watched;
  const CheckTiming touchy{.interval = 10ms, .timeout = 500ms, .fall = 1, .rise = 1};
  REQUIRE(watched.prober.start({target(slow, {"slow"}, touchy), target(other, {"other"}, touchy)}));
  CHECK(wait_for([&] { return watched.first_rounds == 1; }));

  watched.is_stuck = true;  // a callback hangs while a probe of `slow` is in flight
  other.status(500);
  CHECK(wait_for([&] { return watched.has_been_stuck.load(); }));
  const MonotonicTime stuck_since = watched.prober.last_tick();
  CHECK(wait_for([&] { return system_now().monotonic - stuck_since > 1'500ms; }));
  CHECK(watched.prober.last_tick() == stuck_since);
  const std::size_t before = slow.requests();
  watched.is_stuck = false;

  CHECK(wait_for([&] { return slow.requests() >= before + 3; }));
  CHECK(watched.prober.last_tick() > stuck_since);
  watched.prober.stop();
  // Stale it may have become meanwhile, which is true; down it was not.
  CHECK_FALSE(watched.history("slow").contains("down"));
}

TEST_CASE("prober: it ends at once, whatever is in flight", "[health][prober]") {
  HttpBackend backend;
  backend.hang();
  Watched watched;
  REQUIRE(watched.prober.start({target(backend, {"a"}, {.interval = 1h, .timeout = 1h})}));
  CHECK(wait_for([&] { return backend.requests() == 1; }));
  const MonotonicTime before = system_now().monotonic;
  watched.prober.stop();
  watched.prober.stop();
  CHECK(system_now().monotonic - before < 5s);
  CHECK(wait_for([&] { return backend.open_connections() == 0; }));
}

TEST_CASE("prober: the snapshot has evidence and its age", "[health][prober]") {
  HttpBackend backend;
  Watched watched;
  REQUIRE(watched.prober.start({target(backend, {"a"}, {.interval = 1h})}));
  CHECK(wait_for([&] { return watched.first_rounds == 1; }));
  const auto states = watched.prober.snapshot();
  REQUIRE(states.size() == 1);
  CHECK(states[0].detail == "HTTP 200");
  CHECK(states[0].latency > 0us);
  CHECK(states[0].passes == 1);
  REQUIRE(states[0].age);
  CHECK(wait_for([&] { return watched.prober.snapshot().at(0).age > *states[0].age; }));
}
