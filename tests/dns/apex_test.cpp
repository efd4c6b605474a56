// A service at the apex of a zone: example.com itself is steered, beside what an apex must have.
#include <catch2/catch.hpp>

#include "tests/dns/world.h"

namespace demarc::dns::test {
namespace {

using Lines = std::vector<std::string>;

const std::string soa_line =
    "example.com. 60 SOA ns1.example.com. hostmaster.example.com. 1 7200 900 1209600 60";

World apex_world() {
  World world;
  world.add("ns1.example.com. 300 IN A 192.0.2.53");
  world.add("example.com. 300 IN MX 10 mail.example.com.");
  world.add("example.com. 300 IN MX 20 example.com.");
  world.add("mail.example.com. 300 IN A 192.0.2.25");
  world.add("example.com. 300 IN TXT \"v=spf1 -all\"");
  world.add("example.com. 300 IN CAA 0 issue \"ca.example\"");
  world.add("www.example.com. 300 IN CNAME example.com.");
  world.add("*.example.com. 300 IN TXT \"wild\"");
  zones::Service& apex = world.add_service("example.com");
  World::route_by_country(apex);
  World::add_record(apex, 0, 100, "eu.example.net", {"192.0.2.1"});
  World::add_record(apex, 1, 100, "us.example.net", {"198.51.100.1", "2001:db8::1"});
  world.add_network("198.51.0.0/16", "US");
  world.add_network("203.0.0.0/8", "DE");
  return world;
}

TEST_CASE("apex: static data stands beside the steered addresses", "[dns][apex]") {
  World world = apex_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  struct Row {
    const char* name;
    const char* qname;
    std::uint16_t type;
    const char* client;
    Lines answer, authority, additional;
  };
  const std::string steered_eu = "example.com. 30 A 192.0.2.1";
  for (const Row& row : std::vector<Row>{
           {"SOA",
            "example.com",
            rrtype::soa,
            "203.0.113.1",
            {"example.com. 3600 SOA ns1.example.com. hostmaster.example.com. 1 7200 900 1209600 "
             "60"},
            {},
            {}},
           {"NS",
            "example.com",
            rrtype::ns,
            "203.0.113.1",
            {"example.com. 3600 NS ns1.example.com."},
            {},
            {"ns1.example.com. 300 A 192.0.2.53"}},
           {"MX, with static and with steered addresses",
            "example.com",
            rrtype::mx,
            "203.0.113.1",
            {"example.com. 300 MX 10 mail.example.com.", "example.com. 300 MX 20 example.com."},
            {},
            {"mail.example.com. 300 A 192.0.2.25", steered_eu}},
           {"TXT",
            "example.com",
            rrtype::txt,
            "203.0.113.1",
            {"example.com. 300 TXT \"v=spf1 -all\""},
            {},
            {}},
           {"CAA",
            "example.com",
            257,
            "203.0.113.1",
            {"example.com. 300 CAA 0 issue \"ca.example\""},
            {},
            {}},
           {"A for the one", "example.com", rrtype::a, "203.0.113.1", {steered_eu}, {}, {}},
           {"A for the other",
            "example.com",
            rrtype::a,
            "198.51.100.1",
            {"example.com. 30 A 198.51.100.1"},
            {},
            {}},
           {"AAAA that the record lacks",
            "example.com",
            rrtype::aaaa,
            "203.0.113.1",
            {},
            {soa_line},
            {}},
           {"AAAA that it has",
            "example.com",
            rrtype::aaaa,
            "198.51.100.1",
            {"example.com. 30 AAAA 2001:db8::1"},
            {},
            {}},
           {"CNAME: never at an apex",
            "example.com",
            rrtype::cname,
            "203.0.113.1",
            {},
            {soa_line},
            {}},
           {"SRV", "example.com", rrtype::srv, "203.0.113.1", {}, {soa_line}, {}},
           {"DS", "example.com", rrtype::ds, "203.0.113.1", {}, {soa_line}, {}},
           {"DNAME", "example.com", rrtype::dname, "203.0.113.1", {}, {soa_line}, {}},
           {"www as an alias of it",
            "www.example.com",
            rrtype::a,
            "203.0.113.1",
            {"www.example.com. 300 CNAME example.com.", steered_eu},
            {},
            {}},
           {"MX of the alias",
            "www.example.com",
            rrtype::txt,
            "203.0.113.1",
            {"www.example.com. 300 CNAME example.com.", "example.com. 300 TXT \"v=spf1 -all\""},
            {},
            {}},
           {"names below are not the service's",
            "no.example.com",
            rrtype::a,
            "203.0.113.1",
            {},
            {soa_line},
            {}},
       }) {
    CAPTURE(row.name);
    const Message message = client.ask_for(row.qname, row.type, row.client, 24);
    CHECK(message.rcode() == 0);
    CHECK(message.aa());
    CHECK(message.answer() == row.answer);
    CHECK(message.authority() == row.authority);
    CHECK(message.additional() == row.additional);
  }
}

TEST_CASE("apex: every other type is NODATA with the SOA", "[dns][apex]") {
  World world = apex_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  const std::vector<unsigned> others{rrtype::a,      rrtype::ns,   rrtype::soa,  rrtype::mx,
                                     rrtype::txt,    rrtype::aaaa, 257,          rrtype::opt,
                                     rrtype::nxname, rrtype::tkey, rrtype::tsig, rrtype::ixfr,
                                     rrtype::axfr,   rrtype::any};
  std::vector<unsigned> wrong;
  for (unsigned type = 1; type < 65'536; type += type < 300 ? 1 : 89) {
    if (std::ranges::count(others, type) != 0) continue;
    const Message message = client.ask("example.com", static_cast<std::uint16_t>(type));
    const bool is_nodata = message.rcode() == 0 && message.aa() && message.answer().empty() &&
                           message.authority() == Lines{soa_line};
    if (!is_nodata) wrong.push_back(type);
  }
  CHECK(wrong.empty());
}

TEST_CASE("apex: a hard service there tells its mode, and the zone stands whatever its weights",
          "[dns][apex]") {
  World world = apex_world();
  zones::Service& apex = world.repository.services[0];
  apex.residency = zones::Residency::hard;
  apex.home_kind = zones::HomeKind::jurisdiction;
  apex.home = zones::JurisdictionId{0};
  const auto snapshot = world.build();
  Client client(*snapshot);
  // By their country's route, clients in the United States would cross: nothing but home answers.
  CHECK(client.ask_for("example.com", rrtype::a, "198.51.100.1", 24).answer() ==
        Lines{"example.com. 30 A 192.0.2.1"});
  CHECK(client.ask("_mode.example.com", rrtype::txt).answer().size() == 1);
  CHECK(client.ask("example.com", rrtype::soa).answer().size() == 1);

  // A service that no weights were cleared for: its addresses fail, its zone does not.
  const auto unready = build_snapshot(world.repository, *world.views, world.parts, {}, {}, 2);
  client.look_at(*unready);
  CHECK(client.ask("example.com", rrtype::a).rcode() == 2);
  for (const std::uint16_t type : {rrtype::soa, rrtype::ns, rrtype::mx, rrtype::txt}) {
    CHECK(client.ask("example.com", type).rcode() == 0);
    CHECK_FALSE(client.ask("example.com", type).answer().empty());
  }
}

}  // namespace
}  // namespace demarc::dns::test
