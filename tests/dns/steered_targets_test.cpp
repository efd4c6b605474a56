// The additional section of NS, MX, SRV, SVCB and HTTPS whose targets are steered: what the client
// would be answered if it asked for them now, and nothing else.
#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <set>

#include "dns/answer_writer.h"
#include "tests/dns/world.h"
#include "tests/support/allocation_count.h"

namespace demarc::dns::test {
namespace {

using Lines = std::vector<std::string>;

constexpr const char* germany = "203.0.113.0";
constexpr const char* america = "198.51.100.0";

World target_world() {
  World world;
  world.add("example.com. 300 IN MX 10 api.example.com.");
  world.add("example.com. 300 IN MX 20 mail.example.com.");
  world.add("mail.example.com. 300 IN A 192.0.2.25");
  world.add("_sip._tcp.example.com. 300 IN SRV 0 0 5060 API.example.com.");
  world.add("svc.example.com. 300 IN HTTPS 1 api.example.com. alpn=h2");
  world.add("api.example.com. 300 IN SVCB 1 . alpn=h2");
  world.add("*.wild.example.com. 300 IN MX 10 api.example.com.");
  world.add("*.bound.example.com. 300 IN SVCB 1 . alpn=h2");
  world.add("sub.example.com. 300 IN NS api.example.com.");
  world.add("cname.example.com. 300 IN MX 10 outside.example.com.");
  world.add("plain.example.com. 300 IN HTTPS 1 mail.example.com. alpn=h2");
  world.add_network("198.51.0.0/16", "US");
  world.add_network("203.0.0.0/8", "DE");
  zones::Service& api = world.add_service("api.example.com");
  World::route_by_country(api);
  World::add_record(api, 0, 100, "eu.example.net", {"192.0.2.1", "2001:db8::1"});
  World::add_record(api, 1, 100, "us.example.net", {"192.0.2.2"});
  zones::Service& outside = world.add_service("outside.example.com");
  World::add_record(outside, 0, 1, "elsewhere.example.net", {});
  return world;
}

TEST_CASE("targets: steered ones are answered as this client would be", "[dns][targets]") {
  World world = target_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  const Lines german{"api.example.com. 30 A 192.0.2.1", "api.example.com. 30 AAAA 2001:db8::1"};
  const Lines american{"api.example.com. 30 A 192.0.2.2"};
  struct Row {
    const char* name;
    std::uint16_t type;
    Lines statics;
  };
  const std::vector<Row> rows{
      {"example.com", rrtype::mx, {"mail.example.com. 300 A 192.0.2.25"}},
      {"_sip._tcp.example.com", rrtype::srv, {}},
      {"svc.example.com", rrtype::https, {}},
      {"api.example.com", rrtype::svcb, {}},
      {"any.longer.wild.example.com", rrtype::mx, {}},
      {"deep.below.sub.example.com", rrtype::a, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    for (const auto& [network, drawn] :
         {std::pair{germany, german}, std::pair{america, american}}) {
      Lines wanted = row.statics;
      wanted.insert(wanted.end(), drawn.begin(), drawn.end());
      const Message message = client.ask_for(row.name, row.type, network, 24);
      CHECK(message.additional() == wanted);
      const Message direct = client.ask_for("api.example.com", rrtype::a, network, 24);
      CHECK(message.scope() == direct.scope());
      CHECK_FALSE(message.tc());
    }
  }
}

TEST_CASE("targets: none for a CNAME, an owner that is a wildcard, or a type without targets",
          "[dns][targets]") {
  World world = target_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  CHECK(client.ask("cname.example.com", rrtype::mx).additional().empty());
  CHECK(client.ask("x.bound.example.com", rrtype::svcb).additional().empty());
  CHECK(client.ask("sub.example.com", rrtype::ds).additional().empty());
  CHECK(client.ask("plain.example.com", rrtype::https).additional() ==
        Lines{"mail.example.com. 300 A 192.0.2.25"});
  const Message unsteered = client.ask_for("plain.example.com", rrtype::https, germany, 24);
  CHECK(unsteered.scope() == 0U);
}

TEST_CASE("targets: addresses that do not fit are left out whole, without TC", "[dns][targets]") {
  World world = target_world();
  zones::Service& many = world.add_service("many.example.com");
  many.answers = zones::answers_all;
  for (int record = 0; record < 30; ++record) {
    World::add_record(many, 0, 1, "e" + std::to_string(record) + ".example.net",
                      {"192.0.3." + std::to_string(record), "2001:db8::" + std::to_string(record)});
  }
  world.add("big.example.com. 300 IN MX 10 many.example.com.");
  const auto snapshot = world.build();
  Client client(*snapshot);
  QueryParts parts;
  parts.name = "big.example.com";
  parts.type = rrtype::mx;
  CHECK(client.ask(parts).additional().empty());  // 30 * 16 bytes and more do not fit into 512
  parts.has_edns = true;
  const Message message = client.ask(parts);
  CHECK_FALSE(message.tc());
  CHECK(message.additional().size() == 30);  // A alone: AAAA would need 840 bytes more
  client.transport = Transport::tcp;
  CHECK(client.ask(parts).additional().size() == 60);
}

TEST_CASE("targets: at most so many are drawn for one answer", "[dns][targets]") {
  World world = target_world();
  for (std::size_t at = 0; at < steered_targets_max + 2; ++at) {
    const std::string owner = "s" + std::to_string(at) + ".example.com";
    zones::Service& service = world.add_service(owner);
    World::add_record(service, 0, 1, "t.example.net", {"192.0.2." + std::to_string(at + 100)});
    world.add("all.example.com. 300 IN MX 10 " + owner + ".");
  }
  const auto snapshot = world.build();
  Client client(*snapshot);
  QueryParts parts;
  parts.name = "all.example.com";
  parts.type = rrtype::mx;
  parts.has_edns = true;
  CHECK(client.ask(parts).additional().size() == steered_targets_max);
}

// A hard service at home in eu under a grant for us, which ends.
struct GrantedWorld {
  World world = make();
  std::unique_ptr<const Snapshot> snapshot;

  static constexpr std::int64_t start = 1'795'413'600'000;

  static World make() {
    World world;
    world.add("example.com. 300 IN MX 10 api.example.com.");
    world.add("alias.example.com. 300 IN CNAME api.example.com.");
    world.add("led.example.com. 300 IN DNAME example.com.");
    zones::Service& api = world.add_service("api.example.com");
    World::add_record(api, 0, 100, "eu.example.net", {"192.0.2.1"});
    World::add_record(api, 1, 0, "us.example.net", {"192.0.2.2"});
    api.residency = zones::Residency::hard;
    api.home_kind = zones::HomeKind::jurisdiction;
    api.home = zones::JurisdictionId{0};
    return world;
  }
  void build(unsigned share, bool has_grant) {
    world.prepare();
    zones::Plan plan = zones::base_plan(world.repository, zones::ServiceId{0});
    plan.weights = {0, 100};
    plan.usable = {false, true};
    const zones::Permission permission{"grant-0123456789",
                                       zones::ServiceId{0},
                                       {zones::RegionId{0}},
                                       {zones::RegionId{1}},
                                       zones::Mode::full_write,
                                       WallTime{Milliseconds{start + 60'000}},
                                       share,
                                       "",
                                       "CASE"};
    const auto cleared = zones::Gate::rule(world.repository, *world.views, plan,
                                           std::span(&permission, has_grant ? 1U : 0U))
                             .cleared;
    snapshot = build_snapshot(world.repository, *world.views, world.parts, std::span(&cleared, 1),
                              {WallTime{Milliseconds{start}}, MonotonicTime{Milliseconds{0}}}, 1);
  }
  [[nodiscard]] std::set<std::string> seen_at(std::int64_t passed) const {
    Client client(*snapshot);
    client.worker().now = {start + passed, passed};
    std::set<std::string> seen;
    for (int round = 0; round < 200; ++round) {
      const Lines lines = client.ask("example.com", rrtype::mx).additional();
      seen.insert(lines.begin(), lines.end());
    }
    return seen;
  }
  /// The address at the end of an alias's chain.
  [[nodiscard]] std::string end_at(const char* alias, std::int64_t passed) const {
    Client client(*snapshot);
    client.worker().now = {start + passed, passed};
    return client.ask(alias, rrtype::a).answer().back();
  }
};

TEST_CASE("targets: a foreign address only under a grant, as long as it lives", "[dns][targets]") {
  const std::string home = "api.example.com. 30 A 192.0.2.1";
  GrantedWorld world;
  world.build(100, false);
  CHECK(world.seen_at(0) == std::set<std::string>{home});
  world.build(100, true);
  CHECK(world.seen_at(0) == std::set<std::string>{"api.example.com. 30 A 192.0.2.2"});
  CHECK(world.seen_at(35'000) == std::set<std::string>{"api.example.com. 24 A 192.0.2.2"});
  CHECK(world.seen_at(60'000 - clock_lag_max_ms) == std::set<std::string>{home});
  CHECK(world.seen_at(60'000) == std::set<std::string>{home});
  world.build(50, true);
  CHECK(world.seen_at(35'000) == std::set<std::string>{"api.example.com. 24 A 192.0.2.1",
                                                       "api.example.com. 24 A 192.0.2.2"});
}

TEST_CASE("aliases: to a hard service they cross only under a grant, as long as it lives",
          "[dns][targets][dname]") {
  const char* const alias =
      GENERATE("alias.example.com", "api.led.example.com", "alias.led.example.com");
  CAPTURE(alias);
  const std::string home = "api.example.com. 30 A 192.0.2.1";
  GrantedWorld world;
  world.build(100, false);
  CHECK(world.end_at(alias, 0) == home);
  world.build(100, true);
  CHECK(world.end_at(alias, 0) == "api.example.com. 30 A 192.0.2.2");
  CHECK(world.end_at(alias, 35'000) == "api.example.com. 24 A 192.0.2.2");
  CHECK(world.end_at(alias, 60'000 - clock_lag_max_ms) == home);
  CHECK(world.end_at(alias, 60'000) == home);
}

TEST_CASE("targets: random clients are told nothing that they would not be answered",
          "[dns][targets]") {
  std::mt19937 random(20261123);
  for (int round = 0; round < 20; ++round) {
    World world = target_world();
    zones::Service& api = world.repository.services[0];
    api.answers = 1 + random() % 3;
    for (zones::Record& record : api.records)
      record.weight = static_cast<std::uint16_t>(random() % 3);
    api.records[random() % 2].weight = 1;
    const auto snapshot = world.build();
    Client client(*snapshot, random());
    for (int asked = 0; asked < 30; ++asked) {
      const char* const network = random() % 2 == 0 ? germany : america;
      std::set<std::string> may_be;
      for (int draw = 0; draw < 40; ++draw) {
        for (const std::uint16_t type : {rrtype::a, rrtype::aaaa}) {
          const Lines lines = client.ask_for("api.example.com", type, network, 24).answer();
          may_be.insert(lines.begin(), lines.end());
        }
      }
      const char* const owner = random() % 2 == 0 ? "svc.example.com" : "_sip._tcp.example.com";
      const std::uint16_t type = owner[0] == 's' ? rrtype::https : rrtype::srv;
      for (const std::string& line : client.ask_for(owner, type, network, 24).additional()) {
        CAPTURE(round, asked, network, line);
        CHECK(may_be.contains(line));
      }
    }
  }
}

TEST_CASE("targets: drawing them allocates nothing", "[dns][targets]") {
  World world = target_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  QueryParts parts;
  parts.name = "example.com";
  parts.type = rrtype::mx;
  const Bytes packet = query_bytes(parts);
  const AllocationCount count;
  (void)client.ask_bytes(packet);
  const auto seen = count.since();
  CHECK(seen == 0);
}

}  // namespace
}  // namespace demarc::dns::test
