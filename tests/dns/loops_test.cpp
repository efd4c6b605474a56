// Every type, every class, every opcode, and questions in any number: each gets one well-formed
// answer with the rcode that the RFCs say, or silence where they want it.
#include "dns/responder.h"

#include <catch2/catch.hpp>

#include <set>

#include "tests/dns/world.h"

namespace demarc::dns::test {
namespace {

World loop_world() {
  World world;
  world.add("www.example.com. 300 IN A 192.0.2.80");
  world.add("*.wild.example.com. 300 IN TXT \"wild\"");
  world.add("deep.empty.example.com. 300 IN TXT \"deep\"");
  world.add("sub.example.com. 300 IN NS ns.sub.example.com.");
  world.add("ns.sub.example.com. 300 IN A 192.0.2.54");
  world.add("alias.example.com. 300 IN CNAME api.example.com.");
  world.add("d.example.com. 300 IN DNAME example.com.");
  zones::Service& api = world.add_service("api.example.com");
  World::add_record(api, 0, 1, "eu.example.net", {"192.0.2.1"});
  return world;
}

struct Asker {
  const char* qname;
  unsigned rcode;  // to types that ask for data
};
const std::vector<Asker> askers{{"www.example.com", 0},
                                {"x.wild.example.com", 0},
                                {"empty.example.com", 0},
                                {"x.sub.example.com", 0},
                                {"alias.example.com", 0},
                                {"www.d.example.com", 0},
                                {"api.d.example.com", 0},
                                {"api.example.com", 0},
                                {"example.com", 0},
                                {"no.example.com", 3},
                                {"no.d.example.com", 3},
                                {"example.org", 5},
                                {"", 5}};

// A name's alias is all that these ask for, whatever it leads to.
unsigned rcode_of(const Asker& asker, unsigned type) {
  const bool is_alias = std::string_view(asker.qname) == "no.d.example.com";
  return is_alias && (type == rrtype::cname || type == rrtype::any) ? 0 : asker.rcode;
}

// What a type gets whatever the name: OPT, NXNAME, TKEY and TSIG are no questions (RFC 6891 §6.1.1,
// RFC 9824 §3.5); a transfer over UDP that nobody may have.
std::optional<std::set<unsigned>> rcodes_of_meta_type(unsigned type) {
  if (type == rrtype::opt || type == rrtype::nxname || type == rrtype::tkey ||
      type == rrtype::tsig) {
    return std::set<unsigned>{1};
  }
  if (type == rrtype::ixfr || type == rrtype::axfr) return std::set<unsigned>{1, 5, 9};
  return std::nullopt;
}

// The header belongs to the query, and all the counts say is there (ldns reads it to the end).
bool is_well_formed(const Bytes& packet, std::span<const std::uint8_t> answer) {
  if (answer.size() < header_size || answer.size() > udp_size_max) return false;
  if (get16(answer.data()) != get16(packet.data()) || (answer[2] & qr_bit) == 0) return false;
  if ((answer[2] & (opcode_mask | rd_bit)) != (packet[2] & (opcode_mask | rd_bit))) return false;
  try {
    const Message message(answer);
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

TEST_CASE("loops: all 65,536 types, at names of every kind", "[dns][loops]") {
  World world = loop_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  for (const Asker& asker : askers) {
    CAPTURE(asker.qname);
    std::set<unsigned> wrong;
    for (unsigned type = 0; type < 65'536; ++type) {
      const Bytes packet =
          query_bytes({.name = asker.qname, .type = static_cast<std::uint16_t>(type)});
      const auto answer = client.ask_bytes(packet);
      const auto meta = rcodes_of_meta_type(type);
      const unsigned rcode = answer.size() < header_size ? 99 : answer[3] & rcode_mask;
      const bool is_right = meta ? meta->contains(rcode) : rcode == rcode_of(asker, type);
      if (!is_right || !is_well_formed(packet, answer)) wrong.insert(type);
    }
    CHECK(wrong == std::set<unsigned>{});
  }
}

TEST_CASE("loops: classes", "[dns][loops]") {
  World world = loop_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  std::set<unsigned> classes{0, 1, 2, 3, 4, 254, 255, 256, 65'535};
  for (unsigned klass = 0; klass < 65'536; klass += 97) classes.insert(klass);
  for (const Asker& asker : askers) {
    for (const std::uint16_t type : {rrtype::a, rrtype::soa, rrtype::txt, rrtype::any}) {
      std::set<unsigned> wrong;
      for (const unsigned klass : classes) {
        for (const bool has_edns : {false, true}) {
          const Bytes packet = query_bytes({.name = asker.qname,
                                            .type = type,
                                            .klass = static_cast<std::uint16_t>(klass),
                                            .has_edns = has_edns});
          const auto answer = client.ask_bytes(packet);
          // Of the others none has data of ours, and CH only at its own names (RFC 4892).
          const bool is_ours = klass == rrclass::in || klass == rrclass::any;
          const Message message(answer);
          const bool is_right = message.rcode() == (is_ours ? rcode_of(asker, type) : 5) &&
                                message.has_edns() == has_edns &&
                                (klass == rrclass::in || !message.aa());
          if (!is_right || !is_well_formed(packet, answer)) wrong.insert(klass);
        }
      }
      CAPTURE(asker.qname, type);
      CHECK(wrong == std::set<unsigned>{});
    }
  }
}

TEST_CASE("loops: all opcodes, with and without EDNS, with none to three questions",
          "[dns][loops]") {
  World world = loop_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  for (unsigned opcode = 0; opcode < 16; ++opcode) {
    for (unsigned questions = 0; questions <= 3; ++questions) {
      for (const bool has_edns : {false, true}) {
        CAPTURE(opcode, questions, has_edns);
        QueryParts parts;
        parts.flags = static_cast<std::uint8_t>(opcode << 3 | rd_bit);
        Bytes packet = query_bytes(parts);
        const Bytes question(packet.begin() + header_size, packet.end());
        packet.resize(header_size);
        packet[5] = static_cast<std::uint8_t>(questions);
        for (unsigned index = 0; index < questions; ++index) {
          packet.insert(packet.end(), question.begin(), question.end());
        }
        if (has_edns) {
          const Bytes opt = opt_bytes(parts);
          packet.insert(packet.end(), opt.begin(), opt.end());
          packet[11] = 1;
        }
        const auto answer = client.ask_bytes(packet);
        REQUIRE(is_well_formed(packet, answer));
        const Message message(answer);
        // UPDATE is known and refused (RFC 2136), the other opcodes are not implemented; one
        // question makes a query (RFC 9619).
        const unsigned expected = opcode == 5 ? 5 : opcode != 0 ? 4 : questions == 1 ? 0 : 1;
        CHECK(message.rcode() == expected);
        CHECK(message.has_edns() == has_edns);
        CHECK(message.question_count() == (expected == 0 ? 1 : 0));
        packet[2] |= qr_bit;
        CHECK(client.ask_bytes(packet).empty());
      }
    }
  }
}

TEST_CASE("loops: a query cut short anywhere gets FORMERR, or silence before its header's end",
          "[dns][loops]") {
  World world = loop_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  QueryParts parts;
  parts.has_edns = true;
  parts.options = ecs_bytes(1, 24, {198, 51, 100});
  const Bytes whole = query_bytes(parts);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    const Bytes packet(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto answer = client.ask_bytes(packet);
    if (size < header_size) {
      CHECK(answer.empty());
      continue;
    }
    REQUIRE(is_well_formed(packet, answer));
    CHECK(Message(answer).rcode() == 1);
  }
}

}  // namespace
}  // namespace demarc::dns::test
