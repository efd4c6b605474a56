// HTTPS answers of services: their bytes, and that their hints are what A and AAAA answer.
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

#include "dns/https_record.h"
#include "tests/dns/world.h"
#include "tests/support/allocation_count.h"

namespace demarc::dns::test {
namespace {

using Lines = std::vector<std::string>;

constexpr const char* germany = "203.0.113.0";
constexpr const char* america = "198.51.100.0";

// eu: A and AAAA, us: A alone; Germany goes to eu, the United States to us, others to eu.
World https_world() {
  World world;
  world.add("alias.example.com. 300 IN CNAME api.example.com.");
  world.add_network("198.51.0.0/16", "US");
  world.add_network("203.0.0.0/8", "DE");
  zones::Service& api = world.add_service("api.example.com");
  api.https = zones::HttpsBinding{.alpn = {"h2", "h3"}};
  World::route_by_country(api);
  World::add_record(api, 0, 100, "eu.example.net", {"192.0.2.1", "2001:db8::1"});
  World::add_record(api, 1, 100, "us.example.net", {"192.0.2.2"});
  return world;
}

Message ask_edns(Client& client, std::string_view qname, std::uint16_t type = rrtype::https) {
  QueryParts parts;
  parts.name = qname;
  parts.type = type;
  parts.has_edns = true;
  return client.ask(parts);
}

TEST_CASE("https: the record byte by byte", "[dns][https]") {
  World world = https_world();
  zones::HttpsBinding& binding = *world.repository.services[0].https;
  binding.port = 8443;
  binding.has_default_alpn = false;
  const auto snapshot = world.build();
  Client client(*snapshot);
  const Bytes packet = query_bytes({.name = "api.example.com", .type = rrtype::https});
  const auto answer = client.ask_bytes(packet);
  const Bytes expected{
      0xc0, 12, 0, 65, 0,    1,    0,    0,    0,   30,   // owner, HTTPS, IN, TTL
      0,    51,                                           // RDLENGTH
      0,    1,  0,                                        // SvcPriority 1, TargetName "."
      0,    1,  0, 6,  2,    'h',  '2',  2,    'h', '3',  // alpn
      0,    2,  0, 0,                                     // no-default-alpn
      0,    3,  0, 2,  0x20, 0xfb,                        // port 8443
      0,    4,  0, 4,  192,  0,    2,    1,               // ipv4hint
      0,    6,  0, 16, 0x20, 0x01, 0x0d, 0xb8, 0,   0,   0, 0, 0, 0, 0, 0, 0, 0, 0, 1,  // ipv6hint
  };
  const Bytes found(answer.begin() + static_cast<std::ptrdiff_t>(packet.size()),
                    answer.begin() + static_cast<std::ptrdiff_t>(packet.size() + expected.size()));
  CHECK(found == expected);
}

TEST_CASE("https: the client's location picks the record, its hints and the addresses beside it",
          "[dns][https]") {
  World world = https_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  const std::string head = "api.example.com. 30 ";
  const Message german = client.ask_for("api.example.com", rrtype::https, germany, 24);
  CHECK(german.answer() ==
        Lines{head + "HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"});
  CHECK(german.additional() == Lines{head + "A 192.0.2.1", head + "AAAA 2001:db8::1"});
  const Message american = client.ask_for("api.example.com", rrtype::https, america, 24);
  CHECK(american.answer() == Lines{head + "HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.2"});
  CHECK(american.additional() == Lines{head + "A 192.0.2.2"});
  CHECK(american.aa());
  for (const char* const network : {germany, america}) {
    CHECK(client.ask_for("api.example.com", rrtype::https, network, 24).scope() ==
          client.ask_for("api.example.com", rrtype::a, network, 24).scope());
  }
  const Message chained = client.ask_for("alias.example.com", rrtype::https, america, 24);
  CHECK(chained.answer() == Lines{"alias.example.com. 300 CNAME api.example.com.",
                                  head + "HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.2"});
  CHECK(chained.additional() == Lines{head + "A 192.0.2.2"});
  CHECK(client.ask("api.example.com", rrtype::any).answer().size() == 1);
  CHECK(client.ask("api.example.com", rrtype::svcb).answer().empty());
}

TEST_CASE("https: below a DNAME the answer is the service's own choice", "[dns][https]") {
  World world = https_world();
  world.add("old.example.com. 300 IN DNAME example.com.");
  const auto snapshot = world.build();
  Client client(*snapshot);
  const Message message = client.ask_for("api.old.example.com", rrtype::https, america, 24);
  CHECK(message.answer() == Lines{"old.example.com. 300 DNAME example.com.",
                                  "api.old.example.com. 300 CNAME api.example.com.",
                                  "api.example.com. 30 HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.2"});
  CHECK(message.additional() == Lines{"api.example.com. 30 A 192.0.2.2"});
}

TEST_CASE("https: at a wildcard and at the apex", "[dns][https]") {
  World world;
  for (const char* const owner : {"*.shop.example.com", "example.com"}) {
    zones::Service& service = world.add_service(owner);
    service.https = zones::HttpsBinding{.alpn = {"h2"}};
    World::add_record(service, 0, 1, "www.example.net", {"192.0.2.7"});
  }
  const auto snapshot = world.build();
  Client client(*snapshot);
  for (const std::string qname : {"a.b.shop.example.com", "example.com"}) {
    const Message message = client.ask(qname, rrtype::https);
    CHECK(message.answer() == Lines{qname + ". 30 HTTPS 1 . alpn=h2 ipv4hint=192.0.2.7"});
    CHECK(message.additional() == Lines{qname + ". 30 A 192.0.2.7"});
  }
}

TEST_CASE("https: without the key there is none, whatever static record the owner has",
          "[dns][https]") {
  World world = https_world();
  world.repository.services[0].https.reset();
  // The loader refuses it (`service-and-static`); the responder does not rely on that.
  world.add("api.example.com. 300 IN HTTPS 1 . alpn=h2 ipv4hint=198.51.100.66");
  const auto snapshot = world.build();
  Client client(*snapshot);
  for (const char* const qname : {"api.example.com", "alias.example.com"}) {
    const Message message = client.ask_for(qname, rrtype::https, america, 24);
    CHECK(message.rcode() == 0);
    CHECK(message.authority().size() == 1);
    CHECK(message.scope() == 0U);
    for (const std::string& line : message.answer()) CHECK(line.find("HTTPS") == line.npos);
  }
}

TEST_CASE("https: a record without addresses is a CNAME for this type, too", "[dns][https]") {
  World world;
  zones::Service& service = world.add_service("mix.example.com");
  service.https = zones::HttpsBinding{.alpn = {"h2"}};
  World::add_record(service, 0, 1, "name.example.net", {});
  World::add_record(service, 0, 1, "addr.example.net", {"192.0.2.1"});
  const auto snapshot = world.build();
  Client client(*snapshot);
  std::vector<std::string> seen;
  for (int round = 0; round < 100; ++round) {
    const Message message = client.ask("mix.example.com", rrtype::https);
    REQUIRE(message.answer().size() == 1);
    seen.push_back(message.answer()[0]);
    const bool is_cname = seen.back().find(" CNAME ") != std::string::npos;
    CHECK(message.additional().size() == (is_cname ? 0U : 1U));
  }
  std::ranges::sort(seen);
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  CHECK(seen == Lines{"mix.example.com. 30 CNAME name.example.net.",
                      "mix.example.com. 30 HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1"});
}

TEST_CASE("https: where a crossing is held, on-block answers as for A", "[dns][https]") {
  World world = https_world();
  zones::Service& api = world.repository.services[0];
  api.residency = zones::Residency::hard;
  api.home_kind = zones::HomeKind::jurisdiction;
  api.home = zones::JurisdictionId{0};
  api.route = zones::RouteWeighted{};
  api.records[1].weight = 0;
  api.on_block.answer =
      GENERATE(zones::BlockAnswer::hold, zones::BlockAnswer::nodata, zones::BlockAnswer::servfail);
  world.prepare();
  zones::Plan plan = zones::base_plan(world.repository, zones::ServiceId{0});
  plan.weights = {0, 100};
  plan.usable = {false, true};
  const auto ruling = zones::Gate::rule(world.repository, *world.views, plan, {});
  const auto snapshot = build_snapshot(world.repository, *world.views, world.parts,
                                       std::span(&ruling.cleared, 1), {}, 1);
  Client client(*snapshot);
  const Message https = ask_edns(client, "api.example.com");
  const Message a = ask_edns(client, "api.example.com", rrtype::a);
  CHECK(https.rcode() == a.rcode());
  CHECK(https.extended_error() == a.extended_error());
  CHECK(https.extended_error() == 49152U);
  CHECK(https.authority() == a.authority());
  const bool is_held = api.on_block.answer == zones::BlockAnswer::hold;
  CHECK(https.answer() == (is_held ? Lines{"api.example.com. 30 HTTPS 1 . alpn=h2,h3 "
                                           "ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"}
                                   : Lines{}));
}

TEST_CASE("https: some of many are drawn by weight, as for A", "[dns][https][weights]") {
  World world;
  zones::Service& service = world.add_service("n.example.com");
  service.https = zones::HttpsBinding{.alpn = {"h2"}};
  service.answers = 2;
  const std::vector<std::uint16_t> weights{98, 1, 1};
  for (std::size_t index = 0; index < weights.size(); ++index) {
    World::add_record(service, 0, weights[index], "n" + std::to_string(index) + ".example.net",
                      {"192.0.2." + std::to_string(index)});
  }
  const auto snapshot = world.build();
  Client client(*snapshot, 7);
  std::map<std::string, int> seen;
  for (int draw = 0; draw < 2000; ++draw)
    ++seen[client.ask("n.example.com", rrtype::https).answer()[0]];
  int without_heavy = 0;
  for (const auto& [line, count] : seen) {
    if (line.find("192.0.2.0") == std::string::npos) without_heavy += count;
  }
  CHECK(seen.size() >= 4);    // in the order of their drawing
  CHECK(without_heavy < 20);  // 2 in 100 begin with another, and 1 in 99 of them goes on so
}

TEST_CASE("https: an answer that is too long for UDP is truncated, and whole over TCP",
          "[dns][https]") {
  World world;
  zones::Service& service = world.add_service("many.example.com");
  service.https = zones::HttpsBinding{.alpn = {"h2"}};
  service.answers = zones::answers_all;
  for (int record = 0; record < 40; ++record) {
    World::add_record(service, 0, 1, "e" + std::to_string(record) + ".example.net",
                      {"2001:db8::" + std::to_string(record)});
  }
  const auto snapshot = world.build();
  Client client(*snapshot);
  CHECK(client.ask("many.example.com", rrtype::https).tc());  // 640 bytes of hints
  const Message with_edns = ask_edns(client, "many.example.com");
  CHECK_FALSE(with_edns.tc());
  CHECK(with_edns.answer().size() == 1);
  CHECK(with_edns.additional().empty());  // 1120 bytes more
  client.transport = Transport::tcp;
  CHECK(ask_edns(client, "many.example.com").additional().size() == 40);
}

TEST_CASE("https: what an alias leads to is in the additional section", "[dns][https][targets]") {
  World world = https_world();
  world.add("example.com. 300 IN HTTPS 0 api.example.com.");
  world.add("site.example.com. 300 IN HTTPS 0 host.example.com.");
  world.add("host.example.com. 300 IN HTTPS 1 . alpn=h2");
  world.add("host.example.com. 300 IN A 192.0.2.80");
  world.add("two.example.com. 300 IN HTTPS 1 host.example.com. alpn=h3");
  world.add("two.example.com. 300 IN HTTPS 2 host.example.com. alpn=h2");
  const auto snapshot = world.build();
  Client client(*snapshot);
  const std::string steered = "api.example.com. 30 ";
  const Message german = client.ask_for("example.com", rrtype::https, germany, 24);
  CHECK(german.additional() ==
        Lines{steered + "HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1",
              steered + "A 192.0.2.1", steered + "AAAA 2001:db8::1"});
  CHECK(german.scope() == client.ask_for("api.example.com", rrtype::a, germany, 24).scope());
  CHECK(client.ask_for("example.com", rrtype::https, america, 24).additional() ==
        Lines{steered + "HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.2", steered + "A 192.0.2.2"});
  const Lines host{"host.example.com. 300 HTTPS 1 . alpn=h2", "host.example.com. 300 A 192.0.2.80"};
  CHECK(client.ask("site.example.com", rrtype::https).additional() == host);
  CHECK(client.ask("two.example.com", rrtype::https).additional() == host);
  CHECK(client.ask("host.example.com", rrtype::https).additional() == Lines{host[1]});
}

TEST_CASE("https: drawing allocates nothing", "[dns][https]") {
  World world = https_world();
  world.add("example.com. 300 IN HTTPS 0 three.example.com.");
  zones::Service& three = world.add_service("three.example.com");
  three.https = zones::HttpsBinding{.alpn = {"h2"}};
  three.answers = GENERATE(std::size_t{1}, 2, zones::answers_all);
  for (const char* const last : {"1", "2", "3"}) {
    World::add_record(three, 0, 1, std::string("e") + last + ".example.net",
                      {std::string("192.0.2.") + last, std::string("2001:db8::") + last});
  }
  const auto snapshot = world.build();
  Client client(*snapshot);
  for (const char* const qname :
       {"api.example.com", "alias.example.com", "three.example.com", "example.com"}) {
    const Bytes packet = query_bytes({.name = qname, .type = rrtype::https, .has_edns = true});
    const AllocationCount count;
    const auto answer = client.ask_bytes(packet);
    const auto allocations = count.since();
    CHECK(allocations == 0);
    CHECK(answer.size() > packet.size());
  }
}

TEST_CASE("https: hints stop where the room ends, and are found again", "[dns][https]") {
  const Bytes front = https_front({.alpn = {"h2"}});
  const Bytes first{192, 0, 2, 1};
  const Bytes second{192, 0, 2, 2};
  const std::size_t room = GENERATE(range(std::size_t{0}, std::size_t{13}));
  Bytes out(front.size() + room, 0xee);
  HintWriter writer(front, out);
  writer.begin(geo::Family::ipv4);
  writer.add(first.data());
  writer.add_once(first.data());
  writer.add(second.data());
  writer.begin(geo::Family::ipv6);
  const std::size_t size = writer.finish();
  const std::size_t hint_count = room < 8 ? 0 : room < 12 ? 1 : 2;
  CHECK(size == front.size() + (hint_count == 0 ? 0 : 4 + 4 * hint_count));
  CHECK(hints_of(std::span(out).first(size), geo::Family::ipv4).size() == 4 * hint_count);
  CHECK(hints_of(std::span(out).first(size), geo::Family::ipv6).empty());
}

TEST_CASE("https: a record has no more bytes than its limit", "[dns][https]") {
  std::vector<geo::Address> addresses;
  for (std::uint32_t at = 0; at < 20'000; ++at) {
    addresses.push_back(geo::Address::ipv4(0x0a00'0000 + at));
  }
  const auto rdata = https_rdata({.alpn = {"h2"}}, addresses);
  CHECK(rdata.size() <= https_rdata_size_max);
  CHECK(rdata.size() > https_rdata_size_max - 4);
  CHECK(hints_of(rdata, geo::Family::ipv4).size() % 4 == 0);
}

}  // namespace
}  // namespace demarc::dns::test
