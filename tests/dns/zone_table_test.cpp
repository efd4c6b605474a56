#include "dns/zone_table.h"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "dns/zone_compiler.h"
#include "tests/dns/world.h"

namespace demarc::dns::test {
namespace {

using Lines = std::vector<std::string>;

const std::string soa_line =
    "example.com. 60 SOA ns1.example.com. hostmaster.example.com. 1 7200 900 1209600 60";

World static_world() {
  World world;
  world.add("ns1.example.com. 300 IN A 192.0.2.53");
  world.add("example.com. 300 IN MX 10 mail.example.com.");
  world.add("mail.example.com. 300 IN A 192.0.2.25");
  world.add("mail.example.com. 300 IN AAAA 2001:db8::25");
  world.add("www.example.com. 300 IN A 192.0.2.80");
  world.add("www.example.com. 300 IN A 192.0.2.81");
  world.add("www.example.com. 300 IN TXT \"hello\"");
  world.add("deep.empty.example.com. 300 IN TXT \"below an empty non-terminal\"");
  world.add("*.wild.example.com. 300 IN A 192.0.2.99");
  world.add("*.wild.example.com. 300 IN MX 5 mail.example.com.");
  world.add("there.wild.example.com. 300 IN TXT \"hides the wildcard\"");
  world.add("_sip._tcp.example.com. 300 IN SRV 1 1 5060 mail.example.com.");
  world.add("sub.example.com. 300 IN NS ns.sub.example.com.");
  world.add("sub.example.com. 300 IN NS mail.example.com.");
  world.add("ns.sub.example.com. 300 IN A 192.0.2.54");
  world.add(
      "sub.example.com. 300 IN DS 1 13 2 "
      "0000000000000000000000000000000000000000000000000000000000000000");
  world.add("occluded.sub.example.com. 300 IN TXT \"never seen\"");
  world.add("unsigned.example.com. 300 IN NS ns.elsewhere.test.");
  world.add("alias.example.com. 300 IN CNAME www.example.com.");
  world.add("alias2.example.com. 300 IN CNAME alias.example.com.");
  world.add("out.example.com. 300 IN CNAME www.elsewhere.test.");
  world.add("gone.example.com. 300 IN CNAME nothing.example.com.");
  world.add("loop1.example.com. 300 IN CNAME loop2.example.com.");
  world.add("loop2.example.com. 300 IN CNAME loop1.example.com.");
  world.add("*.alias.example.com. 300 IN CNAME www.example.com.");
  world.add("tosub.example.com. 300 IN CNAME host.sub.example.com.");
  for (int hop = 0; hop < 12; ++hop) {
    world.add(fmt::format("hop{}.example.com. 300 IN CNAME hop{}.example.com.", hop, hop + 1));
  }
  world.add("hop12.example.com. 300 IN A 192.0.2.12");
  return world;
}

TEST_CASE("zone table: what a name answers", "[dns][zone]") {
  World world = static_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  struct Row {
    const char* name;
    const char* qname;
    std::uint16_t type;
    unsigned rcode;
    Lines answer;
    Lines authority;
    Lines additional;
  };
  const std::vector<Row> rows{
      {"an RRset",
       "www.example.com",
       rrtype::a,
       0,
       {"www.example.com. 300 A 192.0.2.80", "www.example.com. 300 A 192.0.2.81"},
       {},
       {}},
      {"NODATA", "www.example.com", rrtype::aaaa, 0, {}, {soa_line}, {}},
      {"NXDOMAIN", "no.example.com", rrtype::a, 3, {}, {soa_line}, {}},
      {"NXDOMAIN far below", "a.b.c.no.example.com", rrtype::a, 3, {}, {soa_line}, {}},
      {"below a name without wildcard", "x.www.example.com", rrtype::a, 3, {}, {soa_line}, {}},
      {"an empty non-terminal exists", "empty.example.com", rrtype::a, 0, {}, {soa_line}, {}},
      {"outside", "example.org", rrtype::a, 5, {}, {}, {}},
      {"above", "com", rrtype::a, 5, {}, {}, {}},
      {"the root", "", rrtype::ns, 5, {}, {}, {}},
      {"a wildcard",
       "any.thing.wild.example.com",
       rrtype::a,
       0,
       {"any.thing.wild.example.com. 300 A 192.0.2.99"},
       {},
       {}},
      {"a wildcard with names in its RDATA",
       "x.wild.example.com",
       rrtype::mx,
       0,
       {"x.wild.example.com. 300 MX 5 mail.example.com."},
       {},
       {"mail.example.com. 300 A 192.0.2.25", "mail.example.com. 300 AAAA 2001:db8::25"}},
      {"a wildcard's NODATA", "x.wild.example.com", rrtype::txt, 0, {}, {soa_line}, {}},
      {"the wildcard itself",
       "*.wild.example.com",
       rrtype::a,
       0,
       {"*.wild.example.com. 300 A 192.0.2.99"},
       {},
       {}},
      {"what exists hides it", "there.wild.example.com", rrtype::a, 0, {}, {soa_line}, {}},
      {"and below it as well", "x.there.wild.example.com", rrtype::a, 3, {}, {soa_line}, {}},
      {"SOA",
       "example.com",
       rrtype::soa,
       0,
       {"example.com. 3600 SOA ns1.example.com. hostmaster.example.com. 1 7200 900 1209600 60"},
       {},
       {}},
      {"NS with addresses",
       "example.com",
       rrtype::ns,
       0,
       {"example.com. 3600 NS ns1.example.com."},
       {},
       {"ns1.example.com. 300 A 192.0.2.53"}},
      {"SRV with addresses",
       "_sip._tcp.example.com",
       rrtype::srv,
       0,
       {"_sip._tcp.example.com. 300 SRV 1 1 5060 mail.example.com."},
       {},
       {"mail.example.com. 300 A 192.0.2.25", "mail.example.com. 300 AAAA 2001:db8::25"}},
      {"DS at our own apex", "example.com", rrtype::ds, 0, {}, {soa_line}, {}},
      {"DS at a cut without one", "unsigned.example.com", rrtype::ds, 0, {}, {soa_line}, {}},
      {"CNAME in our zone",
       "alias.example.com",
       rrtype::a,
       0,
       {"alias.example.com. 300 CNAME www.example.com.", "www.example.com. 300 A 192.0.2.80",
        "www.example.com. 300 A 192.0.2.81"},
       {},
       {}},
      {"CNAME asked for itself",
       "alias2.example.com",
       rrtype::cname,
       0,
       {"alias2.example.com. 300 CNAME alias.example.com."},
       {},
       {}},
      {"CNAME to NODATA",
       "alias.example.com",
       rrtype::aaaa,
       0,
       {"alias.example.com. 300 CNAME www.example.com."},
       {soa_line},
       {}},
      {"two CNAMEs",
       "alias2.example.com",
       rrtype::txt,
       0,
       {"alias2.example.com. 300 CNAME alias.example.com.",
        "alias.example.com. 300 CNAME www.example.com.", "www.example.com. 300 TXT \"hello\""},
       {},
       {}},
      {"CNAME to outside",
       "out.example.com",
       rrtype::a,
       0,
       {"out.example.com. 300 CNAME www.elsewhere.test."},
       {},
       {}},
      {"CNAME to nothing",
       "gone.example.com",
       rrtype::a,
       3,
       {"gone.example.com. 300 CNAME nothing.example.com."},
       {soa_line},
       {}},
      {"CNAME below a delegation",
       "tosub.example.com",
       rrtype::a,
       0,
       {"tosub.example.com. 300 CNAME host.sub.example.com."},
       {"sub.example.com. 300 NS ns.sub.example.com.", "sub.example.com. 300 NS mail.example.com."},
       {"ns.sub.example.com. 300 A 192.0.2.54", "mail.example.com. 300 A 192.0.2.25",
        "mail.example.com. 300 AAAA 2001:db8::25"}},
      {"CNAME in a circle",
       "loop1.example.com",
       rrtype::a,
       0,
       {"loop1.example.com. 300 CNAME loop2.example.com.",
        "loop2.example.com. 300 CNAME loop1.example.com."},
       {},
       {}},
      {"a wildcard CNAME",
       "longer.label.alias.example.com",
       rrtype::txt,
       0,
       {"longer.label.alias.example.com. 300 CNAME www.example.com.",
        "www.example.com. 300 TXT \"hello\""},
       {},
       {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Message message = client.ask(row.qname, row.type);
    CHECK(message.rcode() == row.rcode);
    CHECK(message.aa() == (row.rcode != 5));
    CHECK_FALSE(message.tc());
    CHECK(message.answer() == row.answer);
    CHECK(message.authority() == row.authority);
    CHECK(message.additional() == row.additional);
  }
}

TEST_CASE("zone table: a chain of CNAMEs ends after eight", "[dns][zone]") {
  World world = static_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  CHECK(client.ask("hop0.example.com", rrtype::a).answer().size() == cname_chain_max);
  CHECK(client.ask("hop5.example.com", rrtype::a).answer().back() ==
        "hop12.example.com. 300 A 192.0.2.12");
}

TEST_CASE("zone table: at and below a delegation the answer is a referral", "[dns][zone]") {
  World world = static_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  const Lines ns{"sub.example.com. 300 NS ns.sub.example.com.",
                 "sub.example.com. 300 NS mail.example.com."};
  const Lines glue{"ns.sub.example.com. 300 A 192.0.2.54", "mail.example.com. 300 A 192.0.2.25",
                   "mail.example.com. 300 AAAA 2001:db8::25"};
  const auto* const qname =
      GENERATE("sub.example.com", "host.sub.example.com", "ns.sub.example.com",
               "occluded.sub.example.com", "a.very.long.name.below.the.sub.example.com");
  const auto type = GENERATE(rrtype::a, rrtype::txt, rrtype::ns, rrtype::any);
  CAPTURE(qname, type);
  const Message message = client.ask(qname, type);
  CHECK(message.rcode() == 0);
  CHECK_FALSE(message.aa());
  CHECK(message.answer().empty());
  CHECK(message.authority() == ns);
  CHECK(message.additional() == glue);
}

TEST_CASE("zone table: glue inside another delegation is given, and can be left out",
          "[dns][zone]") {
  World world = static_world();
  world.add("sibling.example.com. 300 IN NS ns.sub.example.com.");
  world.add("many.example.com. 300 IN NS ns.many.example.com.");
  world.add("ns.many.example.com. 300 IN A 192.0.2.60");
  for (int index = 0; index < 10; ++index) {
    world.add(fmt::format("many.example.com. 300 IN NS ns{}.sub.example.com.", index));
    world.add(fmt::format("ns{}.sub.example.com. 300 IN AAAA 2001:db8::{}", index, index + 1));
  }
  const auto snapshot = world.build();
  Client client(*snapshot);
  CHECK(client.ask("x.sibling.example.com", rrtype::a).additional() ==
        Lines{"ns.sub.example.com. 300 A 192.0.2.54"});
  // 512 bytes hold the servers and what nobody could do without (RFC 9471), not all the addresses.
  const Message message = client.ask("x.many.example.com", rrtype::a);
  CHECK_FALSE(message.tc());
  CHECK(message.authority().size() == 11);
  CHECK(message.additional() == Lines{"ns.many.example.com. 300 A 192.0.2.60"});
}

TEST_CASE("zone table: DS at a delegation is answered by the parent", "[dns][zone]") {
  World world = static_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  const Message message = client.ask("sub.example.com", rrtype::ds);
  CHECK(message.aa());
  CHECK(message.answer().size() == 1);
  CHECK_FALSE(client.ask("host.sub.example.com", rrtype::ds).aa());
}

TEST_CASE("zone table: the longest apex answers, its parent only DS", "[dns][zone]") {
  World world;
  world.add("child.example.com. 300 IN NS ns1.child.example.com.");
  world.add(
      "child.example.com. 300 IN DS 1 13 2 "
      "0000000000000000000000000000000000000000000000000000000000000000");
  world.add("www.child.example.com. 300 IN A 192.0.2.1");
  world.add_zone("child.example.com");
  world.add("www.child.example.com. 300 IN A 192.0.2.2");
  world.add_zone("below.nothing.example.com");
  const auto snapshot = world.build();
  Client client(*snapshot);
  CHECK(client.ask("www.child.example.com", rrtype::a).answer() ==
        Lines{"www.child.example.com. 300 A 192.0.2.2"});
  CHECK(client.ask("child.example.com", rrtype::ns).aa());
  CHECK(client.ask("child.example.com", rrtype::ds).answer().size() == 1);
  CHECK(client.ask("below.nothing.example.com", rrtype::ds).authority() == Lines{soa_line});
  CHECK(client.ask("nothing.example.com", rrtype::a).rcode() == 0);
  CHECK(client.ask("no.child.example.com", rrtype::a).rcode() == 3);
}

TEST_CASE("zone table: DS of a child that is delegated unsigned is the parent's NODATA",
          "[dns][zone]") {
  World world;
  world.add("child.example.com. 300 IN NS ns1.child.example.com.");
  world.add("alias.example.com. 300 IN CNAME child.example.com.");
  world.add_zone("child.example.com");
  const auto snapshot = world.build();
  Client client(*snapshot);
  const Message direct = client.ask("child.example.com", rrtype::ds);
  CHECK(direct.aa());
  CHECK(direct.authority() == Lines{soa_line});
  const Message chained = client.ask("alias.example.com", rrtype::ds);
  CHECK(chained.answer() == Lines{"alias.example.com. 300 CNAME child.example.com."});
  CHECK(chained.authority() == Lines{soa_line});
  CHECK(client.ask("alias.example.com", rrtype::ns).answer().size() == 2);
}

TEST_CASE("zone table: a CNAME into a delegation is followed by its referral", "[dns][zone]") {
  World world = static_world();
  world.add("into.example.com. 300 IN CNAME host.sub.example.com.");
  world.add("at.example.com. 300 IN CNAME sub.example.com.");
  world.add("at2.example.com. 300 IN CNAME unsigned.example.com.");
  const auto snapshot = world.build();
  Client client(*snapshot);
  const Message into = client.ask("into.example.com", rrtype::a);
  CHECK(into.aa());  // the first owner is ours (RFC 1034 §4.3.2, RFC 2181 §5.4)
  CHECK(into.answer() == Lines{"into.example.com. 300 CNAME host.sub.example.com."});
  CHECK(into.authority() == client.ask("host.sub.example.com", rrtype::a).authority());
  CHECK(into.additional() == client.ask("host.sub.example.com", rrtype::a).additional());
  CHECK(client.ask("into.example.com", rrtype::cname).authority().empty());
  const Message ds = client.ask("at.example.com", rrtype::ds);
  CHECK(ds.answer().size() == 2);
  CHECK(ds.authority().empty());
  CHECK(client.ask("at2.example.com", rrtype::ds).authority() == Lines{soa_line});
  CHECK(client.ask("at2.example.com", rrtype::a).authority() ==
        Lines{"unsigned.example.com. 300 NS ns.elsewhere.test."});
}

TEST_CASE("zone table: ANY gives one RRset (RFC 8482)", "[dns][zone]") {
  World world = static_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  CHECK(client.ask("www.example.com", rrtype::any).answer().size() == 2);
  CHECK(client.ask("alias.example.com", rrtype::any).answer() ==
        Lines{"alias.example.com. 300 CNAME www.example.com."});
  CHECK(client.ask("empty.example.com", rrtype::any).authority() == Lines{soa_line});
  CHECK(client.ask("no.example.com", rrtype::any).rcode() == 3);
}

TEST_CASE("zone table: an RRset too long for UDP is truncated, too long for any, refused",
          "[dns][zone]") {
  World world;
  const zones::Name owner = name("big.example.com");
  for (unsigned index = 0; index < 40; ++index) {
    world.add_rdata(name("udp.example.com"), rrtype::a, 300,
                    {'\x0a', '\0', '\0', static_cast<char>(index)});
  }
  for (unsigned index = 0; index < 400; ++index) {
    world.add_rdata(owner, rrtype::txt, 300,
                    std::string(1, '\xff') + std::string(255, 'x') + std::string(1, '\3') +
                        std::to_string(100 + index));
  }
  const auto snapshot = world.build();
  Client client(*snapshot);
  QueryParts parts;
  parts.name = "udp.example.com";
  Message message = client.ask(parts);
  CHECK(message.tc());
  CHECK(message.answer().empty());
  CHECK(message.bytes().size() <= 512);
  parts.has_edns = true;
  CHECK(client.ask(parts).answer().size() == 40);
  parts.udp_size = 100;  // as 512
  CHECK(client.ask(parts).tc());
  parts.udp_size = 65'535;  // as 1232
  CHECK(client.ask(parts).answer().size() == 40);
  CHECK(client.ask("big.example.com", rrtype::txt).tc());
  client.transport = Transport::tcp;
  CHECK(client.ask("udp.example.com", rrtype::a).answer().size() == 40);
  message = client.ask("big.example.com", rrtype::txt);
  CHECK(message.rcode() == 2);
  CHECK(message.answer().empty());
}

TEST_CASE("zone table: additional records are left out before the answer is", "[dns][zone]") {
  World world;
  for (unsigned index = 0; index < 12; ++index) {
    world.add(fmt::format("example.com. 300 IN MX 10 mail{}.example.com.", index));
    for (unsigned address = 0; address < 3; ++address) {
      world.add(fmt::format("mail{}.example.com. 300 IN A 192.0.2.{}", index, address));
    }
  }
  const auto snapshot = world.build();
  Client client(*snapshot);
  const Message message = client.ask("example.com", rrtype::mx);
  CHECK_FALSE(message.tc());
  CHECK(message.answer().size() == 12);
  CHECK(message.additional().empty());
}

TEST_CASE("zone table: a simple name takes less than 120 bytes", "[dns][zone]") {
  World world;
  zones::RRsets& rrsets = world.repository.zones.back().rrsets;
  for (unsigned index = 0; index < 100'000; ++index) {
    const auto owner = name(fmt::format("host{:06}.example.com", index));
    REQUIRE(rrsets.add(owner, rrtype::a, 300, "\1\2\3\4"));
  }
  rrsets.sort();
  const auto table = ZoneTable::build(world.repository);
  REQUIRE(table);
  CHECK(table->size_bytes() / 100'000 < 120);
  NameKey key;
  key.read(name_bytes("host099999.example.com"));
  CHECK(table->find(key).kind == MatchKind::exact);
}

TEST_CASE("zone table: a zone without SOA is no zone", "[dns][zone]") {
  World world;
  world.repository.zones.back().rrsets = zones::RRsets(name("example.com"));
  const auto table = ZoneTable::build(world.repository);
  REQUIRE_FALSE(table);
  CHECK(table.error().text() == "zone example.com. has no SOA");
}

}  // namespace
}  // namespace demarc::dns::test
