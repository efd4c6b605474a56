// `_geo`, `_health` and `_gate` of a service, and `_acme-challenge`: who gets which answer, and
// that nobody else can tell that they are there.
#include <fmt/core.h>
#include <catch2/catch.hpp>

#include "dns/local_names.h"
#include "tests/dns/world.h"
#include "tests/support/allocation_count.h"
#include "zones/operator_texts.h"

namespace demarc::dns::test {
namespace {

using Lines = std::vector<std::string>;

constexpr const char* inside = "203.0.113.7";
constexpr const char* outside = "203.0.114.7";

/// api.example.com answers Germany from eu and the United States from us; 203.0.113.0/24 may ask.
struct LocalWorld {
  World world;
  std::unique_ptr<const Snapshot> plain, with_view;
  std::shared_ptr<const OperatorView> view;

  explicit LocalWorld(zones::OperatorNames names = {
                          {network("203.0.113.0/24")}, true, true, true}) {
    world.add("*.wild.example.com. 300 IN TXT \"wild\"");
    world.add("_geo.taken.example.com. 300 IN TXT \"mine\"");
    world.add("x._health.taken.example.com. 300 IN TXT \"below\"");
    world.add("alias.example.com. 300 IN CNAME _geo.api.example.com.");
    world.add("cut.example.com. 300 IN NS ns.example.net.");
    world.add("www.example.com. 300 IN A 192.0.2.9");
    for (const std::string_view owner :
         {"api.example.com", "wild.example.com", "taken.example.com", "near.example.com"}) {
      zones::Service& service = world.add_service(std::string(owner));
      service.uses_client_subnet = owner != "near.example.com";
      World::route_by_country(service);
      World::add_record(service, 0, 100, fmt::format("eu.{}.net", owner), {"192.0.2.1"});
      World::add_record(service, 1, 100, fmt::format("us.{}.net", owner), {"192.0.2.2"});
    }
    world.add_network("203.0.113.0/24", "DE");
    world.add_network("198.51.100.0/24", "US");
    plain = world.build();
    OperatorView made;
    made.zones = {std::move(names)};
    made.databases = std::make_shared<const geo::Databases>();
    made.overrides = std::make_shared<const std::vector<geo::Override>>(world.repository.overrides);
    made.services.resize(world.repository.services.size());
    for (std::size_t at = 0; at < made.services.size(); ++at) {
      ServiceTexts& texts = made.services[at];
      texts.health.add("v=demarc1 region=eu", 0);
      texts.health.add("v=demarc1 region=us", 0);
      texts.gate_home.add("v=demarc1 mode=home", 0);
      texts.gate_live.add("v=demarc1 mode=full-write", 0);
      const auto id = static_cast<zones::ServiceId>(at);
      const zones::ClearedWeights cleared = world.clear(id);
      texts.regions = texts.fenced_regions =
          zones::answering_regions(world.repository.policy, world.repository.service(id), cleared,
                                   cleared.choice_of_variant());
    }
    view = std::make_shared<const OperatorView>(std::move(made));
    with_view = with_local_names(*plain, view, nullptr);
  }

  static geo::Prefix network(std::string_view text) { return geo::parse_prefix(text).value(); }

