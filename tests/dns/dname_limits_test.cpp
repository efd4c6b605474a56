// What bounds the names below a DNAME (RFC 6672): their length, that of chains and of messages,
// letters, memory, and where the client has to go on by itself.
#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "dns/moved_answer.h"
#include "dns/zone_compiler.h"
#include "tests/dns/dname_world.h"
#include "tests/support/allocation_count.h"

namespace demarc::dns::test {
namespace {

TEST_CASE("DNAME: into a service the answer is the service's own choice", "[dns][dname]") {
  World world = dname_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  const Lines chain{"services.example.com. 300 DNAME example.com.",
                    "api.services.example.com. 300 CNAME api.example.com."};
  const auto with = [&](const std::string& line) { return Lines{chain[0], chain[1], line}; };
  const auto scope = client.ask_for("api.example.com", rrtype::a, "203.0.113.1", 24).scope();
  REQUIRE(scope > 0U);
  Message message = client.ask_for("api.services.example.com", rrtype::a, "203.0.113.1", 24);
  CHECK(message.answer() == with("api.example.com. 30 A 192.0.2.1"));
  CHECK(message.scope() == scope);
  message = client.ask_for("api.services.example.com", rrtype::a, "198.51.100.1", 24);
  CHECK(message.answer() == with("api.example.com. 30 CNAME us.example.net."));
  message = client.ask_for("api.services.example.com", rrtype::aaaa, "203.0.113.1", 24);
  CHECK(message.answer() == chain);
  CHECK(message.authority() == Lines{soa_line});
  CHECK(message.scope() == scope);
  message = client.ask_for("mx.api.d.example.com", rrtype::mx, "203.0.113.1", 24);
  CHECK(message.answer().size() == 3);
  CHECK(message.additional() == Lines{"api.example.com. 30 A 192.0.2.1"});
}

TEST_CASE("DNAME: a name of 255 bytes is made, one of 256 is YXDOMAIN", "[dns][dname]") {
  const std::string label(60, 'x');
  // The target has 63 + 16 bytes, the labels before 61 + 61 + 1 + `last`.
  const std::string target = std::string(62, 't') + ".to.example.com";
  for (const bool is_chained : {false, true}) {
    for (const std::size_t last : {53U, 54U}) {
      const std::string name =
          fmt::format("{0}.{0}.{1}.d.example.com", label, std::string(last, 'y'));
      World world;
      world.add("d.example.com. 300 IN DNAME " + target + ".");
      world.add("alias.example.com. 300 IN CNAME " + name + ".");
      const auto snapshot = world.build();
      Client client(*snapshot);
      client.transport = Transport::tcp;
      const Message message = client.ask(is_chained ? "alias.example.com" : name, rrtype::a);
      CAPTURE(is_chained, last);
      const std::size_t before = is_chained ? 1 : 0;
      const bool is_too_long = last == 54;
      CHECK(message.rcode() == (is_too_long ? 6U : 3U));
      CHECK(message.answer().size() == before + (is_too_long ? 1 : 2));
      REQUIRE(message.answer().size() > before);
      CHECK(message.authority().size() == (is_too_long ? 0 : 1));
      CHECK(message.answer()[before] == "d.example.com. 300 DNAME " + target + ".");
    }
  }
}

TEST_CASE("DNAME: a chain ends after eight aliases", "[dns][dname]") {
  World world;
  for (int hop = 0; hop < 10; ++hop) {
    world.add(fmt::format("d{}.example.com. 300 IN DNAME d{}.example.com.", hop, hop + 1));
  }
  world.add("x.d10.example.com. 300 IN A 192.0.2.10");
  world.add("alias.example.com. 300 IN CNAME x.d0.example.com.");
  const auto snapshot = world.build();
  Client client(*snapshot);
  CHECK(client.ask("x.d0.example.com", rrtype::a).answer().size() == 2 * cname_chain_max);
  CHECK(client.ask("x.d2.example.com", rrtype::a).answer().back() ==
        "x.d10.example.com. 300 A 192.0.2.10");
  CHECK(client.ask("x.d1.example.com", rrtype::a).answer().size() == 2 * cname_chain_max);
  CHECK(client.ask("alias.example.com", rrtype::a).answer().size() == 2 * cname_chain_max - 1);
}

TEST_CASE("DNAME: a followed chain is compressed as a rendered one is", "[dns][dname]") {
  World world;
  world.add("d.example.com. 300 IN DNAME to.example.com.");
  world.add("a.to.example.com. 300 IN CNAME b.to.example.com.");
  world.add("b.to.example.com. 300 IN CNAME far.Away.example.com.");
  world.add("far.away.example.com. 300 IN CNAME example.com.");
  const auto snapshot = world.build();
  Client client(*snapshot);
  const Message followed = client.ask("a.d.example.com", rrtype::mx);
  CHECK(followed.answer() == Lines{"d.example.com. 300 DNAME to.example.com.",
                                   "a.d.example.com. 300 CNAME a.to.example.com.",
                                   "a.to.example.com. 300 CNAME b.to.example.com.",
                                   "b.to.example.com. 300 CNAME far.Away.example.com.",
                                   "far.Away.example.com. 300 CNAME example.com."});
  CHECK(followed.authority() == Lines{soa_line});
  // Each name but the DNAME's target (RFC 6672 §2.5) ends in a pointer: a header, the question, the
  // five records in order and the SOA.
  const auto bytes = client.ask_bytes(query_bytes({.name = "a.d.example.com", .type = rrtype::mx}));
  CHECK(bytes.size() == 12 + 21 + 28 + 16 + 16 + 23 + 14 + 51);
}

TEST_CASE("DNAME: in letters of any case, and never compressed in its RDATA", "[dns][dname]") {
  World world = dname_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  QueryParts parts;
  parts.name = "WwW.D.eXample.cOm";
  const Bytes packet = query_bytes(parts);
  const auto answer = client.ask_bytes(packet);
  REQUIRE(answer.size() > packet.size() + 30);
  CHECK(std::equal(packet.begin() + header_size, packet.end(), answer.begin() + header_size));
  // 0xc010: the owner is in the question; TYPE 39; TTL; RDLENGTH of all labels of to.example.com.
  const Bytes record(answer.begin() + static_cast<std::ptrdiff_t>(packet.size()),
                     answer.begin() + static_cast<std::ptrdiff_t>(packet.size()) + 28);
  Bytes expected{0xc0, 0x10, 0, 39, 0, 1, 0, 0, 1, 44, 0, 16};
  const Bytes target = name_bytes("to.example.com");
  expected.insert(expected.end(), target.begin(), target.end());
  CHECK(record == expected);
  CHECK(Message(answer).answer().back() == "www.to.example.com. 60 A 192.0.2.80");
}

TEST_CASE("DNAME: what does not fit is truncated, over TCP it is whole", "[dns][dname]") {
  World world = dname_world();
  world.repository.zones.pop_back();
  for (unsigned index = 0; index < 60; ++index) {
    world.add_rdata(name("many.to.example.com"), rrtype::a, 300,
                    {'\x0a', '\0', '\0', static_cast<char>(index)});
  }
  for (unsigned index = 0; index < 80; ++index) {
    world.add_rdata(name("long.to.example.com"), rrtype::txt, 300,
                    std::string(1, '\xff') + std::string(254, 'x') + static_cast<char>(index));
  }
  const auto snapshot = world.build();
  Client client(*snapshot);
  Message message = client.ask("many.d.example.com", rrtype::a);
  CHECK(message.tc());
  CHECK(message.answer().empty());
  const std::string long_name = std::string(60, 'y') + "." + std::string(60, 'y') + ".";
  message = client.ask(long_name + std::string(60, 'y') + ".no.dd.example.com", rrtype::a);
  CHECK(message.tc());
  CHECK(message.rcode() == 3);  // as the whole answer's
  client.transport = Transport::tcp;
  CHECK(client.ask("many.d.example.com", rrtype::a).answer().size() == 62);
  // Longer than compression pointers reach: the chain alone, the client asks for its target.
  message = client.ask("long.d.example.com", rrtype::txt);
  CHECK(message.rcode() == 0);
  CHECK(message.answer().size() == 2);
  CHECK(client.ask("long.to.example.com", rrtype::txt).answer().size() == 80);
}

TEST_CASE("DNAME: no answer allocates, every type is well-formed", "[dns][dname]") {
  World world = dname_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  std::size_t odd = 0;
  for (const char* const qname :
       {"www.d.example.com", "x.wild.d.example.com", "api.services.example.com",
        "far.below.sub.d.example.com", "www.dd.example.com", "no.d.example.com"}) {
    for (unsigned type = 0; type < 65'536; type += type < 300 ? 1 : 251) {
      const Bytes packet = query_bytes({.name = qname, .type = static_cast<std::uint16_t>(type)});
      const AllocationCount count;
      const auto answer = client.ask_bytes(packet);
      if (count.since() != 0) ++odd;
      const unsigned rcode = Message(answer).rcode();
      if (rcode != 0 && rcode != 1 && rcode != 3 && rcode != 5 && rcode != 9) ++odd;
    }
  }
  CHECK(odd == 0);
}

TEST_CASE("DNAME: chains stop where the client has to ask by itself", "[dns][dname]") {
  World world = dname_world();
  world.repository.zones.pop_back();
  world.add("_acme-challenge.w.example.com. 60 IN CNAME _acme-challenge.v.example.com.");
  world.add("v.example.com. 60 IN A 192.0.2.3");
  const auto snapshot = world.build();
  Client client(*snapshot);
  const Message rendered = client.ask("_acme-challenge.w.example.com", rrtype::txt);
  CHECK(rendered.rcode() == 0);
  CHECK(rendered.answer().size() == 1);
  CHECK(rendered.authority().empty());
  const Message followed = client.ask("_acme-challenge.d.example.com", rrtype::txt);
  CHECK(followed.rcode() == 0);
  CHECK(followed.answer().size() == 2);
  CHECK(followed.authority().empty());
}

}  // namespace
}  // namespace demarc::dns::test
