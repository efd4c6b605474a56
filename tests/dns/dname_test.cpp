// Names below a DNAME (RFC 6672), a table of them: answered while they are asked, and at the end of
// chains that were rendered at load. tests/dns/dname_limits_test.cpp has what bounds them.
#include "dns/redirected_reply.h"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "tests/dns/dname_world.h"

namespace demarc::dns::test {
namespace {

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

}  // namespace
}  // namespace demarc::dns::test
