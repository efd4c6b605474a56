// The parts of a zone table: that it is cut into them changes no answer, and that a reload keeps
// those that would be the same.
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "dns/zone_table.h"
#include "tests/dns/world.h"

namespace demarc::dns::test {
namespace {

ZoneTable built(const World& world, const ZoneTable::BuildOptions& options) {
  auto table = ZoneTable::build(world.repository, options);
  if (!table) throw std::runtime_error(table.error().text());
  return std::move(*table);
}

/// Names of a few labels, so that everything meets everything: owners, what is between and below.
std::string some_name(std::mt19937& random) {
  static const std::vector<std::string> labels{"a", "b", "mail", "sub", "deep", "_acme-challenge"};
  std::string text;
  const std::size_t count = random() % 3;
  for (std::size_t i = 0; i < count; ++i) text += labels[random() % labels.size()] + ".";
  if (random() % 8 == 0) text = "*." + text;
  return text + (random() % 4 == 0 ? "child.example.com" : "example.com");
}

/// To the zone added last.
void add_some_record(World& world, std::mt19937& random) {
  std::string owner = some_name(random);
  while (!name(owner).is_at_or_below(world.repository.zones.back().apex)) {
    owner = some_name(random);
  }
  const std::string target = some_name(random);
  switch (random() % 8) {
    case 0:
      return world.add(fmt::format("{}. 300 IN CNAME {}.", owner, target));
    case 1:
      return world.add(fmt::format("{}. 300 IN MX 10 {}.", owner, target));
    case 2:
      return world.add(fmt::format("{}. 300 IN NS {}.", owner, target));
    case 3:
      return world.add(fmt::format("{}. 300 IN HTTPS 1 {}.", owner, target));
    case 4:
      return world.add(fmt::format("{}. 300 IN TXT {}", owner, random() % 100));
    case 5:
      return world.add(fmt::format("{}. 300 IN DNAME {}.", owner, target));
    default:
      return world.add(fmt::format("{}. 300 IN A 192.0.2.{}", owner, random() % 256));
  }
}

World some_world(std::mt19937& random) {
  World world;
  const std::size_t count = 1 + random() % 30;
  for (std::size_t i = 0; i < count; ++i) add_some_record(world, random);
  for (const unsigned number : {1U, 2U, 3U}) {
    zones::Service& service = world.add_service(fmt::format("api{}.example.com", number));
    World::route_by_country(service);
    World::add_record(service, 0, 100, fmt::format("api{}.eu.example.sov", number),
                      {fmt::format("192.0.2.{}", number)});
  }
  if (random() % 2 == 0) {
    world.add_zone("child.example.com");
    for (std::size_t i = 0; i < count; ++i) add_some_record(world, random);
  }
  return world;
}

/// What a reload may bring, with it what the numbers of services and zones mean: those stand in the
/// parts of a table.
void change(World& world, std::mt19937& random) {
  zones::Repository& repository = world.repository;
  std::vector<zones::Service>& services = repository.services;
  switch (random() % 5) {
    case 0:  // two services change places, and so do their numbers
      return std::swap(services[random() % services.size()], services[random() % services.size()]);
    case 1:  // or their names
      return std::swap(services.front().owner, services.back().owner);
    case 2:
      if (services.size() == 1) return;
      services.pop_back();
      std::erase(repository.zones[services.front().zone].services,
                 zones::ServiceId{static_cast<std::uint32_t>(services.size())});
      return;
    case 3:  // the child zone goes, comes, or comes first
      if (repository.zones.size() == 1) return world.add_zone("child.example.com");
      if (random() % 2 == 0 && services.front().zone == 0) return repository.zones.pop_back();
      std::swap(repository.zones[0], repository.zones[1]);
      for (zones::Service& service : services) service.zone = 1 - service.zone;
      return;
    default:
      return add_some_record(world, random);
  }
}

/// What a table answers to many questions, one after the other.
std::vector<Bytes> answers_of(World& world, ZoneTable table, std::uint32_t seed) {
  world.prepare();
  world.parts.zones = std::make_shared<const ZoneTable>(std::move(table));
  std::vector<zones::ClearedWeights> cleared;
  for (std::uint32_t id = 0; id < world.repository.services.size(); ++id) {
    cleared.push_back(world.clear(zones::ServiceId{id}));
  }
  const auto snapshot = build_snapshot(world.repository, *world.views, world.parts, cleared, {}, 1);
  Client client(*snapshot);
  std::mt19937 random(seed);
  std::vector<Bytes> answers;
  for (int i = 0; i < 200; ++i) {
    static const std::vector<std::uint16_t> types{
        rrtype::a,     rrtype::mx, rrtype::ns,    rrtype::txt, rrtype::https,
        rrtype::cname, rrtype::ds, rrtype::dname, rrtype::any, rrtype::soa};
    QueryParts parts;
    parts.name =
        random() % 5 == 0 ? fmt::format("api{}.example.com", 1 + random() % 3) : some_name(random);
    parts.type = types[random() % types.size()];
    const auto bytes = client.ask_bytes(query_bytes(parts));
    answers.emplace_back(bytes.begin(), bytes.end());
  }
  return answers;
}

TEST_CASE("table parts: however many there are, the answers are the same", "[dns][zone][parts]") {
  for (std::uint32_t seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    World world = some_world(random);
    const auto expected = answers_of(world, built(world, {.part_count = 1}), seed);
    for (const std::size_t part_count : {2U, 16U, 1024U}) {
      CAPTURE(part_count);
      ZoneTable table = built(world, {.threads = 2, .part_count = part_count});
      CHECK(table.part_count() == part_count);
      CHECK(answers_of(world, std::move(table), seed) == expected);
    }
  }
}

TEST_CASE("table parts: after any change the answers are those of a table made anew",
          "[dns][zone][parts]") {
  std::size_t shared = 0;
  for (std::uint32_t seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    World world = some_world(random);
    auto last = std::make_unique<ZoneTable>(built(world, {.part_count = 16}));
    for (int turn = 0; turn < 6; ++turn) {
      change(world, random);
      ZoneTable next = built(world, {.last = last.get(), .part_count = 16});
      shared += next.shared_parts(*last);
      // Kept parts live on without the table they were made for.
      last = std::make_unique<ZoneTable>(built(world, {.last = &next, .part_count = 16}));
      CHECK(answers_of(world, std::move(next), seed) ==
            answers_of(world, built(world, {.part_count = 16}), seed));
    }
  }
  CHECK(shared > 0);
}

World large_world(std::size_t names) {
  World world;
  zones::RRsets& rrsets = world.repository.zones.back().rrsets;
  for (std::size_t index = 0; index < names; ++index) {
    const auto owner = name(fmt::format("host{:06}.example.com", index));
    if (!rrsets.add(owner, rrtype::a, 300, "\1\2\3\4")) throw std::runtime_error("no room");
  }
  rrsets.sort();
  return world;
}

TEST_CASE("table parts: a reload keeps those that nothing has changed", "[dns][zone][parts]") {
  World world = large_world(50'000);
  const ZoneTable last = built(world, {});
  REQUIRE(last.part_count() == 32);

  SECTION("all of them, where nothing has") {
    CHECK(built(world, {.last = &last}).shared_parts(last) == 32);
  }
  SECTION("all but one, where a record has") {
    world.add("host000777.example.com. 300 IN A 192.0.2.1");
    CHECK(built(world, {.last = &last}).shared_parts(last) == 31);
  }
  SECTION("all but the new name's") {
    world.add("new.example.com. 300 IN A 192.0.2.1");
    const ZoneTable next = built(world, {.last = &last});
    CHECK(next.shared_parts(last) == 31);
    CHECK(next.node_count() == last.node_count() + 1);
  }
  SECTION("none from a table that was cut into other parts") {
    const ZoneTable other = built(world, {.part_count = 64});
    CHECK(built(world, {.last = &last, .part_count = 64}).shared_parts(last) == 0);
    // As many as it was cut into before is still good enough here.
    CHECK(built(world, {.last = &other}).part_count() == 64);
  }
  SECTION("and it is cut anew where it has become quite another") {
    World small = large_world(1000);
    CHECK(built(small, {.last = &last}).part_count() == 1);
  }
}

TEST_CASE("table parts: a table that needs too much memory is not built", "[dns][zone][parts]") {
  const World world = large_world(5'000);
  const std::size_t size = built(world, {.part_count = 4}).size_bytes();
  const auto build = [&](std::size_t bytes_max, std::size_t part_count) {
    return ZoneTable::build(world.repository, {.part_count = part_count, .bytes_max = bytes_max});
  };
  CHECK(build(size, 4));
  for (const std::size_t part_count : {1U, 4U, 64U}) {
    const auto table = build(size / 2, part_count);
    REQUIRE_FALSE(table);
    CHECK(table.error().text() ==
          fmt::format("the answers of all zones need more than {} bytes", size / 2));
  }
}

TEST_CASE("table parts: a zone without SOA is told, wherever it lies", "[dns][zone][parts]") {
  World world("*.wild.example");
  world.repository.zones.back().rrsets = zones::RRsets(name("*.wild.example"));
  const auto table = ZoneTable::build(world.repository);
  REQUIRE_FALSE(table);
  CHECK(table.error().text() == "zone *.wild.example. has no SOA");
}

}  // namespace
}  // namespace demarc::dns::test
