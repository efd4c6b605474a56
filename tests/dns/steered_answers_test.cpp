#include "dns/steered_answers.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <map>

#include "tests/dns/world.h"

namespace demarc::dns::test {
namespace {

using Lines = std::vector<std::string>;

constexpr const char* germany = "203.0.113.0";
constexpr const char* america = "198.51.100.0";

// eu: A and AAAA, us: A alone; Germany goes to eu, the United States to us, others to eu.
World geo_world() {
  World world;
  world.add("ns1.example.com. 300 IN A 192.0.2.53");
  world.add("alias.example.com. 300 IN CNAME api.example.com.");
  world.add("*.many.example.com. 300 IN CNAME api.example.com.");
  world.add("api.example.com. 300 IN TXT \"beside\"");
  zones::Service& api = world.add_service("api.example.com");
  World::route_by_country(api);
  World::add_record(api, 0, 100, "eu.example.net", {"192.0.2.1", "2001:db8::1"});
  World::add_record(api, 1, 100, "us.example.net", {"192.0.2.2"});
  world.add_network("198.51.0.0/16", "US");
  world.add_network("203.0.0.0/8", "DE");
  world.add_network("2001:db8:aaaa::/48", "US");
  return world;
}

void make_hard(zones::Service& service) {
  service.residency = zones::Residency::hard;
  service.home_kind = zones::HomeKind::jurisdiction;
  service.home = zones::JurisdictionId{0};
}

TEST_CASE("steered: the client's location picks the records", "[dns][steered]") {
  World world = geo_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  CHECK(client.ask_for("api.example.com", rrtype::a, germany, 24).answer() ==
        Lines{"api.example.com. 30 A 192.0.2.1"});
  CHECK(client.ask_for("api.example.com", rrtype::a, america, 24).answer() ==
        Lines{"api.example.com. 30 A 192.0.2.2"});
  client.from = address(america);
  CHECK(client.ask("api.example.com", rrtype::a).answer() ==
        Lines{"api.example.com. 30 A 192.0.2.2"});
  CHECK(client.ask_for("api.example.com", rrtype::a, germany, 24).answer() ==
        Lines{"api.example.com. 30 A 192.0.2.1"});
}

TEST_CASE("steered: ECS scopes", "[dns][steered][ecs]") {
  World world = geo_world();
  zones::Service& flat = world.add_service("flat.example.com");
  World::add_record(flat, 0, 1, "flat.example.net", {"192.0.2.9"});
  const auto snapshot = world.build();
  Client client(*snapshot);
  client.from = address(america);
  struct Row {
    const char* name;
    const char* qname;
    std::uint16_t type;
    const char* subnet;
    std::uint8_t source;
    unsigned scope;
  };
  const std::vector<Row> rows{
      {"the shortest prefix of one answer", "api.example.com", rrtype::a, america, 24, 16},
      {"longer than the source", "api.example.com", rrtype::a, "198.0.0.0", 8, 11},
      {"on negative answers, too", "api.example.com", rrtype::aaaa, america, 24, 16},
      {"IPv6", "api.example.com", rrtype::a, "2001:db8:aaaa::", 56, 48},
      {"IPv4 in IPv6", "api.example.com", rrtype::a, "2002:c633:6400::", 48, 32},
      {"through a CNAME", "alias.example.com", rrtype::a, america, 24, 16},
      {"a static name", "ns1.example.com", rrtype::a, america, 24, 0},
      {"a static type of a service", "api.example.com", rrtype::txt, america, 24, 0},
      {"a type that no record has", "api.example.com", rrtype::mx, america, 24, 0},
      {"a name that does not exist", "no.example.com", rrtype::a, america, 24, 0},
      {"a service that is the same for all", "flat.example.com", rrtype::a, america, 24, 0},
      {"source 0 asks for nothing tailored", "api.example.com", rrtype::a, "0.0.0.0", 0, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Message message = client.ask_for(row.qname, row.type, row.subnet, row.source);
    REQUIRE(message.scope());
    CHECK(*message.scope() == row.scope);
    const Bytes echoed = *message.option(edns::client_subnet);
    CHECK(echoed[2] == row.source);
  }
  CHECK(client.ask_for("api.example.com", rrtype::a, "0.0.0.0", 0).answer() ==
        Lines{"api.example.com. 30 A 192.0.2.1"});
  QueryParts parts;
  parts.name = "api.example.com";
  parts.has_edns = true;
  CHECK_FALSE(client.ask(parts).scope());
  parts.options = ecs_bytes(0, 0, {});
  CHECK(client.ask(parts).option(edns::client_subnet) == Bytes{0, 0, 0, 0});
}

TEST_CASE("steered: what the record lacks is NODATA, not another record", "[dns][steered]") {
  World world = geo_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  client.from = address(america);
  for (const char* const qname : {"api.example.com", "alias.example.com", "x.y.many.example.com"}) {
    CAPTURE(qname);
    const Message message = client.ask(qname, rrtype::aaaa);
    CHECK(message.rcode() == 0);
    CHECK(message.aa());
    REQUIRE(message.authority().size() == 1);
    CHECK(message.authority()[0].starts_with("example.com. 60 SOA"));
  }
  CHECK(client.ask("api.example.com", rrtype::txt).answer() ==
        Lines{"api.example.com. 300 TXT \"beside\""});
  CHECK(client.ask("alias.example.com", rrtype::txt).answer().size() == 2);
  CHECK(client.ask("api.example.com", rrtype::any).answer().size() == 1);
}

TEST_CASE("steered: through CNAMEs the owner is their target", "[dns][steered]") {
  World world = geo_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  client.from = address(america);
  CHECK(client.ask("alias.example.com", rrtype::a).answer() ==
        Lines{"alias.example.com. 300 CNAME api.example.com.", "api.example.com. 30 A 192.0.2.2"});
  CHECK(client.ask("much.longer.many.example.com", rrtype::a).answer() ==
        Lines{"much.longer.many.example.com. 300 CNAME api.example.com.",
              "api.example.com. 30 A 192.0.2.2"});
}

TEST_CASE("steered: at a wildcard and at the apex", "[dns][steered]") {
  World world;
  zones::Service& wild = world.add_service("*.shop.example.com");
  World::add_record(wild, 0, 1, "shop.example.net", {});
  zones::Service& apex = world.add_service("example.com");
  World::add_record(apex, 0, 1, "www.example.net", {"192.0.2.7"});
  const auto snapshot = world.build();
  Client client(*snapshot);
  CHECK(client.ask("a.b.shop.example.com", rrtype::a).answer() ==
        Lines{"a.b.shop.example.com. 30 CNAME shop.example.net."});
  CHECK(client.ask("a.shop.example.com", rrtype::txt).answer() ==
        Lines{"a.shop.example.com. 30 CNAME shop.example.net."});
  CHECK(client.ask("shop.example.com", rrtype::a).authority().size() == 1);
  CHECK(client.ask("example.com", rrtype::a).answer() == Lines{"example.com. 30 A 192.0.2.7"});
  CHECK(client.ask("example.com", rrtype::soa).answer().size() == 1);
  CHECK(client.ask("example.com", rrtype::ns).answer().size() == 1);
  CHECK(client.ask("example.com", rrtype::any).answer().size() == 1);
}

TEST_CASE("steered: weights hold within four sigma", "[dns][steered][weights]") {
  World world;
  zones::Service& service = world.add_service("w.example.com");
  const std::vector<std::uint16_t> weights{1, 10, 100, 889};
  for (std::size_t index = 0; index < weights.size(); ++index) {
    World::add_record(service, 0, weights[index], "n" + std::to_string(index) + ".example.net",
                      {"192.0.2." + std::to_string(index)});
  }
  const auto snapshot = world.build();
  Client client(*snapshot, 42);
  constexpr double draws = 200'000;
  std::map<unsigned, double> seen;
  const Bytes packet = query_bytes({.name = "w.example.com"});
  for (int draw = 0; draw < static_cast<int>(draws); ++draw)
    ++seen[client.ask_bytes(packet).back()];
  for (unsigned index = 0; index < weights.size(); ++index) {
    const double share = weights[index] / 1000.0;
    const double sigma = std::sqrt(draws * share * (1 - share));
    CAPTURE(index);
    CHECK(std::abs(seen[index] - draws * share) < 4 * sigma);
  }
}

TEST_CASE("steered: answers all or some, each address once", "[dns][steered]") {
  World world;
  zones::Service& service = world.add_service("n.example.com");
  for (int index = 0; index < 6; ++index) {
    World::add_record(service, 0, static_cast<std::uint16_t>(index < 2 ? 1000 : 1),
                      "n" + std::to_string(index) + ".example.net",
                      {"192.0.2." + std::to_string(index), "192.0.2.100"});
  }
  service.answers = GENERATE(std::size_t{2}, 5, 6, 7, zones::answers_all);
  const auto snapshot = world.build();
  Client client(*snapshot);
  const std::size_t own_addresses = std::min<std::size_t>(service.answers, 6);
  for (int round = 0; round < 100; ++round) {
    auto answer = client.ask("n.example.com", rrtype::a).answer();
    CHECK(answer.size() == own_addresses + 1);
    std::ranges::sort(answer);
    CHECK(std::ranges::adjacent_find(answer) == answer.end());
  }
}

TEST_CASE("steered: some of many follow the weights, too", "[dns][steered][weights]") {
  World world;
  zones::Service& service = world.add_service("n.example.com");
  service.answers = 2;
  const std::vector<std::uint16_t> weights{50, 30, 20};
  for (std::size_t index = 0; index < weights.size(); ++index) {
    World::add_record(service, 0, weights[index], "n" + std::to_string(index) + ".example.net",
                      {"192.0.2." + std::to_string(index)});
  }
  const auto snapshot = world.build();
  Client client(*snapshot, 7);
  const Bytes packet = query_bytes({.name = "n.example.com"});
  std::map<std::pair<unsigned, unsigned>, double> seen;
  constexpr int draws = 100'000;
  for (int draw = 0; draw < draws; ++draw) {
    const auto answer = client.ask_bytes(packet);
    ++seen[{answer[answer.size() - 17], answer.back()}];
  }
  for (const auto& [pair, count] : seen) {
    const double first = weights[pair.first];
    const double share = first / 100.0 * weights[pair.second] / (100.0 - first);
    CHECK(std::abs(count - draws * share) < 4 * std::sqrt(draws * share * (1 - share)));
  }
  CHECK(seen.size() == 6);
}

TEST_CASE("steered: a CNAME stands alone", "[dns][steered]") {
  World world;
  zones::Service& service = world.add_service("mix.example.com");
  World::add_record(service, 0, 1, "name.example.net", {});
  World::add_record(service, 0, 1, "addr1.example.net", {"192.0.2.1"});
  World::add_record(service, 0, 1, "addr2.example.net", {"192.0.2.2"});
  service.answers = GENERATE(std::size_t{1}, 2, 3);
  const auto snapshot = world.build();
  Client client(*snapshot);
  bool saw_cname = false;
  for (int round = 0; round < 200; ++round) {
    const auto answer = client.ask("mix.example.com", rrtype::a).answer();
    const bool has_cname = std::ranges::any_of(
        answer, [](const std::string& line) { return line.find(" CNAME ") != std::string::npos; });
    if (has_cname) CHECK(answer.size() == 1);
    saw_cname = saw_cname || has_cname;
  }
  CHECK(saw_cname);
}

// A hard service whose eu records are down, and a grant for us that ends at `end_ms`.
struct GrantWorld {
  World world = geo_world();
  std::unique_ptr<const Snapshot> snapshot;

  GrantWorld(std::int64_t end_ms, Moment now) {
    zones::Service& api = world.repository.services[0];
    make_hard(api);
    api.route = zones::RouteWeighted{};
    api.records[1].weight = 0;
    world.prepare();
    zones::Plan plan = zones::base_plan(world.repository, zones::ServiceId{0});
    plan.weights = {0, 100};
    plan.usable = {false, true};
    zones::Permission permission{"grant-1",
                                 zones::ServiceId{0},
                                 {zones::RegionId{0}},
                                 {zones::RegionId{1}},
                                 zones::Mode::full_write,
                                 WallTime{Milliseconds{end_ms}}};
    const auto ruling =
        zones::Gate::rule(world.repository, *world.views, plan, std::span(&permission, 1));
    snapshot = build_snapshot(world.repository, *world.views, world.parts,
                              std::span(&ruling.cleared, 1), now, 1);
  }
};

TEST_CASE("steered: a grant ends by either clock, and no TTL outlives it",
          "[dns][steered][grant]") {
  constexpr std::int64_t start = 1'000'000;
  constexpr std::int64_t mono = 5'000;
  constexpr std::int64_t life = 60'000;
  const Moment now{WallTime{Milliseconds{start}}, MonotonicTime{Milliseconds{mono}}};
  GrantWorld grant(start + life, now);
  Client client(*grant.snapshot);
  struct Row {
    const char* name;
    std::int64_t wall;
    std::int64_t monotonic;
    const char* address;
    unsigned ttl;
    unsigned error;
  };
  const std::vector<Row> rows{
      {"long before its end", start, mono, "192.0.2.2", 30, 49153},
      {"the TTL is clipped, rounded down", start + 35'000, mono + 35'000, "192.0.2.2", 24, 49153},
      {"a second and the margin are left", start + 58'900, mono + 58'900, "192.0.2.2", 1, 49153},
      {"less than that is left: TTL 0", start + 58'901, mono + 58'901, "192.0.2.2", 0, 49153},
      {"the last moments", start + 59'989, mono + 59'989, "192.0.2.2", 0, 49153},
      {"as late as the clocks may lag", start + 59'990, mono + 59'990, "192.0.2.1", 30, 49152},
      {"after the end", start + 60'000, mono + 60'000, "192.0.2.1", 30, 49152},
      {"the wall clock was set back", start - 10'000, mono + 60'000, "192.0.2.1", 30, 49152},
      {"the wall clock was set forward", start + 70'000, mono + 1, "192.0.2.1", 30, 49152},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    client.worker().now = {row.wall, row.monotonic};
    QueryParts parts;
    parts.name = "api.example.com";
    parts.has_edns = true;
    const Message message = client.ask(parts);
    CHECK(message.answer() ==
          Lines{"api.example.com. " + std::to_string(row.ttl) + " A " + row.address});
    CHECK(message.extended_error() == row.error);
    parts.name = "alias.example.com";
    CHECK(client.ask(parts).answer().back() ==
          "api.example.com. " + std::to_string(row.ttl) + " A " + row.address);
  }
  SECTION("NODATA is clipped as well") {
    client.worker().now = {start + 35'000, mono + 35'000};
    for (const char* const qname : {"api.example.com", "alias.example.com"}) {
      const auto authority = client.ask(qname, rrtype::aaaa).authority();
      REQUIRE(authority.size() == 1);
      CHECK(authority[0].starts_with("example.com. 24 SOA"));
    }
  }
  CHECK(client.worker().counters.fenced.value() > 0);
}

TEST_CASE("steered: weights published again do not prolong a grant", "[dns][steered][grant]") {
  const Moment first{WallTime{Milliseconds{1'000'000}}, MonotonicTime{Milliseconds{5'000}}};
  GrantWorld grant(1'060'000, first);
  const Moment wall_set_back{WallTime{Milliseconds{900'000}}, MonotonicTime{Milliseconds{6'000}}};
  zones::Plan plan = zones::base_plan(grant.world.repository, zones::ServiceId{0});
  plan.weights = {0, 100};
  plan.usable = {false, true};
  zones::Permission permission{"grant-1",
                               zones::ServiceId{0},
                               {zones::RegionId{0}},
                               {zones::RegionId{1}},
                               zones::Mode::full_write,
                               WallTime{Milliseconds{1'060'000}}};
  const auto ruling = zones::Gate::rule(grant.world.repository, *grant.world.views, plan,
                                        std::span(&permission, 1));
  const auto next = with_weights(*grant.snapshot, grant.world.repository, *grant.world.views,
                                 std::span(&ruling.cleared, 1), wall_set_back);
  CHECK(next->generation == 2);
  CHECK(next->services[0].monotonic_end_ms == 65'000);
  CHECK(next->zones == grant.snapshot->zones);
}

TEST_CASE("steered: on-block answers say so", "[dns][steered]") {
  World world = geo_world();
  zones::Service& api = world.repository.services[0];
  make_hard(api);
  api.route = zones::RouteWeighted{};
  api.records[1].weight = 0;
  const auto [block, rcode] = GENERATE(table<zones::BlockAnswer, unsigned>(
      {{zones::BlockAnswer::nodata, 0U}, {zones::BlockAnswer::servfail, 2U}}));
  api.on_block.answer = block;
  world.prepare();
  zones::Plan plan = zones::base_plan(world.repository, zones::ServiceId{0});
  plan.weights = {0, 100};
  plan.usable = {false, true};
  const auto ruling = zones::Gate::rule(world.repository, *world.views, plan, {});
  const auto snapshot = build_snapshot(world.repository, *world.views, world.parts,
                                       std::span(&ruling.cleared, 1), {}, 1);
  Client client(*snapshot);
  for (const char* const qname : {"api.example.com", "alias.example.com"}) {
    QueryParts parts;
    parts.name = qname;
    parts.has_edns = true;
    const Message message = client.ask(parts);
    CHECK(message.rcode() == rcode);
    CHECK(message.extended_error() == 49152U);
    CHECK(message.authority().size() == (rcode == 0 ? 1 : 0));
    parts.has_edns = false;
    CHECK(client.ask(parts).rcode() == rcode);
  }
}

TEST_CASE("steered: a service without weights answers SERVFAIL", "[dns][steered]") {
  World world = geo_world();
  world.prepare();
  const auto snapshot = build_snapshot(world.repository, *world.views, world.parts, {}, {}, 1);
  Client client(*snapshot);
  CHECK(client.ask("api.example.com", rrtype::a).rcode() == 2);
  CHECK(client.ask("alias.example.com", rrtype::a).answer().empty());
  CHECK(client.ask("api.example.com", rrtype::txt).rcode() == 0);
}

}  // namespace
}  // namespace demarc::dns::test
