// The TTL of answers that may be others soon.
#include <algorithm>
#include <set>

#include <catch2/catch.hpp>

#include "dns/steered_answers.h"
#include "tests/dns/world.h"

namespace demarc::dns::test {
namespace {

constexpr std::int64_t start = 1'795'413'600'000;  // 2026-11-23T06:00:00Z
const Moment now{WallTime{Milliseconds{start}}, MonotonicTime{Milliseconds{5'000}}};

/// A service of TTL 60, at least 10, whose answers may change `after` the start.
struct TtlWorld {
  explicit TtlWorld(std::optional<Milliseconds> after) {
    zones::Service& api = world.add_service("api.example.com");
    World::add_record(api, 0, 100, "eu.example.net", {"192.0.2.1"});
    api.ttl = 60;
    api.ttl_min = 10;
    world.prepare();
    zones::Plan plan = zones::base_plan(world.repository, zones::ServiceId{0});
    if (after) plan.may_change_at = now.wall + *after;
    const auto cleared = zones::Gate::rule(world.repository, *world.views, plan, {}).cleared;
    snapshot =
        build_snapshot(world.repository, *world.views, world.parts, std::span(&cleared, 1), now, 1);
  }
  /// The TTLs of many answers given so long after the start.
  [[nodiscard]] std::set<std::uint32_t> ttls(Milliseconds passed, std::uint16_t type = rrtype::a) {
    Client client(*snapshot, 7);
    client.worker().now = {start + passed.count(), 5'000 + passed.count()};
    std::set<std::uint32_t> seen;
    for (int i = 0; i < 400; ++i) {
      const auto reply = client.ask("api.example.com", type);
      const std::string line = type == rrtype::a ? reply.answer().at(0) : reply.authority().at(0);
      const std::size_t at = line.find(' ') + 1;
      seen.insert(static_cast<std::uint32_t>(std::stoul(line.substr(at))));
    }
    return seen;
  }
  World world;
  std::unique_ptr<const Snapshot> snapshot;
};

std::pair<std::uint32_t, std::uint32_t> range(const std::set<std::uint32_t>& seen) {
  return {*seen.begin(), *seen.rbegin()};
}

using Range = std::pair<std::uint32_t, std::uint32_t>;

TEST_CASE("ttl: nothing under way, the whole of it", "[dns][ttl]") {
  CHECK(TtlWorld({}).ttls(Milliseconds{0}) == std::set<std::uint32_t>{60});
}

TEST_CASE("ttl: never longer than until a change, not below the least, and spread", "[dns][ttl]") {
  const auto [after, passed, expected] = GENERATE(table<int, int, Range>({
      {1'000'000, 0, {48, 60}},  // far off: a fifth of it less by chance
      {25'900, 0, {20, 25}},
      {25'000, 10'000, {12, 15}},
      {25'000, 14'000, {10, 11}},
      {25'000, 15'000, {10, 10}},
      {25'000, 24'000, {10, 10}},
      {25'000, 90'000, {10, 10}},  // it was due, and has not happened yet
      {-1'000'000'000, 0, {10, 10}},
  }));
  CAPTURE(after, passed);
  TtlWorld world(Milliseconds{after});
  CHECK(range(world.ttls(Milliseconds{passed})) == expected);
}

TEST_CASE("ttl: what says that there is nothing lives no longer", "[dns][ttl]") {
  // Without an address of that family the answer is the same for ever.
  CHECK(TtlWorld(Milliseconds{0}).ttls(Milliseconds{0}, rrtype::aaaa).size() == 1);
}

}  // namespace
}  // namespace demarc::dns::test
