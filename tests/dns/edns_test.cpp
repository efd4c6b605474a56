// What a reply's OPT says beside ECS and EDE, and what the server says of itself.
#include <catch2/catch.hpp>

#include "tests/dns/world.h"
#include "tests/support/allocation_count.h"

namespace demarc::dns::test {
namespace {

Bytes option_bytes(std::uint16_t code, const Bytes& data) {
  Bytes bytes;
  append16(bytes, code);
  append16(bytes, data.size());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

QueryParts asking(const Bytes& options, const char* name = "www.example.com") {
  QueryParts parts;
  parts.name = name;
  parts.has_edns = true;
  parts.options = options;
  return parts;
}

struct Served {
  explicit Served(Identity identity) {
    world.add("www.example.com. 300 IN A 192.0.2.80");
    world.add("sub.example.com. 300 IN NS ns.example.org.");
    for (int i = 0; i < 60; ++i) {
      world.add("big.example.com. 300 IN A 198.51.100." + std::to_string(i));
    }
    world.parts.identity = std::make_shared<const Identity>(std::move(identity));
    snapshot = world.build();
    client.emplace(*snapshot);
    client->worker().now.wall_ms = 1'800'000'000'000;
  }
  World world;
  std::unique_ptr<const Snapshot> snapshot;
  std::optional<Client> client;
};

Identity named() {
  return {.nsid = "ns1.eu",
          .version = "Demarc 1",
          .server = "ns1",
          .cookie_secrets = {CookieSecret{7}},
          .requires_cookie = false,
          .keepalive = 100};
}

TEST_CASE("edns: an answer of just the client's size is sent, one byte more is truncated",
          "[dns][edns]") {
  struct Row {
    bool has_edns;
    std::uint16_t udp_size;
    std::size_t limit;
  };
  constexpr std::uint16_t type = 65'280;
  for (const Row& row : {Row{false, 0, 512}, Row{true, 0, 512}, Row{true, 511, 512},
                         Row{true, 513, 513}, Row{true, 1000, 1000}, Row{true, 1231, 1231},
                         Row{true, 1232, 1232}, Row{true, 1233, 1232}, Row{true, 65'535, 1232}}) {
    for (const std::size_t more : {0U, 1U}) {
      QueryParts parts;
      parts.name = "at.example.com";
      parts.type = type;
      parts.has_edns = row.has_edns;
      parts.udp_size = row.udp_size;
      const Bytes packet = query_bytes(parts);
      constexpr std::size_t record_size = 12;  // a pointer, TYPE, CLASS, TTL, RDLENGTH
      World world;
      world.add_rdata(name("at.example.com"), type, 60,
                      zones::Rdata(row.limit + more - packet.size() - record_size, 'x'));
      const auto snapshot = world.build();
      Client client(*snapshot);
      CAPTURE(row.has_edns, row.udp_size, more);
      const auto answer = client.ask_bytes(packet);
      CHECK(Message(answer).tc() == (more == 1));
      CHECK(answer.size() == (more == 1 ? packet.size() : row.limit));
      client.transport = Transport::tcp;
      CHECK(client.ask_bytes(packet).size() == row.limit + more);
    }
  }
}

TEST_CASE("edns: NSID for those who ask (RFC 5001)", "[dns][edns]") {
  Served served(named());
  CHECK_FALSE(served.client->ask(asking({})).option(edns::nsid));
  const auto nsid = served.client->ask(asking(option_bytes(edns::nsid, {}))).option(edns::nsid);
  REQUIRE(nsid);
  CHECK(std::string(nsid->begin(), nsid->end()) == "ns1.eu");
  Served silent(Identity{});
  CHECK_FALSE(silent.client->ask(asking(option_bytes(edns::nsid, {}))).option(edns::nsid));
}

TEST_CASE("edns: a cookie is answered with ours, and ours is believed", "[dns][edns][cookies]") {
  Served served(named());
  Client& client = *served.client;
  const Bytes asked{1, 2, 3, 4, 5, 6, 7, 8};
  const Message first = client.ask(asking(option_bytes(edns::cookie, asked)));
  CHECK(first.rcode() == 0);
  CHECK(first.answer().size() == 1);
  const auto cookie = first.option(edns::cookie);
  REQUIRE(cookie);
  REQUIRE(cookie->size() == cookie_size);
  CHECK(Bytes(cookie->begin(), cookie->begin() + 8) == asked);
  SECTION("lengths that RFC 7873 §4 does not know are a FORMERR") {
    for (const std::size_t size : {0, 1, 7, 9, 15, 41}) {
      CAPTURE(size);
      CHECK(client.ask(asking(option_bytes(edns::cookie, Bytes(size)))).rcode() == 1);
    }
    for (const std::size_t size : {8, 16, 40}) {
      CHECK(client.ask(asking(option_bytes(edns::cookie, Bytes(size)))).rcode() == 0);
    }
  }
  SECTION("no question and a cookie asks for a cookie alone (RFC 7873 §5.4)") {
    Bytes packet{0x47, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    const Bytes opt = opt_bytes(asking(option_bytes(edns::cookie, asked)));
    packet.insert(packet.end(), opt.begin(), opt.end());
    const Message message(client.ask_bytes(packet));
    CHECK(message.rcode() == 0);
    CHECK(message.question_count() == 0);
    CHECK(message.option(edns::cookie) == cookie);
  }
  SECTION("servers without secrets send none") {
    Served silent(Identity{});
    CHECK_FALSE(silent.client->ask(asking(option_bytes(edns::cookie, asked))).option(edns::cookie));
  }
}

TEST_CASE("edns: where cookies are required, a false one gets BADCOOKIE", "[dns][edns][cookies]") {
  Identity identity = named();
  identity.requires_cookie = true;
  Served served(identity);
  Client& client = *served.client;
  const Message refused = client.ask(asking(option_bytes(edns::cookie, Bytes(8, 5))));
  CHECK(refused.rcode() == 23);
  CHECK(refused.answer().empty());
  const auto cookie = refused.option(edns::cookie);
  REQUIRE(cookie);
  CHECK(client.ask(asking(option_bytes(edns::cookie, *cookie))).rcode() == 0);
  CHECK(client.ask(asking({})).rcode() == 0);  // knows no cookies
  client.from = address("192.0.2.201");
  CHECK(client.ask(asking(option_bytes(edns::cookie, *cookie))).rcode() == 23);
  client.transport = Transport::tcp;  // its address is proven
  CHECK(client.ask(asking(option_bytes(edns::cookie, *cookie))).rcode() == 0);
}

TEST_CASE("edns: keepalive over TCP alone (RFC 7828)", "[dns][edns]") {
  Served served(named());
  const auto parts = asking(option_bytes(edns::keepalive, {}));
  CHECK_FALSE(served.client->ask(parts).option(edns::keepalive));
  served.client->transport = Transport::tcp;
  CHECK(served.client->ask(parts).option(edns::keepalive) == Bytes{0, 100});
  CHECK_FALSE(served.client->ask(asking({})).option(edns::keepalive));
}

TEST_CASE("edns: ZONEVERSION names the zone and its serial (RFC 9660)", "[dns][edns]") {
  Served served(named());
  const auto ask = [&](const char* name) {
    return served.client->ask(asking(option_bytes(edns::zone_version, {}), name));
  };
  for (const char* const name :
       {"example.com", "www.example.com", "no.example.com", "x.sub.example.com"}) {
    CAPTURE(name);
    CHECK(ask(name).option(edns::zone_version) == Bytes{2, 0, 0, 0, 0, 1});
  }
  CHECK_FALSE(ask("example.org").option(edns::zone_version));
  CHECK_FALSE(served.client->ask(asking({})).option(edns::zone_version));
  CHECK(served.client->ask(asking(option_bytes(edns::zone_version, {1}))).rcode() == 1);
}

TEST_CASE("edns: the server's own names in class CH (RFC 4892)", "[dns][edns]") {
  Served served(named());
  Served silent(Identity{});
  const auto ask = [](Served& server, const char* name, std::uint16_t type = rrtype::txt) {
    QueryParts parts;
    parts.name = name;
    parts.klass = rrclass::ch;
    parts.type = type;
    return server.client->ask(parts);
  };
  for (const auto& [name, text] : {std::pair{"version.bind", "Demarc 1"},
                                   {"VERSION.server", "Demarc 1"},
                                   {"id.server", "ns1"},
                                   {"hostname.bind", "ns1"}}) {
    CAPTURE(name);
    const Message message = ask(served, name);
    CHECK(message.rcode() == 0);
    REQUIRE(message.answer().size() == 1);
    CHECK(message.answer()[0].ends_with("0 CH TXT \"" + std::string(text) + "\""));
    CHECK(ask(served, name, rrtype::a).answer().empty());
    CHECK(ask(served, name, rrtype::a).rcode() == 0);
    CHECK(ask(silent, name).rcode() == 5);
  }
  CHECK(ask(served, "www.example.com").rcode() == 5);
  CHECK(ask(served, "x.version.bind").rcode() == 5);
}

TEST_CASE("edns: all options at once fit, truncate the body first, and allocate nothing",
          "[dns][edns]") {
  Identity identity = named();
  identity.nsid = std::string(nsid_size_max, 'n');
  identity.server = std::string(chaos_text_size_max, 's');
  Served served(identity);
  Bytes options = option_bytes(edns::nsid, {});
  for (const Bytes& more :
       {option_bytes(edns::cookie, Bytes(40)), option_bytes(edns::zone_version, {}),
        option_bytes(edns::keepalive, {}), ecs_bytes(2, 128, Bytes(16, 1))}) {
    options.insert(options.end(), more.begin(), more.end());
  }
  // The longest name of the zone: 255 bytes on the wire.
  const std::string label(63, 'x');
  const std::string longest =
      label + "." + label + "." + label + "." + std::string(49, 'y') + ".example.com";
  for (const char* const name : {"www.example.com", "big.example.com", longest.c_str()}) {
    for (const unsigned size : {512U, 1232U}) {
      QueryParts parts = asking(options, name);
      parts.udp_size = static_cast<std::uint16_t>(size);
      const Bytes packet = query_bytes(parts);
      const AllocationCount count;
      const auto bytes = served.client->ask_bytes(packet);
      CHECK(count.since() == 0);
      CHECK(bytes.size() <= size);
      const Message message(bytes);
      CHECK(message.option(edns::nsid)->size() == nsid_size_max);
      CHECK(message.option(edns::cookie));
      CHECK(message.option(edns::zone_version));
      CHECK(message.scope());
      if (std::string_view(name).starts_with("big")) CHECK(message.tc() == (size == 512));
    }
  }
  QueryParts chaos = asking(options, "id.server");
  chaos.klass = rrclass::ch;
  chaos.type = rrtype::txt;
  chaos.udp_size = 512;
  CHECK(served.client->ask_bytes(query_bytes(chaos)).size() <= 512);
}

}  // namespace
}  // namespace demarc::dns::test