  [[nodiscard]] Client client(const char* from) const {
    Client asking(*with_view);
    asking.from = address(from);
    return asking;
  }
};

TEST_CASE("operator names: those who may ask are told", "[dns][operator-names]") {
  const LocalWorld world;
  Client client = world.client(inside);
  CHECK(client.ask("_health.API.example.com", rrtype::txt).answer() ==
        Lines{"_health.API.example.com. 0 TXT \"v=demarc1 region=eu\"",
              "_health.API.example.com. 0 TXT \"v=demarc1 region=us\""});
  CHECK(client.ask("_gate.api.example.com", rrtype::any).answer() ==
        Lines{"_gate.api.example.com. 0 TXT \"v=demarc1 mode=home\""});
  const Message message = client.ask("_geo.api.example.com", rrtype::txt);
  CHECK(message.answer() ==
        Lines{"_geo.api.example.com. 0 TXT \"v=demarc1 source=socket prefix=203.0.113.7/32 "
              "country=DE subdivision=- asn=0 region=eu\""});
  CHECK(message.aa());
  CHECK(message.rcode() == 0);
  const Message nodata = client.ask("_geo.api.example.com", rrtype::a);
  CHECK(nodata.rcode() == 0);
  CHECK(nodata.answer().empty());
  CHECK(nodata.authority().size() == 1);
}

TEST_CASE("operator names: _geo tells of the ECS option's network, which opens no door",
          "[dns][operator-names][ecs]") {
  const LocalWorld world;
  Client client = world.client(inside);
  const Message message = client.ask_for("_geo.api.example.com", rrtype::txt, "198.51.100.0", 24);
  CHECK(message.answer() ==
        Lines{"_geo.api.example.com. 0 TXT \"v=demarc1 source=ecs prefix=198.51.100.0/24 "
              "country=US subdivision=- asn=0 region=us\""});
  CHECK(message.scope() == 24U);
  CHECK(client.ask_for("_geo.api.example.com", rrtype::txt, "0.0.0.0", 0).answer() ==
        Lines{"_geo.api.example.com. 0 TXT \"v=demarc1 source=ecs prefix=0.0.0.0/0 country=- "
              "subdivision=- asn=0 region=eu\""});
  client.worker().is_spoken_for = true;
  CHECK(client.ask("_geo.api.example.com", rrtype::txt).answer().at(0).find("source=proxy") !=
        std::string::npos);

  Client stranger = world.client(outside);
  CHECK(stranger.ask_for("_geo.api.example.com", rrtype::txt, "203.0.113.0", 24).rcode() == 3);
}

TEST_CASE("operator names: _geo of a service that ignores the ECS option tells of the socket",
          "[dns][operator-names][ecs]") {
  const LocalWorld world;
  const Message message =
      world.client(inside).ask_for("_geo.near.example.com", rrtype::txt, "198.51.100.0", 24);
  CHECK(message.answer() ==
        Lines{"_geo.near.example.com. 0 TXT \"v=demarc1 source=socket prefix=203.0.113.7/32 "
              "country=DE subdivision=- asn=0 region=eu\""});
  CHECK(message.scope() == 0U);
}

TEST_CASE("operator names: to all others the zone is as it would be without them",
          "[dns][operator-names]") {
  LocalWorld world;
  const bool is_inside = GENERATE(false, true);
  if (is_inside) {  // nothing is switched on
    world.with_view = with_local_names(
        *world.plain, LocalWorld({{LocalWorld::network("0.0.0.0/0")}, false, false, false}).view,
        nullptr);
  }
  Client with = world.client(is_inside ? inside : outside);
  Client without(*world.plain);
  without.from = with.from;
  for (const char* service : {"api", "wild", "taken", "cut", "www", "alias", "no", "x.api"}) {
    for (const char* label :
         {"_geo", "_health", "_gate", "_GEO", "x._geo", "_geo.x", "_geo._geo"}) {
      for (const std::uint16_t type :
           {rrtype::txt, rrtype::a, rrtype::any, rrtype::ds, rrtype::ns}) {
        QueryParts parts;
        parts.name = std::string(label) + "." + service + ".example.com";
        parts.type = type;
        parts.has_edns = true;
        parts.options = ecs_bytes(1, 24, {203, 0, 113});
        CAPTURE(parts.name, type);
        const Bytes packet = query_bytes(parts);
        const auto bytes = with.ask_bytes(packet);
        const Bytes answer(bytes.begin(), bytes.end());
        const auto wanted = without.ask_bytes(packet);
        CHECK(answer == Bytes(wanted.begin(), wanted.end()));
      }
    }
  }
}

TEST_CASE("operator names: what a zone has at such a name stays", "[dns][operator-names]") {
  const LocalWorld world;
  Client client = world.client(inside);
  struct Row {
    const char* name;
    unsigned rcode;
    Lines answer;
  };
  const std::vector<Row> rows{
      {"_geo.taken.example.com", 0, {"_geo.taken.example.com. 300 TXT \"mine\""}},
      // An empty non-terminal of the zone has no record of its own.
      {"_gate.taken.example.com", 0, {"_gate.taken.example.com. 0 TXT \"v=demarc1 mode=home\""}},
      {"_gate.wild.example.com", 0, {"_gate.wild.example.com. 0 TXT \"v=demarc1 mode=home\""}},
      {"_other.wild.example.com", 0, {"_other.wild.example.com. 300 TXT \"wild\""}},
      {"_geo.cut.example.com", 0, {}},
      {"_geo.www.example.com", 3, {}},
      {"_geo.example.com", 3, {}},
      {"x._geo.api.example.com", 3, {}},
      {"_geo.example.org", 5, {}},
      // The chain was made for everybody.
      {"alias.example.com", 3, {"alias.example.com. 300 CNAME _geo.api.example.com."}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Message message = client.ask(row.name, rrtype::txt);
    CHECK(message.rcode() == row.rcode);
    CHECK(message.answer() == row.answer);
  }
  CHECK(client.ask("_health.taken.example.com", rrtype::txt).answer().size() == 2);
}

TEST_CASE("operator names: each is switched on by itself", "[dns][operator-names]") {
  const int on = GENERATE(0, 1, 2);
  const LocalWorld world({{LocalWorld::network("203.0.113.0/24")}, on == 0, on == 1, on == 2});
  Client client = world.client(inside);
  CHECK(client.ask("_geo.api.example.com", rrtype::txt).rcode() == (on == 0 ? 0 : 3));
  CHECK(client.ask("_health.api.example.com", rrtype::txt).rcode() == (on == 1 ? 0 : 3));
  CHECK(client.ask("_gate.api.example.com", rrtype::txt).rcode() == (on == 2 ? 0 : 3));
}

TEST_CASE("operator names: _geo asked too often over UDP is told to come by TCP",
          "[dns][operator-names]") {
  const LocalWorld world;
  Client client = world.client(inside);
  for (unsigned asked = 0; asked < geo_lookups_max; ++asked) {
    REQUIRE_FALSE(client.ask("_geo.api.example.com", rrtype::txt).tc());
  }
  CHECK(client.ask("_geo.api.example.com", rrtype::txt).tc());
  CHECK_FALSE(client.ask("_health.api.example.com", rrtype::txt).tc());
  client.transport = Transport::tcp;
  CHECK(client.ask("_geo.api.example.com", rrtype::txt).answer().size() == 1);
  client.transport = Transport::udp;
  client.worker().now.monotonic_ms += 1000;
  CHECK_FALSE(client.ask("_geo.api.example.com", rrtype::txt).tc());
}

TEST_CASE("operator names: what no datagram holds is answered over TCP", "[dns][operator-names]") {
  const LocalWorld world;
  OperatorView view = *world.view;
  for (int line = 0; line < 64; ++line) view.services[0].health.add(std::string(255, 'h'), 0);
  const auto snapshot = with_local_names(
      *world.plain, std::make_shared<const OperatorView>(std::move(view)), nullptr);
  Client client(*snapshot);
  client.from = address(inside);
  const Message cut = client.ask("_health.api.example.com", rrtype::txt);
  CHECK(cut.tc());
  CHECK(cut.answer().empty());
  client.transport = Transport::tcp;
  CHECK(client.ask("_health.api.example.com", rrtype::txt).answer().size() == 66);
}

TEST_CASE("operator names: no answer but _geo under networks.yaml allocates",
          "[dns][operator-names]") {
  const LocalWorld world;
  Client client = world.client(inside);
  for (const char* name : {"_health.api.example.com", "_gate.api.example.com",
                           "_other.api.example.com", "www.example.com"}) {
    CAPTURE(name);
    QueryParts parts;
    parts.name = name;
    parts.type = rrtype::txt;
    const Bytes packet = query_bytes(parts);
    const AllocationCount count;
    (void)client.ask_bytes(packet);
    const auto seen = count.since();
    CHECK(seen == 0);
  }
}

TEST_CASE("texts: a long one is several character-strings, an empty one is one", "[dns]") {
  TextRecords texts;
  CHECK(texts.empty());
  texts.add("", 5);
  texts.add(std::string(255, 'a') + "b", 5);
  CHECK(texts.records().count == 2);
  const LocalWorld world;
  auto challenges = std::make_shared<Challenges>();
  const Bytes owner = name_bytes("_acme-challenge.www.example.com");
  challenges->emplace(std::string(owner.begin(), owner.end()), texts);
  const auto snapshot = with_local_names(*world.plain, nullptr, challenges);
  Client client(*snapshot);
  CHECK(client.ask("_acme-challenge.www.example.com", rrtype::txt).answer() ==
        Lines{"_acme-challenge.www.example.com. 5 TXT \"\"",
              "_acme-challenge.www.example.com. 5 TXT \"" + std::string(255, 'a') + "\" \"b\""});
  const Message nodata = client.ask("_acme-challenge.www.example.com", rrtype::mx);
  CHECK(nodata.rcode() == 0);
  CHECK(nodata.authority().size() == 1);
  CHECK(client.ask("_acme-challenge.api.example.com", rrtype::txt).rcode() == 3);
  CHECK(client.ask("_geo.api.example.com", rrtype::txt).rcode() == 3);
}

}  // namespace
}  // namespace demarc::dns::test
