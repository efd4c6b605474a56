#include "geo/base/address.h"

#include <catch2/catch.hpp>
#include <string>

namespace demarc::geo {
namespace {

TEST_CASE("address: text is read as inet_pton has it, and nothing else", "[geo][address]") {
  struct Row {
    const char* name;
    std::string text;
    const char* expected;  // nullptr: refused
  };
  const Row rows[] = {
      {"IPv4", "192.0.2.1", "192.0.2.1"},
      {"IPv6", "2001:DB8:0:0::1", "2001:db8::1"},
      {"IPv4 inside IPv6", "::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"all zero", "::", "::"},
      {"empty", "", nullptr},
      {"three parts", "192.0.2", nullptr},
      {"leading zero", "192.0.02.1", nullptr},
      {"out of range", "192.0.2.256", nullptr},
      {"space", " 192.0.2.1", nullptr},
      {"brackets", "[::1]", nullptr},
      {"zone", "fe80::1%eth0", nullptr},
      {"port", "192.0.2.1:53", nullptr},
      {"zero byte", std::string("::1\0", 4), nullptr},
      {"too long", std::string(100, '1'), nullptr},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto address = parse_address(row.text);
    REQUIRE(address.has_value() == (row.expected != nullptr));
    if (address) CHECK(to_text(*address) == row.expected);
  }
}

TEST_CASE("prefix: length within the family, no bits after it", "[geo][address]") {
  struct Row {
    const char* text;
    const char* expected;
  };
  const Row rows[] = {
      {"192.0.2.0/24", "192.0.2.0/24"},
      {"192.0.2.1", "192.0.2.1/32"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"2001:db8::/32", "2001:db8::/32"},
      {"::1", "::1/128"},
      {"::/0", "::/0"},
      {"192.0.2.1/24", nullptr},
      {"192.0.2.0/33", nullptr},
      {"192.0.2.0/", nullptr},
      {"192.0.2.0/024", nullptr},
      {"192.0.2.0/+4", nullptr},
      {"192.0.2.0/4294967320", nullptr},
      {"2001:db8::/129", nullptr},
      {"2001:db8::1/64", nullptr},
      {"/24", nullptr},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto prefix = parse_prefix(row.text);
    REQUIRE(prefix.has_value() == (row.expected != nullptr));
    if (prefix) CHECK(to_text(*prefix) == row.expected);
  }
}

TEST_CASE("address: a view of nothing is no address", "[geo][address]") {
  CHECK_FALSE(parse_address(std::string_view{}));  // without bytes to point at, either
  CHECK_FALSE(parse_prefix(std::string_view{}));
}

TEST_CASE("prefix: contains what shares its bits, in its own family", "[geo][address]") {
  const Prefix network = *parse_prefix("192.0.2.128/25");
  CHECK(network.contains(*parse_address("192.0.2.128")));
  CHECK(network.contains(*parse_address("192.0.2.255")));
  CHECK_FALSE(network.contains(*parse_address("192.0.2.127")));
  CHECK(network.contains(*parse_prefix("192.0.2.192/26")));
  CHECK(network.contains(network));
  CHECK_FALSE(network.contains(*parse_prefix("192.0.2.0/24")));
  CHECK_FALSE(parse_prefix("0.0.0.0/0")->contains(*parse_address("::")));
  CHECK(parse_prefix("::/0")->contains(*parse_address("2001:db8::1")));
}

TEST_CASE("embedded IPv4: mapped, NAT64, 6to4 and Teredo, to their edges", "[geo][address]") {
  struct Row {
    const char* ipv6;
    const char* ipv4;  // nullptr: carries none
  };
  const Row rows[] = {
      {"::ffff:192.0.2.1", "192.0.2.1"},  // RFC 4291 §2.5.5.2
      {"::fffe:ffff:ffff", nullptr},
      {"::1:0:0:0", nullptr},
      {"64:ff9b::192.0.2.33", "192.0.2.33"},  // RFC 6052 §2.4
      {"64:ff9b::1:c000:221", nullptr},
      {"64:ff9b:1::192.0.2.33", nullptr},  // RFC 8215: its layout is not known
      {"2002:c000:204::1", "192.0.2.4"},   // RFC 3056
      {"2003::", nullptr},
      {"2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45"},  // RFC 4380 §4
      {"2001:1::", nullptr},
      {"::192.0.2.1", nullptr},
      {"2001:db8::1", nullptr},
  };
  for (const Row& row : rows) {
    CAPTURE(row.ipv6);
    const Address address = *parse_address(row.ipv6);
    const auto ipv4 = embedded_ipv4(address);
    REQUIRE(ipv4.has_value() == (row.ipv4 != nullptr));
    if (ipv4) CHECK(to_text(*ipv4) == row.ipv4);
  }
  CHECK_FALSE(embedded_ipv4(*parse_address("192.0.2.1")));
  CHECK(find_embedded_ipv4(0x2002'c000'0204'0000, 1)->offset == 16);
  CHECK(find_embedded_ipv4(0, 0xffff'c000'0201)->offset == 96);
}

}  // namespace
}  // namespace demarc::geo
