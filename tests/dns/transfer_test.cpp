// Zone transfers: who may have a zone, and what it gives, message by message.
#include <catch2/catch.hpp>

#include <set>

#include "tests/dns/transfer_world.h"

namespace demarc::dns::test {
namespace {

Bytes ixfr_bytes(std::uint32_t serial) {
  Bytes bytes = query_bytes({.name = "example.com", .type = rrtype::ixfr});
  bytes[9] = 1;
  append16(bytes, 0xc000 | header_size);
  append16(bytes, rrtype::soa);
  append16(bytes, rrclass::in);
  bytes.insert(bytes.end(), {0, 0, 0, 0});
  append16(bytes, 22);
  append16(bytes, 0);  // MNAME and RNAME: the root
  append16(bytes, serial >> 16);
  append16(bytes, serial & 0xffff);
  bytes.insert(bytes.end(), 16, 0);
  return bytes;
}

TEST_CASE("transfer: everything of the zone between two SOAs", "[dns][transfer]") {
  TransferWorld world;
  world.world.add("led.example.com. 300 IN DNAME www.example.com.");
  world.add_api(zones::Residency::hard, 100, 0);
  world.prepare();
  world.build();
  CHECK(world.zone() ==
        Lines{world.soa(start_serial + 1), "example.com. 3600 NS ns1.example.com.",
              "*.wild.example.com. 300 TXT \"wild\"", "ns.sub.example.com. 300 A 192.0.2.54",
              "led.example.com. 300 DNAME www.example.com.",
              "sub.example.com. 300 NS ns.sub.example.com.", "www.example.com. 300 A 192.0.2.80",
              "api.example.com. 30 A 192.0.2.1", "api.example.com. 30 AAAA 2001:db8::1",
              "_mode.api.example.com. 30 TXT \"v=demarc1 mode=home\"",
              world.soa(start_serial + 1)});
  CHECK(world.client->worker().counters.transfers_refused.value() == 0);
}

TEST_CASE("transfer: an HTTPS record hints at the addresses beside it, and moves the serial",
          "[dns][transfer][https]") {
  TransferWorld world;
  zones::Service& api = world.add_api(zones::Residency::hard, 100, 0);
  world.prepare();
  world.build();
  const std::unique_ptr<const Snapshot> before = std::move(world.snapshot);
  api.https = zones::HttpsBinding{.alpn = {"h2"}};
  world.prepare();
  world.build(after(10), before.get());
  const Lines zone = world.zone();
  const auto https = std::ranges::find(
      zone, "api.example.com. 30 HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1");
  CHECK(https != zone.end());
  CHECK(world.serial() > before->serials.at(0));
  const auto is_abroad = [](const std::string& line) {
    return line.find("198.51.100.1") != std::string::npos;
  };
  CHECK(std::ranges::none_of(zone, is_abroad));
}

TEST_CASE("transfer: a service gives what a client of unknown place may get", "[dns][transfer]") {
  TransferWorld world;
  const auto answers_of = [&] {
    world.prepare();
    world.build();
    Lines lines;
    for (const std::string& line : world.zone()) {
      if (line.starts_with("api.")) lines.push_back(line.substr(line.find(' ', 17) + 1));
    }
    return lines;
  };
  SECTION("all records with weight, an address that two have once") {
    zones::Service& api = world.add_api(zones::Residency::none, 1, 9);
    World::add_record(api, 0, 5, "more.example.net", {"198.51.100.1", "192.0.2.9"});
    World::add_record(api, 0, 0, "idle.example.net", {"192.0.2.99"});
    CHECK(answers_of() ==
          Lines{"A 192.0.2.1", "AAAA 2001:db8::1", "A 198.51.100.1", "A 192.0.2.9"});
  }
  SECTION("the regions of the default line alone") {
    World::route_by_country(world.add_api(zones::Residency::none, 1, 1));
    world.world.add_network("192.0.2.0/24", "US");  // not by where the secondary is
    CHECK(answers_of() == Lines{"A 192.0.2.1", "AAAA 2001:db8::1"});
  }
  SECTION("of several CNAMEs the heaviest, as one owner has one") {
    zones::Service& api = world.world.add_service("api.example.com");
    World::add_record(api, 0, 10, "a.example.net", {});
    World::add_record(api, 0, 30, "b.example.net", {});
    World::add_record(api, 0, 20, "c.example.net", {});
    CHECK(answers_of() == Lines{"CNAME b.example.net."});
  }
  SECTION("beside addresses no CNAME") {
    zones::Service& api = world.world.add_service("api.example.com");
    World::add_record(api, 0, 99, "a.example.net", {});
    World::add_record(api, 0, 1, "b.example.net", {"192.0.2.7"});
    CHECK(answers_of() == Lines{"A 192.0.2.7"});
  }
}

TEST_CASE("transfer: a crossing never reaches a secondary, grant or not", "[dns][transfer]") {
  TransferWorld world;
  world.add_api(zones::Residency::hard, 100, 0);
  world.prepare();
  zones::Plan plan = zones::base_plan(world.world.repository, zones::ServiceId{0});
  plan.weights = {0, 100};
  plan.usable = {false, true};
  const zones::Permission permission{"grant-0123456789",
                                     zones::ServiceId{0},
                                     {zones::RegionId{0}},
                                     {zones::RegionId{1}},
                                     zones::Mode::full_write,
                                     start.wall + Milliseconds{60'000},
                                     100,
                                     "",
                                     "CASE"};
  const auto cleared = [&](std::span<const zones::Permission> permissions) {
    return zones::Gate::rule(world.world.repository, *world.world.views, plan, permissions).cleared;
  };
  for (const auto permissions : {std::span<const zones::Permission>{}, {&permission, 1}}) {
    world.build_with({cleared(permissions)});
    Client client(*world.snapshot);
    client.worker().now = {start_ms, 5'000};
    const Lines answer = client.ask("api.example.com", rrtype::a).answer();
    const bool crosses = answer == Lines{"api.example.com. 30 A 198.51.100.1"};
    CHECK(crosses == !permissions.empty());
    const Lines lines = world.zone();
    CHECK(std::ranges::count(lines, "api.example.com. 30 A 192.0.2.1") == 1);
    CHECK(std::ranges::count(lines, "api.example.com. 30 A 198.51.100.1") == 0);
  }
}

TEST_CASE("transfer: who may have the zone", "[dns][transfer]") {
  TransferWorld world;
  world.world.add_zone("example.org");
  world.prepare();
  world.build();
  Client& client = *world.client;
  const QueryParts axfr{.name = "example.com", .type = rrtype::axfr, .has_edns = true};
  const auto rcode = [&](const QueryParts& parts) { return client.ask(parts).rcode(); };
  SECTION("a client of a listed network") { CHECK(world.messages(query_bytes(axfr)).size() == 1); }
  client.from = address("203.0.113.1");
  SECTION("nobody else, and he is told so") {
    CHECK(world.messages(query_bytes(axfr)).empty());
    const Message refused = client.ask(axfr);
    CHECK(refused.rcode() == 5);
    CHECK(refused.extended_error() == 18);
    CHECK_FALSE(refused.aa());
    CHECK(client.worker().counters.transfers_refused.value() == 2);
  }
  SECTION("who signs with a listed key, wherever he is, and what he gets is signed") {
    const SignedBytes query = sign_with_ldns(query_bytes(axfr));
    const auto messages = world.messages(query.bytes);
    REQUIRE(messages.size() == 1);
    CHECK(LdnsVerifier(query.mac).holds(messages[0]));
  }
  SECTION("a signature that does not hold gets nothing, not even in a listed network") {
    client.from = address("192.0.2.1");
    const Bytes bad = sign_with_ldns(query_bytes(axfr), key_name, "AAAA").bytes;
    CHECK(world.messages(bad).empty());
    CHECK(Message(client.ask_bytes(bad)).rcode() == 9);
  }
  SECTION("a known key that is not listed does not help") {
    world.world.repository.zones[0].transfer->keys.clear();
    world.prepare();
    world.build();
    world.client->from = address("203.0.113.1");
    const SignedBytes query = sign_with_ldns(query_bytes(axfr));
    CHECK(world.messages(query.bytes).empty());
    const auto refused = world.client->ask_bytes(query.bytes);
    CHECK(Message(refused).rcode() == 5);
    CHECK(LdnsVerifier(query.mac).holds(refused));
  }
  SECTION("a zone without `transfer:` nobody; what is no zone of ours is NOTAUTH") {
    client.from = address("192.0.2.1");
    CHECK(rcode({.name = "example.org", .type = rrtype::axfr}) == 5);
    CHECK(rcode({.name = "example.net", .type = rrtype::axfr}) == 9);
    CHECK(rcode({.name = "www.example.com", .type = rrtype::axfr}) == 9);
    CHECK(rcode({.name = "example.com", .type = rrtype::axfr, .klass = 255}) == 5);
    CHECK(rcode({.name = "example.com", .type = rrtype::axfr, .klass = 3}) == 5);
  }
  SECTION("over UDP never (RFC 5936 §4.2)") {
    client.from = address("192.0.2.1");
    client.transport = Transport::udp;
    const Message refused = client.ask(axfr);
    CHECK(refused.rcode() == 5);
    CHECK(refused.extended_error() == 21);
    CHECK_FALSE(client.worker().transfer);
  }
  SECTION("not more at once than there are places") {
    client.from = address("192.0.2.1");
    client.worker().transfer_places = 0;
    CHECK(rcode(axfr) == 2);
    CHECK_FALSE(client.worker().transfer);
  }
}

TEST_CASE("transfer: a service that is not ready holds the zone back", "[dns][transfer]") {
  TransferWorld world;
  world.add_api(zones::Residency::hard, 100, 0);
  world.prepare();
  world.build_with({});
  CHECK(world.client->ask("example.com", rrtype::axfr).rcode() == 2);
}

TEST_CASE("transfer: IXFR is answered by the zone, or by its SOA alone", "[dns][transfer]") {
  TransferWorld world;
  world.world.repository.zones[0].serial = 1;
  world.prepare();
  world.build();
  REQUIRE(world.serial() == 1);
  Client& client = *world.client;
  const auto ask = [&](std::uint32_t serial) {
    return Message(client.ask_bytes(ixfr_bytes(serial)));
  };
  CHECK(world.messages(ixfr_bytes(0)).size() == 1);
  CHECK(world.messages(ixfr_bytes(1)).empty());
  CHECK(ask(1).answer() == Lines{world.soa(1)});
  CHECK(ask(2).answer() == Lines{world.soa(1)});  // it knows more than we do
  client.transport = Transport::udp;
  CHECK(ask(0).answer() == Lines{world.soa(1)});  // it comes by TCP (RFC 1995 §4)
  CHECK(ask(0).aa());
  CHECK(client.ask("example.com", rrtype::ixfr).rcode() == 1);  // without its SOA
  client.from = address("203.0.113.1");
  CHECK(ask(0).rcode() == 5);
}

TEST_CASE("transfer: many messages, each signed, none too long", "[dns][transfer]") {
  TransferWorld world;
  std::set<std::string> expected;
  for (unsigned index = 0; index < 5'000; ++index) {
    const std::string line = "n" + std::to_string(index) + ".deep.example.com. 300 ";
    world.world.add_rdata(name("n" + std::to_string(index) + ".deep.example.com"), rrtype::a, 300,
                          {'\x0a', '\0', static_cast<char>(index >> 8), static_cast<char>(index)});
    expected.insert(line + "A 10.0." + std::to_string(index >> 8) + "." +
                    std::to_string(index & 0xff));
  }
  // One record of nearly a whole message: 249 strings of 255 bytes.
  zones::Rdata long_text;
  for (int count = 0; count < 249; ++count) long_text += '\xff' + std::string(255, 'x');
  world.world.add_rdata(name("long.example.com"), rrtype::txt, 300, long_text);
  world.prepare();
  world.build();
  for (const bool has_edns : {false, true}) {
    const SignedBytes query = sign_with_ldns(query_bytes(
        {.name = "eXample.com", .type = rrtype::axfr, .has_edns = has_edns, .dnssec_ok = true}));
    const auto messages = world.messages(query.bytes);
    CHECK(messages.size() > 5);
    LdnsVerifier verifier(query.mac);
    std::set<std::string> found;
    std::size_t long_messages = 0;
    for (const Bytes& bytes : messages) {
      CHECK(verifier.holds(bytes));
      if (bytes.size() > transfer_message_size) ++long_messages;
      const Message message(bytes);
      CHECK(message.has_edns() == has_edns);
      for (const std::string& line : message.answer()) {
        if (line.starts_with("n") && line.find("deep") != std::string::npos) {
          CHECK(found.insert(line).second);
        }
      }
    }
    CHECK(long_messages == 1);
    std::set<std::string> in_lower_case;
    for (std::string line : found) {
      const auto at = line.find("eXample");
      if (at != std::string::npos) line[at + 1] = 'x';
      in_lower_case.insert(std::move(line));
    }
    CHECK(in_lower_case == expected);
  }
}

TEST_CASE("transfer: a key that the server does not know is found at load", "[dns][transfer]") {
  TransferWorld world;
  zones::Transfer& transfer = *world.world.repository.zones[0].transfer;
  transfer.keys[0].place = {"zones/a.yaml", 7, 3};
  transfer.notify = {{.address = address("192.0.2.1"),
                      .key = zones::TransferKey{name("other.example"), {"zones/a.yaml", 8, 5}}}};
  const std::shared_ptr<const zones::Repository> repository(&world.world.repository,
                                                            [](const zones::Repository*) {});
  const auto table = TransferTable::build(repository, {});
  REQUIRE_FALSE(table);
  CHECK(table.error() ==
        Lines{"zones/a.yaml:7:3: [unknown-tsig-key] key `transfer.example.net` is not known here; "
              "expected one of `tsig-keys` in demarcd.yaml",
              "zones/a.yaml:8:5: [unknown-tsig-key] key `other.example` is not known here; "
              "expected one of `tsig-keys` in demarcd.yaml"});
}

// ---- serials

}  // namespace
}  // namespace demarc::dns::test
