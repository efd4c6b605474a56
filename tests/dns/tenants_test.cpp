// Tenants' names on the wire: who is answered by which class, who does not exist, and a grant for
// one of them.
#include <catch2/catch.hpp>

#include "tests/dns/world.h"
#include "tests/support/allocation_count.h"
#include "zones/tenants.h"

namespace demarc::zones {

// A test cannot ask for a grant of one tenant's own without the whole of steering, and only the
// gate writes ClearedWeights::tenant(): an explicit instantiation may name what is private.
std::string& tenant_of(ClearedWeights& weights);
template <std::string ClearedWeights::* Member>
struct TenantDoor {
  friend std::string& tenant_of(ClearedWeights& weights) { return weights.*Member; }
};
template struct TenantDoor<&ClearedWeights::tenant_>;

}  // namespace demarc::zones

namespace demarc::dns::test {
namespace {

using zones::ServiceId;

/// The last word of each answer: an address.
std::vector<std::string> addresses(const Message& message) {
  std::vector<std::string> list;
  for (const std::string& line : message.answer()) {
    list.push_back(line.substr(line.find_last_of(" \t") + 1));
  }
  return list;
}

/// api has the tenants acme and beta of its class EU (service 1) and york of its class US (2).
World tenant_world() {
  World world;
  zones::Service& api = world.add_service("api.example.com");
  api.residency = zones::Residency::hard;
  api.home_kind = zones::HomeKind::tenant;
  api.home = zones::JurisdictionId{0};
  api.tenant_naming.emplace(zones::TenantLabels::plain, "");
  World::add_record(api, 0, 100, "eu.example.net", {"192.0.2.1", "2001:db8::1"});
  World::add_record(api, 1, 100, "us.example.net", {"198.51.100.1"});
  for (const unsigned home : {0U, 1U}) {
    zones::Service tenant_class = api;
    const zones::RegionId first{static_cast<std::uint16_t>(home)};
    const zones::RegionId second{static_cast<std::uint16_t>(1 - home)};
    tenant_class.home = zones::JurisdictionId{static_cast<std::uint16_t>(home)};
    tenant_class.route = zones::RouteLines{{{zones::MatchAll{}, {first, second}, {}}}};
    tenant_class.owner =
        name(home == 0 ? "eu._tenants.api.example.com" : "us._tenants.api.example.com");
    tenant_class.tenants_of = ServiceId{0};
    world.repository.services.push_back(tenant_class);
  }
  world.repository.tenants = std::make_shared<const zones::TenantMap>(
      zones::TenantMap::Classes{{{ServiceId{0}, "acme"}, ServiceId{1}},
                                {{ServiceId{0}, "beta"}, ServiceId{1}},
                                {{ServiceId{0}, "york"}, ServiceId{2}}},
      "digest");
  world.add("www.example.com. 300 IN CNAME acme.api.example.com.");
  world.add("none.example.com. 300 IN CNAME nobody.example.com.");
  world.add_network("198.51.0.0/16", "US");
  return world;
}

TEST_CASE("tenants: each is answered at its home, wherever it asks from", "[dns][tenants]") {
  World world = tenant_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  for (const char* const from : {"192.0.2.200", "198.51.100.77"}) {
    client.from = address(from);
    CHECK(addresses(client.ask("acme.api.example.com", rrtype::a)) ==
          std::vector<std::string>{"192.0.2.1"});
    CHECK(addresses(client.ask("AcMe.aPi.ExAmPlE.cOm", rrtype::a)) ==
          std::vector<std::string>{"192.0.2.1"});
    CHECK(addresses(client.ask("york.api.example.com", rrtype::a)) ==
          std::vector<std::string>{"198.51.100.1"});
    CHECK(addresses(client.ask("acme.api.example.com", rrtype::aaaa)) ==
          std::vector<std::string>{"2001:db8::1"});
  }
  const Message subnet = client.ask_for("acme.api.example.com", rrtype::a, "198.51.100.0", 24);
  REQUIRE(subnet.scope());
  CHECK(*subnet.scope() == 0);
}

TEST_CASE("tenants: what is no tenant does not exist", "[dns][tenants]") {
  World world = tenant_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  for (const char* const qname :
       {"nobody.api.example.com", "x.acme.api.example.com", "acm.api.example.com",
        "eu._tenants.api.example.com", "_tenants.api.example.com", "acme.example.com"}) {
    CAPTURE(qname);
    const Message message = client.ask(qname, rrtype::a);
    CHECK(message.rcode() == 3);
    CHECK(message.aa());
    CHECK(message.answer().empty());
    CHECK(message.authority().size() == 1);  // the zone's SOA
  }
}

TEST_CASE("tenants: other types", "[dns][tenants]") {
  World world = tenant_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  for (const std::uint16_t type : {rrtype::txt, rrtype::mx, rrtype::ds, rrtype::soa, rrtype::ns}) {
    const Message message = client.ask("acme.api.example.com", type);
    CHECK(message.rcode() == 0);
    CHECK(message.answer().empty());
    CHECK(message.authority().size() == 1);
  }
  CHECK(client.ask("york.api.example.com", rrtype::aaaa).answer().empty());
  CHECK(client.ask("acme.api.example.com", rrtype::any).answer().size() == 1);  // RFC 8482
  CHECK(client.ask("acme.api.example.com", rrtype::axfr).rcode() == 5);
}

TEST_CASE("tenants: HTTPS hints at the addresses of the tenant's home", "[dns][tenants][https]") {
  World world = tenant_world();
  for (zones::Service& service : world.repository.services) {
    service.https = zones::HttpsBinding{.alpn = {"h2"}};
  }
  const auto snapshot = world.build();
  Client client(*snapshot);
  for (const char* const from : {"192.0.2.200", "198.51.100.77"}) {
    client.from = address(from);
    CHECK(client.ask("acme.api.example.com", rrtype::https).answer() ==
          std::vector<std::string>{"acme.api.example.com. 30 HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1 "
                                   "ipv6hint=2001:db8::1"});
    CHECK(client.ask("york.api.example.com", rrtype::https).answer() ==
          std::vector<std::string>{
              "york.api.example.com. 30 HTTPS 1 . alpn=h2 ipv4hint=198.51.100.1"});
  }
  CHECK(client.ask("nobody.api.example.com", rrtype::https).rcode() == 3);
}

TEST_CASE("tenants: a CNAME to a tenant's name leaves the rest to the client", "[dns][tenants]") {
  World world = tenant_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  const Message message = client.ask("www.example.com", rrtype::a);
  CHECK(message.rcode() == 0);
  CHECK(message.answer().size() == 1);
  CHECK(client.ask("none.example.com", rrtype::a).rcode() == 3);
}

TEST_CASE("tenants: a grant for one moves that one, and ends by itself", "[dns][tenants]") {
  World world = tenant_world();
  const Moment now{WallTime(Milliseconds(1'000'000)), {}};
  auto first = world.build(now);
  const zones::Service& eu = world.repository.service(ServiceId{1});
  zones::Conditions down = zones::calm(eu);
  down.record_drained[0] = true;
  const auto plan = zones::make_plan(world.repository, ServiceId{1}, down);
  const zones::Permission permission{.grant_id = "g",
                                     .service = ServiceId{1},
                                     .from = {zones::RegionId{0}},
                                     .to = {zones::RegionId{1}},
                                     .mode = zones::Mode::full_write,
                                     .end = now.wall + std::chrono::minutes(1)};
  auto own =
      zones::Gate::rule(world.repository, *world.views, plan, std::span(&permission, 1)).cleared;
  REQUIRE(own.valid_until());
  tenant_of(own) = "acme";
  const auto granted =
      with_weights(*first, world.repository, *world.views, std::span(&own, 1), now);
  CHECK(granted->tenant_slots.size() == 1);

  Client client(*granted);
  client.worker().now = {now.wall.time_since_epoch().count(), 0};
  const auto abroad = std::vector<std::string>{"198.51.100.1"};
  const auto at_home = std::vector<std::string>{"192.0.2.1"};
  CHECK(addresses(client.ask("acme.api.example.com", rrtype::a)) == abroad);
  CHECK(addresses(client.ask("beta.api.example.com", rrtype::a)) == at_home);
  client.worker().now = {permission.end.time_since_epoch().count(), 60'000};
  CHECK(addresses(client.ask("acme.api.example.com", rrtype::a)) == at_home);

  auto over = zones::Gate::rule(world.repository, *world.views, plan, {}).cleared;
  tenant_of(over) = "acme";
  const auto ended =
      with_weights(*granted, world.repository, *world.views, std::span(&over, 1), now);
  CHECK(ended->tenant_slots.empty());

  // A reload moved acme from a class with a higher id: what that one says no longer counts.
  auto elsewhere = world.clear(ServiceId{2});
  tenant_of(elsewhere) = "acme";
  for (const auto& weights : {std::vector{own, elsewhere}, std::vector{elsewhere, own}}) {
    const auto moved = build_snapshot(world.repository, *world.views, world.parts, weights, now, 2);
    CHECK(moved->tenant_slots.size() == 1);
  }
  const auto theirs =
      with_weights(*granted, world.repository, *world.views, std::span(&elsewhere, 1), now);
  CHECK(theirs->tenant_slots.size() == 1);

  tenant_of(own) = "nobody";
  const auto nobody = with_weights(*first, world.repository, *world.views, std::span(&own, 1), now);
  CHECK(nobody->tenant_slots.empty());
}

TEST_CASE("tenants: no answer allocates", "[dns][tenants]") {
  World world = tenant_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  for (const char* const qname : {"acme.api.example.com", "nobody.api.example.com",
                                  "x.acme.api.example.com", "www.example.com"}) {
    for (const std::uint16_t type : {rrtype::a, rrtype::txt, rrtype::any, rrtype::ds}) {
      const Bytes packet = query_bytes({.name = qname, .type = type});
      const AllocationCount count;
      const auto answer = client.ask_bytes(packet);
      const auto allocations = count.since();
      CHECK(allocations == 0);
      CHECK(answer.size() >= packet.size());
    }
  }
}

}  // namespace
}  // namespace demarc::dns::test
