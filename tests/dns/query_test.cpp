#include "dns/query.h"

#include <catch2/catch.hpp>

#include <string>

#include "dns/client_subnet.h"
#include "tests/dns/message.h"

namespace demarc::dns::test {
namespace {

QueryParts with_option(Bytes option) {
  QueryParts parts;
  parts.has_edns = true;
  parts.options = std::move(option);
  return parts;
}

std::string lower_name(const Query& query) {
  const auto bytes = query.qname.suffix(0);
  return {bytes.begin(), bytes.end()};
}

TEST_CASE("query: a question is read, its name lowered, its letters kept", "[dns][query]") {
  QueryParts parts;
  parts.name = "wWw.ExAmPlE.cOm";
  const Bytes packet = query_bytes(parts);
  Query query;
  REQUIRE(read_query(packet, query) == Reading::good);
  CHECK(query.id == 0x4711);
  CHECK(query.qtype == rrtype::a);
  CHECK(query.qclass == rrclass::in);
  CHECK(lower_name(query) == std::string("\3www\7example\3com\0", 17));
  CHECK(Bytes(query.question.begin(), query.question.begin() + 17) == name_bytes(parts.name));
  CHECK_FALSE(query.edns.present);
}

TEST_CASE("query: names of any letters lower as ASCII alone", "[dns][query]") {
  for (unsigned letter = 0; letter < 256; ++letter) {
    const Bytes name{9, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', static_cast<std::uint8_t>(letter),
                     0};
    NameKey key;
    REQUIRE(key.read(name) == name.size());
    const bool is_upper = letter >= 'A' && letter <= 'Z';
    CHECK(key.suffix(0)[9] == (is_upper ? letter + 32 : letter));
  }
}

TEST_CASE("query: the hash of a suffix is that of the name alone", "[dns][query]") {
  NameKey whole;
  NameKey part;
  whole.read(name_bytes("a.longer-label-than-eight.Example.com"));
  part.read(name_bytes("example.COM"));
  CHECK(whole.hash(2) == part.hash(0));
  CHECK(whole.hash(1) != part.hash(0));
  NameKey wildcard;
  wildcard.read(name_bytes("*.example.com"));
  CHECK(part.wildcard_hash(0) == wildcard.hash(0));
}

TEST_CASE("query: a name has 127 labels and 255 bytes at most", "[dns][query]") {
  Bytes name;
  for (int label = 0; label < 127; ++label) name.insert(name.end(), {1, 'x'});
  name.push_back(0);
  NameKey key;
  CHECK(key.read(name) == 255);
  CHECK(key.label_count() == 127);
  name.insert(name.begin(), {1, 'x'});
  CHECK(key.read(name) == 0);
  CHECK(key.read(Bytes{64}) == 0);
  CHECK(key.read(Bytes{3, 'w', 'w'}) == 0);
  CHECK(key.read(Bytes{}) == 0);
}

TEST_CASE("query: what is no query gets silence", "[dns][query]") {
  Query query;
  Bytes packet = query_bytes({});
  for (std::size_t size = 0; size < header_size; ++size) {
    CHECK(read_query(std::span(packet).first(size), query) == Reading::silence);
  }
  packet[2] |= qr_bit;
  CHECK(read_query(packet, query) == Reading::silence);
}

TEST_CASE("query: every opcode but QUERY is not implemented", "[dns][query]") {
  Bytes packet = query_bytes({});
  Query query;
  for (unsigned opcode = 1; opcode < 16; ++opcode) {
    packet[2] = static_cast<std::uint8_t>(opcode << 3);
    CHECK(read_query(packet, query) == Reading::not_implemented);
  }
}

TEST_CASE("query: cut short anywhere, it is a format error", "[dns][query]") {
  QueryParts parts = with_option(ecs_bytes(1, 24, {192, 0, 2}));
  const Bytes packet = query_bytes(parts);
  Query query;
  REQUIRE(read_query(packet, query) == Reading::good);
  for (std::size_t size = header_size; size < packet.size(); ++size) {
    CAPTURE(size);
    const Bytes cut(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(read_query(cut, query) == Reading::format_error);
  }
}

TEST_CASE("query: counts, leftovers and pointers are checked", "[dns][query]") {
  const Bytes good = query_bytes({});
  Query query;
  SECTION("no question, two questions (RFC 9619)") {
    for (const int count : {0, 2, 255}) {
      Bytes packet = good;
      packet[5] = static_cast<std::uint8_t>(count);
      CHECK(read_query(packet, query) == Reading::format_error);
    }
  }
  SECTION("a byte too many") {
    Bytes packet = good;
    packet.push_back(0);
    CHECK(read_query(packet, query) == Reading::format_error);
  }
  SECTION("a compressed QNAME") {
    Bytes packet(good.begin(), good.begin() + header_size);
    packet.insert(packet.end(), {0xc0, 0x0c, 0, 1, 0, 1});
    CHECK(read_query(packet, query) == Reading::format_error);
  }
  SECTION("a count of records that are not there") {
    for (const std::size_t at : {6U, 8U, 10U}) {
      Bytes packet = good;
      packet[at] = packet[at + 1] = 0xff;
      CHECK(read_query(packet, query) == Reading::format_error);
    }
  }
  SECTION("another record in additional is passed over") {
    Bytes packet = good;
    packet[11] = 1;
    packet.insert(packet.end(), {0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4});
    CHECK(read_query(packet, query) == Reading::good);
  }
}

TEST_CASE("query: EDNS as RFC 6891 has it", "[dns][query]") {
  Query query;
  SECTION("its fields") {
    QueryParts parts;
    parts.has_edns = parts.dnssec_ok = true;
    parts.udp_size = 4096;
    const Bytes packet = query_bytes(parts);
    REQUIRE(read_query(packet, query) == Reading::good);
    CHECK(query.edns.present);
    CHECK(query.edns.dnssec_ok);
    CHECK(query.edns.udp_size == 4096);
  }
  SECTION("a later version, whatever its options") {
    QueryParts parts = with_option({1, 2, 3});
    parts.edns_version = 1;
    CHECK(read_query(query_bytes(parts), query) == Reading::bad_version);
  }
  SECTION("two OPTs") {
    QueryParts parts;
    parts.has_edns = true;
    Bytes packet = query_bytes(parts);
    const Bytes second = opt_bytes(parts);
    packet.insert(packet.end(), second.begin(), second.end());
    packet[11] = 2;
    CHECK(read_query(packet, query) == Reading::format_error);
  }
  SECTION("an OPT with a name, or in the answer section") {
    QueryParts parts;
    parts.has_edns = true;
    Bytes packet = query_bytes(parts);
    packet[11] = 0;
    packet[7] = 1;
    CHECK(read_query(packet, query) == Reading::format_error);
    Bytes named = query_bytes({});
    named[11] = 1;
    named.insert(named.end(), {1, 'x', 0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0});
    CHECK(read_query(named, query) == Reading::format_error);
  }
  SECTION("unknown options are ignored, broken ones are not") {
    CHECK(read_query(query_bytes(with_option({0xff, 0xf0, 0, 2, 1, 2})), query) == Reading::good);
    CHECK(read_query(query_bytes(with_option({0xff, 0xf0, 0, 3, 1, 2})), query) ==
          Reading::format_error);
    CHECK(read_query(query_bytes(with_option({0xff, 0xf0, 0})), query) == Reading::format_error);
  }
  SECTION("two ECS options") {
    Bytes options = ecs_bytes(1, 0, {});
    const Bytes second = ecs_bytes(1, 0, {});
    options.insert(options.end(), second.begin(), second.end());
    CHECK(read_query(query_bytes(with_option(options)), query) == Reading::format_error);
  }
}

TEST_CASE("client subnet: RFC 7871 section 6", "[dns][ecs]") {
  struct Row {
    const char* name;
    Bytes data;  // without code and length
    std::optional<EcsError> error;
  };
  const std::vector<Row> rows{
      {"IPv4 /24", {0, 1, 24, 0, 192, 0, 2}, {}},
      {"IPv4 /32", {0, 1, 32, 0, 192, 0, 2, 1}, {}},
      {"IPv4 /0", {0, 1, 0, 0}, {}},
      {"IPv4 /1", {0, 1, 1, 0, 0x80}, {}},
      {"IPv6 /48", {0, 2, 48, 0, 0x20, 1, 0xd, 0xb8, 0, 1}, {}},
      {"family 0 with no prefix", {0, 0, 0, 0}, {}},
      {"nothing", {}, EcsError::truncated},
      {"three bytes", {0, 1, 0}, EcsError::truncated},
      {"family 0 with a prefix", {0, 0, 8, 0, 10}, EcsError::unknown_family},
      {"family 3", {0, 3, 0, 0}, EcsError::unknown_family},
      {"IPv4 /33", {0, 1, 33, 0, 1, 2, 3, 4, 0}, EcsError::prefix_too_long},
      {"IPv6 /129", {0, 2, 129, 0}, EcsError::prefix_too_long},
      {"a byte too few", {0, 1, 24, 0, 192, 0}, EcsError::wrong_size},
      {"a byte too many", {0, 1, 24, 0, 192, 0, 2, 0}, EcsError::wrong_size},
      {"host bits", {0, 1, 23, 0, 192, 0, 3}, EcsError::host_bits_set},
      {"a scope in a query", {0, 1, 24, 24, 192, 0, 2}, EcsError::scope_set},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto parsed = parse_client_subnet(row.data);
    CHECK(parsed.has_value() == !row.error);
    if (row.error && !parsed) CHECK(parsed.error() == *row.error);
    if (parsed) CHECK(parsed->length == row.data[2]);

    Query query;
    Bytes option;
    append16(option, edns::client_subnet);
    append16(option, row.data.size());
    option.insert(option.end(), row.data.begin(), row.data.end());
    const auto expected = row.error ? Reading::format_error : Reading::good;
    CHECK(read_query(query_bytes(with_option(option)), query) == expected);
  }
}

TEST_CASE("client subnet: written back with a scope of its own", "[dns][ecs]") {
  const Bytes data{0, 1, 24, 0, 192, 0, 2};
  Bytes out(11);
  CHECK(write_client_subnet(data, 30, out) == 11);
  CHECK(out == Bytes{0, 8, 0, 7, 0, 1, 24, 30, 192, 0, 2});
  CHECK(write_client_subnet(data, 30, std::span(out).first(10)) == 0);
}

}  // namespace
}  // namespace demarc::dns::test
