// Names below a DNAME (RFC 6672): answered while they are asked, and at the end of chains that were
// rendered at load.
#include "dns/redirected_reply.h"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "dns/moved_answer.h"
#include "dns/zone_compiler.h"
#include "tests/dns/world.h"
#include "tests/support/allocation_count.h"

namespace demarc::dns::test {
namespace {

using Lines = std::vector<std::string>;

const std::string soa_line =
    "example.com. 60 SOA ns1.example.com. hostmaster.example.com. 1 7200 900 1209600 60";

World dname_world() {
  World world;
  world.add("d.example.com. 300 IN DNAME to.example.com.");
  world.add("d.example.com. 200 IN TXT \"beside it\"");
  world.add("www.to.example.com. 60 IN A 192.0.2.80");
  world.add("deep.empty.to.example.com. 60 IN TXT \"deep\"");
  world.add("alias.to.example.com. 60 IN CNAME www.to.example.com.");
  world.add("back.to.example.com. 60 IN CNAME www.d.example.com.");
  world.add("mail.to.example.com. 60 IN MX 10 www.to.example.com.");
  world.add("*.wild.to.example.com. 60 IN MX 10 mx.wild.to.example.com.");
  world.add("*.wild.to.example.com. 60 IN A 192.0.2.99");
  world.add("*.aliases.to.example.com. 60 IN CNAME www.to.example.com.");
  world.add("sub.to.example.com. 60 IN NS ns.sub.to.example.com.");
  world.add("sub.to.example.com. 60 IN NS www.to.example.com.");
  world.add("ns.sub.to.example.com. 60 IN A 192.0.2.54");
  world.add("signed.to.example.com. 60 IN NS ns.elsewhere.test.");
  world.add(
      "signed.to.example.com. 60 IN DS 1 13 2 "
      "0000000000000000000000000000000000000000000000000000000000000000");
  world.add("dd.example.com. 100 IN DNAME d.example.com.");
  world.add("out.example.com. 300 IN DNAME elsewhere.test.");
  world.add("root.example.com. 300 IN DNAME .");
  world.add("a.example.com. 300 IN DNAME b.example.com.");
  world.add("b.example.com. 300 IN DNAME a.example.com.");
  world.add("grow.example.com. 300 IN DNAME x.grow.example.com.");
  world.add("q.r.example.com. 300 IN DNAME r.example.com.");
  world.add("services.example.com. 300 IN DNAME example.com.");
  world.add("mx.api.to.example.com. 60 IN MX 10 api.example.com.");
  world.add("to-d.example.com. 50 IN CNAME www.d.example.com.");
  world.add("to-owner.example.com. 50 IN CNAME d.example.com.");
  world.add("to-child.example.com. 50 IN DNAME child.example.com.");
  zones::Service& api = world.add_service("api.example.com");
  World::route_by_country(api);
  World::add_record(api, 0, 100, "eu.example.net", {"192.0.2.1"});
  World::add_record(api, 1, 100, "us.example.net", {});
  world.add("child.example.com. 300 IN NS ns.child.example.com.");
  world.add_zone("child.example.com");
  world.add("www.child.example.com. 60 IN A 192.0.2.44");
  world.add_network("198.51.0.0/16", "US");
  world.add_network("203.0.0.0/8", "DE");
  return world;
}

struct Row {
  const char* name;
  const char* qname;
  std::uint16_t type;
  unsigned rcode;
  Lines answer;
  Lines authority;
  Lines additional;
};

const Lines referral{"sub.to.example.com. 60 NS ns.sub.to.example.com.",
                     "sub.to.example.com. 60 NS www.to.example.com."};
const Lines glue{"ns.sub.to.example.com. 60 A 192.0.2.54", "www.to.example.com. 60 A 192.0.2.80"};
const std::string d_line = "d.example.com. 300 DNAME to.example.com.";

const std::vector<Row> rows{
    {"an address",
     "www.d.example.com",
     rrtype::a,
     0,
     {d_line, "www.d.example.com. 300 CNAME www.to.example.com.",
      "www.to.example.com. 60 A 192.0.2.80"},
     {},
     {}},
    {"CNAME: what was made",
     "www.d.example.com",
     rrtype::cname,
     0,
     {d_line, "www.d.example.com. 300 CNAME www.to.example.com."},
     {},
     {}},
    {"ANY: the same (RFC 8482)",
     "www.d.example.com",
     rrtype::any,
     0,
     {d_line, "www.d.example.com. 300 CNAME www.to.example.com."},
     {},
     {}},
    {"DNAME: that of the target, which has none",
     "www.d.example.com",
     rrtype::dname,
     0,
     {d_line, "www.d.example.com. 300 CNAME www.to.example.com."},
     {soa_line},
     {}},
    {"the owner itself has a DNAME", "d.example.com", rrtype::dname, 0, {d_line}, {}, {}},
    {"and other data",
     "d.example.com",
     rrtype::txt,
     0,
     {"d.example.com. 200 TXT \"beside it\""},
     {},
     {}},
    {"and is not redirected", "d.example.com", rrtype::a, 0, {}, {soa_line}, {}},
    {"nor an alias", "d.example.com", rrtype::cname, 0, {}, {soa_line}, {}},
    {"ANY of the owner",
     "d.example.com",
     rrtype::any,
     0,
     {"d.example.com. 200 TXT \"beside it\""},
     {},
     {}},
    {"several labels",
     "deep.empty.d.example.com",
     rrtype::txt,
     0,
     {d_line, "deep.empty.d.example.com. 300 CNAME deep.empty.to.example.com.",
      "deep.empty.to.example.com. 60 TXT \"deep\""},
     {},
     {}},
    {"an empty non-terminal",
     "empty.d.example.com",
     rrtype::a,
     0,
     {d_line, "empty.d.example.com. 300 CNAME empty.to.example.com."},
     {soa_line},
     {}},
    {"nothing",
     "no.d.example.com",
     rrtype::a,
     3,
     {d_line, "no.d.example.com. 300 CNAME no.to.example.com."},
     {soa_line},
     {}},
    {"another CNAME",
     "alias.d.example.com",
     rrtype::a,
     0,
     {d_line, "alias.d.example.com. 300 CNAME alias.to.example.com.",
      "alias.to.example.com. 60 CNAME www.to.example.com.", "www.to.example.com. 60 A 192.0.2.80"},
     {},
     {}},
    {"a CNAME back below it: the DNAME stands there once",
     "back.d.example.com",
     rrtype::a,
     0,
     {d_line, "back.d.example.com. 300 CNAME back.to.example.com.",
      "back.to.example.com. 60 CNAME www.d.example.com.",
      "www.d.example.com. 300 CNAME www.to.example.com.", "www.to.example.com. 60 A 192.0.2.80"},
     {},
     {}},
    {"a wildcard, its owner in the answer",
     "x.y.wild.d.example.com",
     rrtype::a,
     0,
     {d_line, "x.y.wild.d.example.com. 300 CNAME x.y.wild.to.example.com.",
      "x.y.wild.to.example.com. 60 A 192.0.2.99"},
     {},
     {}},
    {"a wildcard's names",
     "x.wild.d.example.com",
     rrtype::mx,
     0,
     {d_line, "x.wild.d.example.com. 300 CNAME x.wild.to.example.com.",
      "x.wild.to.example.com. 60 MX 10 mx.wild.to.example.com."},
     {},
     {}},
    {"a wildcard CNAME",
     "x.aliases.d.example.com",
     rrtype::a,
     0,
     {d_line, "x.aliases.d.example.com. 300 CNAME x.aliases.to.example.com.",
      "x.aliases.to.example.com. 60 CNAME www.to.example.com.",
      "www.to.example.com. 60 A 192.0.2.80"},
     {},
     {}},
    {"additional addresses",
     "mail.d.example.com",
     rrtype::mx,
     0,
     {d_line, "mail.d.example.com. 300 CNAME mail.to.example.com.",
      "mail.to.example.com. 60 MX 10 www.to.example.com."},
     {},
     {"www.to.example.com. 60 A 192.0.2.80"}},
    {"below a delegation",
     "far.below.sub.d.example.com",
     rrtype::a,
     0,
     {d_line, "far.below.sub.d.example.com. 300 CNAME far.below.sub.to.example.com."},
     referral,
     glue},
    {"DS at a delegation",
     "signed.d.example.com",
     rrtype::ds,
     0,
     {d_line, "signed.d.example.com. 300 CNAME signed.to.example.com.",
      "signed.to.example.com. 60 DS 1 13 2 "
      "0000000000000000000000000000000000000000000000000000000000000000"},
     {},
     {}},
    {"DS at one that is not signed",
     "sub.d.example.com",
     rrtype::ds,
     0,
     {d_line, "sub.d.example.com. 300 CNAME sub.to.example.com."},
     {soa_line},
     {}},
    {"two DNAMEs, each with its TTL",
     "www.dd.example.com",
     rrtype::a,
     0,
     {"dd.example.com. 100 DNAME d.example.com.",
      "www.dd.example.com. 100 CNAME www.d.example.com.", d_line,
      "www.d.example.com. 300 CNAME www.to.example.com.", "www.to.example.com. 60 A 192.0.2.80"},
     {},
     {}},
    {"to outside",
     "x.out.example.com",
     rrtype::a,
     0,
     {"out.example.com. 300 DNAME elsewhere.test.",
      "x.out.example.com. 300 CNAME x.elsewhere.test."},
     {},
     {}},
    {"to the root",
     "x.root.example.com",
     rrtype::a,
     0,
     {"root.example.com. 300 DNAME .", "x.root.example.com. 300 CNAME x."},
     {},
     {}},
    {"in a circle",
     "x.a.example.com",
     rrtype::a,
     0,
     {"a.example.com. 300 DNAME b.example.com.", "x.a.example.com. 300 CNAME x.b.example.com.",
      "b.example.com. 300 DNAME a.example.com.", "x.b.example.com. 300 CNAME x.a.example.com."},
     {},
     {}},
    {"into itself, longer each time",
     "y.grow.example.com",
     rrtype::a,
     0,
     {"grow.example.com. 300 DNAME x.grow.example.com.",
      "y.grow.example.com. 300 CNAME y.x.grow.example.com."},
     {},
     {}},
    {"a CNAME to a name below it",
     "to-d.example.com",
     rrtype::a,
     0,
     {"to-d.example.com. 50 CNAME www.d.example.com.", d_line,
      "www.d.example.com. 300 CNAME www.to.example.com.", "www.to.example.com. 60 A 192.0.2.80"},
     {},
     {}},
    {"to its own owner, asked for it: there once",
     "q.q.r.example.com",
     rrtype::dname,
     0,
     {"q.r.example.com. 300 DNAME r.example.com.", "q.q.r.example.com. 300 CNAME q.r.example.com."},
     {},
     {}},
    {"twice through the same",
     "q.q.q.r.example.com",
     rrtype::txt,
     0,
     {"q.r.example.com. 300 DNAME r.example.com.",
      "q.q.q.r.example.com. 300 CNAME q.q.r.example.com.",
      "q.q.r.example.com. 300 CNAME q.r.example.com."},
     {soa_line},
     {}},
    {"an alias of the owner is asked for it",
     "to-owner.example.com",
     rrtype::dname,
     0,
     {"to-owner.example.com. 50 CNAME d.example.com.", d_line},
     {},
     {}},
    {"but leads nothing below itself elsewhere",
     "x.to-owner.example.com",
     rrtype::a,
     3,
     {},
     {soa_line},
     {}},
    {"into another zone of ours",
     "www.to-child.example.com",
     rrtype::a,
     0,
     {"to-child.example.com. 50 DNAME child.example.com.",
      "www.to-child.example.com. 50 CNAME www.child.example.com.",
      "www.child.example.com. 60 A 192.0.2.44"},
     {},
     {}},
};

void check(const Row& row, const Message& message) {
  CHECK(message.rcode() == row.rcode);
  CHECK(message.aa());
  CHECK_FALSE(message.tc());
  CHECK(message.answer() == row.answer);
  CHECK(message.authority() == row.authority);
  CHECK(message.additional() == row.additional);
}

TEST_CASE("DNAME: what a name below one is answered", "[dns][dname]") {
  World world = dname_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  for (const Row& row : rows) {
    CAPTURE(row.name);
    check(row, client.ask(row.qname, row.type));
  }
}

TEST_CASE("DNAME: a rendered chain through one says what a followed one says", "[dns][dname]") {
  World world = dname_world();
  world.repository.zones.pop_back();  // the child: what is added belongs to its parent
  std::size_t number = 0;
  for (const Row& row : rows) {
    world.add(fmt::format("alias{}.example.com. 10 IN CNAME {}.", number++, row.qname));
  }
  const auto snapshot = world.build();
  Client client(*snapshot);
  number = 0;
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const std::string alias = fmt::format("alias{}.example.com", number++);
    if (row.type == rrtype::cname || row.type == rrtype::any) continue;
    const Message direct = client.ask(row.qname, row.type);
    const Message message = client.ask(alias, row.type);
    Lines answer = direct.answer();
    answer.insert(answer.begin(), fmt::format("{}. 10 CNAME {}.", alias, row.qname));
    CHECK(message.rcode() == direct.rcode());
    CHECK(message.answer() == answer);
    CHECK(message.authority() == direct.authority());
    CHECK(message.additional() == direct.additional());
  }
}

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
