#include "dns/responder.h"

#include <catch2/catch.hpp>

#include "tests/dns/world.h"
#include "tests/support/allocation_count.h"

namespace demarc::dns::test {
namespace {

World mixed_world() {
  World world;
  world.add("ns1.example.com. 300 IN A 192.0.2.53");
  world.add("www.example.com. 300 IN A 192.0.2.80");
  world.add("example.com. 300 IN MX 10 mail.example.com.");
  world.add("mail.example.com. 300 IN A 192.0.2.25");
  world.add("*.wild.example.com. 300 IN TXT \"wild\"");
  world.add("sub.example.com. 300 IN NS ns.sub.example.com.");
  world.add("ns.sub.example.com. 300 IN A 192.0.2.54");
  world.add("alias.example.com. 300 IN CNAME api.example.com.");
  world.add("api.example.com. 300 IN TXT \"beside the service\"");
  zones::Service& api = world.add_service("api.example.com");
  World::route_by_country(api);
  World::add_record(api, 0, 60, "eu1.example.net", {"192.0.2.1", "2001:db8::1"});
  World::add_record(api, 0, 40, "eu2.example.net", {"192.0.2.2"});
  World::add_record(api, 1, 100, "us.example.net", {});
  zones::Service& all = world.add_service("all.example.com");
  all.answers = zones::answers_all;
  for (int index = 1; index <= 5; ++index) {
    World::add_record(all, 0, 10, "n" + std::to_string(index) + ".example.net",
                      {"192.0.2." + std::to_string(index)});
  }
  zones::Service& three = world.add_service("three.example.com");
  three.answers = 3;
  three.records = all.records;
  world.add_network("198.51.0.0/16", "US");
  world.add_network("203.0.0.0/8", "DE");
  return world;
}

TEST_CASE("responder: errors as the RFCs say", "[dns][responder]") {
  World world = mixed_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  QueryParts parts;
  SECTION("responses and scraps get nothing") {
    Bytes packet = query_bytes(parts);
    packet[2] |= qr_bit;
    CHECK(client.ask_bytes(packet).empty());
    CHECK(client.ask_bytes(Bytes(11)).empty());
    CHECK(client.worker().counters.dropped.value() == 2);
  }
  SECTION("NOTIMP with the opcode and the id; REFUSED for UPDATE, which is 5 (RFC 2136)") {
    for (unsigned opcode = 1; opcode < 16; ++opcode) {
      parts.flags = static_cast<std::uint8_t>(opcode << 3 | rd_bit);
      const auto answer = client.ask_bytes(query_bytes(parts));
      REQUIRE(answer.size() == header_size);
      CHECK(get16(answer.data()) == parts.id);
      CHECK(answer[2] == (qr_bit | parts.flags));
      CHECK(answer[3] == (opcode == 5 ? 5 : 4));
    }
  }
  SECTION("NOTIMP and FORMERR have an OPT if the query had one (RFC 6891 §7)") {
    parts.has_edns = true;
    Bytes packet = query_bytes(parts);
    packet[2] = 4 << 3;
    const Message notify(client.ask_bytes(packet));
    CHECK(notify.rcode() == 4);
    CHECK(notify.has_edns());
    CHECK(notify.question_count() == 0);
    packet = query_bytes(parts);
    packet[5] = 2;
    const Bytes question(packet.begin() + header_size, packet.end() - 11);
    packet.insert(packet.begin() + header_size, question.begin(), question.end());
    const Message two(client.ask_bytes(packet));
    CHECK(two.rcode() == 1);
    CHECK(two.has_edns());
  }
  SECTION("FORMERR") {
    Bytes packet = query_bytes(parts);
    packet.push_back(0);
    const Message message(client.ask_bytes(packet));
    CHECK(message.rcode() == 1);
    CHECK(message.id() == parts.id);
  }
  SECTION("a bad ECS option is a FORMERR") {
    parts.has_edns = true;
    parts.options = ecs_bytes(1, 24, {192, 0, 2, 1});
    const Message message = client.ask(parts);
    CHECK(message.rcode() == 1);
    CHECK(message.has_edns());
    CHECK_FALSE(message.scope());
  }
  SECTION("BADVERS with an OPT of version 0") {
    parts.has_edns = true;
    parts.edns_version = 1;
    const Message message = client.ask(parts);
    CHECK(message.rcode() == 16);
    CHECK(message.answer().empty());
  }
  SECTION("classes") {
    for (const auto& [klass, rcode] : {std::pair{3U, 5U}, {4U, 5U}, {254U, 5U}, {255U, 0U}}) {
      parts.klass = static_cast<std::uint16_t>(klass);
      CHECK(client.ask(parts).rcode() == rcode);
      CHECK_FALSE(client.ask(parts).aa());  // RFC 1035 §6.2
    }
  }
  CHECK(client.worker().counters.udp_queries.value() > 0);
}

TEST_CASE("responder: an OPT only for those who sent one", "[dns][responder]") {
  World world = mixed_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  QueryParts parts;
  for (const char* const qname : {"www.example.com", "no.example.com", "api.example.com",
                                  "x.sub.example.com", "example.org"}) {
    CAPTURE(qname);
    parts.name = qname;
    parts.has_edns = false;
    CHECK_FALSE(client.ask(parts).has_edns());
    parts.has_edns = true;
    parts.dnssec_ok = true;
    const Message message = client.ask(parts);
    CHECK(message.has_edns());
    CHECK(message.dnssec_ok());
    const bool is_outside = parts.name == "example.org";
    CHECK(message.options().size() == (is_outside ? 1U : 0U));
    CHECK(message.extended_error() == (is_outside ? std::optional(20U) : std::nullopt));
  }
}

TEST_CASE("responder: the question comes back in the client's letters", "[dns][responder]") {
  World world = mixed_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  for (const char* const qname :
       {"wWw.eXample.COM", "NO.example.COM", "ApI.ExAmPlE.cOm", "a.B.wild.EXAMPLE.com",
        "x.SUB.example.com", "ALIAS.example.com"}) {
    const Bytes packet = query_bytes({.name = qname});
    const auto answer = client.ask_bytes(packet);
    REQUIRE(answer.size() >= packet.size());
    CHECK(std::equal(packet.begin() + header_size, packet.end(), answer.begin() + header_size));
    CHECK(Message(answer).rd());
  }
}

TEST_CASE("responder: no answer allocates", "[dns][responder]") {
  World world = mixed_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  for (const char* const qname :
       {"www.example.com", "no.example.com", "api.example.com", "all.example.com",
        "three.example.com", "alias.example.com", "x.wild.example.com", "x.sub.example.com",
        "example.com", "example.org"}) {
    for (const std::uint16_t type : {rrtype::a, rrtype::aaaa, rrtype::txt, rrtype::mx, rrtype::any,
                                     rrtype::ds, rrtype::soa, rrtype::opt}) {
      CAPTURE(qname, type);
      QueryParts parts;
      parts.name = qname;
      parts.type = type;
      for (const bool with_subnet : {false, true}) {
        parts.has_edns = with_subnet;
        if (with_subnet) parts.options = ecs_bytes(1, 24, {198, 51, 100});
        const Bytes packet = query_bytes(parts);
        const AllocationCount count;
        const auto answer = client.ask_bytes(packet);
        const auto allocations = count.since();
        CHECK(allocations == 0);
        CHECK(answer.size() >= packet.size());
      }
    }
  }
}

TEST_CASE("responder: random packets and mangled queries do no harm", "[dns][responder]") {
  World world = mixed_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  Random random(20'260'101);
  QueryParts parts;
  parts.name = "api.example.com";
  parts.has_edns = true;
  parts.options = ecs_bytes(2, 56, {0x20, 1, 0xd, 0xb8, 0, 0, 0});
  const Bytes good = query_bytes(parts);
  std::size_t wrong = 0;
  for (int round = 0; round < 200'000; ++round) {
    Bytes packet = good;
    if (round % 2 == 0) {
      for (int change = 0; change < 3; ++change) {
        packet[random.next() % packet.size()] = static_cast<std::uint8_t>(random.next());
      }
    } else {
      packet.resize(random.next() % 64);
      for (auto& byte : packet) byte = static_cast<std::uint8_t>(random.next());
    }
    const auto answer = client.ask_bytes(packet);
    if (answer.empty()) continue;
    const bool is_ours = get16(answer.data()) == get16(packet.data()) && (answer[2] & qr_bit) != 0;
    if (!is_ours || answer.size() > udp_size_max) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("responder: a buffer that is too small gets nothing", "[dns][responder]") {
  World world = mixed_world();
  const auto snapshot = world.build();
  Worker worker(1);
  Bytes out(reply_size_min - 1);
  CHECK(respond(*snapshot, worker, query_bytes({}), address("192.0.2.1"), Transport::udp, out) ==
        0);
}

}  // namespace
}  // namespace demarc::dns::test
