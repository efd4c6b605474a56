// RDATA: presentation format to wire, and what ldns alone would let pass.
#include "zones/rdata.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "zones/digest.h"

namespace demarc::zones {
namespace {

std::string hex_or_error(const char* type, const std::string& text) {
  const RdataReader reader(Name::parse_absolute("example.com").value());
  const auto rdata = reader.parse(parse_type(type).value(), text);
  if (!rdata) return rdata.error();
  return to_hex({reinterpret_cast<const std::uint8_t*>(rdata->data()), rdata->size()});
}

TEST_CASE("rdata: every kind of field reaches the wire", "[zones][rdata]") {
  const auto [type, text, expected] = GENERATE(table<const char*, std::string, std::string>({
      {"A", "192.0.2.1", "c0000201"},
      {"AAAA", "2001:db8::1", "20010db8000000000000000000000001"},
      {"MX", "10 Mail", "000a044d61696c076578616d706c6503636f6d00"},  // case is kept
      {"NS", ".", "00"},
      {"SRV", "1 2 65535 @", "00010002ffff076578616d706c6503636f6d00"},
      {"TXT", R"("a;b" c)", "03613b620163"},
      {"CAA", R"(0 issue "x; y")",
       "0005697373756578"
       "3b2079"},
      {"HTTPS", "1 . alpn=h2",
       "0001000001000302"
       "6832"},
      {"TYPE65280", R"(\# 3 010203)", "010203"},
      {"A", R"(\# 4 c0000201)", "c0000201"},
  }));
  CAPTURE(type, text);
  CHECK(hex_or_error(type, text) == expected);
}

// A record of each type, as operators write it; of those whose text ldns does not know, as bytes.
const std::vector<std::pair<const char*, const char*>> samples = {
    {"A", R"(192.0.2.1)"},
    {"NS", R"(ns.example.net.)"},
    {"MD", R"(host.example.net.)"},
    {"MF", R"(host.example.net.)"},
    {"CNAME", R"(host.example.net.)"},
    {"SOA", R"(ns.example.net. h.example.net. 1 2 3 4 5)"},
    {"MB", R"(host.example.net.)"},
    {"MG", R"(host.example.net.)"},
    {"MR", R"(host.example.net.)"},
    {"NULL", R"(\# 3 010203)"},
    {"WKS", R"(192.0.2.1 TCP 25 80)"},
    {"PTR", R"(host.example.net.)"},
    {"HINFO", R"("cpu" "os")"},
    {"MINFO", R"(a.example.net. b.example.net.)"},
    {"MX", R"(10 host.example.net.)"},
    {"TXT", R"("a" "b")"},
    {"RP", R"(a.example.net. b.example.net.)"},
    {"AFSDB", R"(1 host.example.net.)"},
    {"X25", R"("311061700956")"},
    {"ISDN", R"("150862028003217" "004")"},
    {"RT", R"(10 host.example.net.)"},
    {"NSAP", R"(0x47000580005a0000000001e133ffffff00016100)"},
    {"NSAP-PTR", R"(host.example.net.)"},
    {"KEY", R"(256 3 13 AAECAw==)"},
    {"SIG", R"(A 13 2 60 20300101000000 20200101000000 1 example.net. AAECAw==)"},
    {"PX", R"(10 a.example.net. b.example.net.)"},
    {"GPOS", R"("-32.6882" "116.8652" "10.0")"},
    {"AAAA", R"(2001:db8::1)"},
    {"LOC", R"(52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m)"},
    {"NXT", R"(\# 7 01610004600000)"},
    {"EID", R"(\# 3 010203)"},
    {"NIMLOC", R"(\# 3 010203)"},
    {"SRV", R"(1 2 3 host.example.net.)"},
    {"ATMA", R"(\# 3 010203)"},
    {"NAPTR", R"(10 20 "s" "SIP+D2U" "" _sip._udp.example.net.)"},
    {"KX", R"(10 host.example.net.)"},
    {"CERT", R"(PKIX 1 RSASHA1 AAECAw==)"},
    {"A6", R"(\# 3 010203)"},
    {"DNAME", R"(host.example.net.)"},
    {"SINK", R"(\# 3 010203)"},
    {"APL", R"(1:192.0.2.0/24 !2:2001:db8::/32)"},
    {"DS", R"(12345 13 2 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20)"},
    {"SSHFP", R"(4 2 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20)"},
    {"IPSECKEY", R"(\# 10 0a0102c0000201010203)"},
    {"RRSIG", R"(A 13 2 60 20300101000000 20200101000000 1 example.net. AAECAw==)"},
    {"NSEC", R"(host.example.net. A MX RRSIG)"},
    {"DNSKEY", R"(257 3 13 AAECAw==)"},
    {"DHCID", R"(AAECAw==)"},
    {"NSEC3", R"(1 0 10 aabb 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG)"},
    {"NSEC3PARAM", R"(1 0 10 aabb)"},
    {"TLSA", R"(3 1 1 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20)"},
    {"SMIMEA", R"(3 1 1 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20)"},
    {"HIP", R"(\# 10 0402000200010203aabb)"},
    {"TALINK", R"(a.example.net. b.example.net.)"},
    {"CDS", R"(12345 13 2 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20)"},
    {"CDNSKEY", R"(257 3 13 AAECAw==)"},
    {"OPENPGPKEY", R"(AAECAw==)"},
    {"CSYNC", R"(66 3 A NS AAAA)"},
    {"ZONEMD",
     R"(7 1 1 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f200102030405060708090a0b0c0d0e0f10)"},
    {"SVCB", R"(1 host.example.net. port=53)"},
    {"HTTPS", R"(1 . alpn=h2)"},
    {"SPF", R"("v=spf1 -all")"},
    {"NID", R"(10 0014:4fff:ff20:ee64)"},
    {"L32", R"(10 192.0.2.1)"},
    {"L64", R"(10 2001:0db8:1140:1000)"},
    {"LP", R"(10 host.example.net.)"},
    {"EUI48", R"(00-00-5e-00-53-2a)"},
    {"EUI64", R"(00-00-5e-ef-10-00-00-2a)"},
    {"URI", R"(10 1 "https://www.example.net/")"},
    {"CAA", R"(0 issue "ca.example.net")"},
    {"DLV", R"(12345 13 2 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20)"},
    {"TYPE65280", R"(\# 3 010203)"},
};

TEST_CASE("rdata: every type that ldns knows is read, shown, and read again", "[zones][rdata]") {
  const RdataReader reader(Name::parse_absolute("example.com").value());
  std::set<std::uint16_t> read;
  for (const auto& [name, text] : samples) {
    CAPTURE(name, text);
    const auto type = parse_type(name);
    REQUIRE(type);
    const auto rdata = reader.parse(*type, text);
    REQUIRE(rdata);
    read.insert(*type);
    const std::string shown = rdata_text(*type, *rdata);
    CAPTURE(shown);
    CHECK(reader.parse(*type, shown) == rdata);
  }
  std::set<std::uint16_t> known;
  for (unsigned number = 1; number <= 0xffff; ++number) {
    const auto type = static_cast<std::uint16_t>(number);
    const bool has_name = type_to_text(type) != "TYPE" + std::to_string(number);
    if (has_name && parse_type(type_to_text(type))) known.insert(type);
  }
  CHECK(known.size() > 60);
  CHECK(std::ranges::includes(read, known));
}

TEST_CASE("rdata: addresses are read as ldns reads them, errors too", "[zones][rdata]") {
  // ldns alone reads what ends in a blank: a plain address never does.
  const auto type = GENERATE(as<const char*>{}, "A", "AAAA");
  for (const char* const text : {"192.0.2.1",
                                 "0.0.0.0",
                                 "255.255.255.255",
                                 "256.0.0.1",
                                 "192.0.2",
                                 "192.0.2.1.",
                                 "192.0.02.1",
                                 "192.0.2.010",
                                 "1",
                                 "0x7f.1",
                                 "::",
                                 "::1",
                                 "2001:DB8::a",
                                 "2001:db8:0:0:0:0:0:1",
                                 "1::2::3",
                                 "::ffff:192.0.2.1",
                                 "64:ff9b::192.0.2.33",
                                 "2001:db8::1/64",
                                 "fe80::1%lo",
                                 "12345::",
                                 ":::",
                                 "1:2:3:4:5:6:7:8",
                                 "1:2:3:4:5:6:7:8:9",
                                 "1:2:3:4:5:6:7::",
                                 "[::1]"}) {
    CAPTURE(type, text);
    CHECK(hex_or_error(type, text) == hex_or_error(type, std::string(text) + " "));
  }
}

TEST_CASE("rdata: what is wrong is said", "[zones][rdata]") {
  const auto [type, text, expected] = GENERATE(table<const char*, std::string, std::string>({
      {"A", "192.0.2.1 x", "Syntax error, superfluous text present"},
      {"A", "192.0.2.256", "Syntax error, could not parse the RR's rdata"},
      {"A", "", "no data"},
      {"A", R"(\# 3 c00002)", "Packet size overflow"},
      {"MX", "10", "Syntax error, value expected"},
      {"MX", "65536 a", "field 1 is `65536`, a number from 0 to 65535 belongs there"},
      {"MX", "-1 a", "field 1 is `-1`, a number from 0 to 65535 belongs there"},
      {"TLSA", "256 1 1 aabb", "field 1 is `256`, a number from 0 to 255 belongs there"},
      {"SOA", "a b 1 4294967296 3 4 5",
       "field 4 is `4294967296`, a number from 0 to 4294967295 belongs there"},
      {"TXT", R"("a)", "a quote that is not closed"},
      {"TXT", "a\nb", "a control character"},
  }));
  CAPTURE(type, text);
  CHECK(hex_or_error(type, text) == expected);
}

TEST_CASE("rdata: types are data, by name or number", "[zones][rdata]") {
  CHECK(parse_type("mx") == rrtype::mx);
  CHECK(parse_type("TYPE15") == rrtype::mx);
  CHECK(parse_type("TYPE65535") == 65535);
  for (const char* text : {"", "TYPE", "TYPE0", "TYPE65536", "TYPE1x", "OPT", "ANY", "AXFR",
                           "TYPE41", "TYPE128", "TYPE255", "FOO"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_type(text));
  }
  CHECK(type_to_text(rrtype::mx) == "MX");
  CHECK(type_to_text(65280) == "TYPE65280");
}

TEST_CASE("rdata: text is cut at 255 bytes", "[zones][rdata]") {
  CHECK(text_rdata("") == std::string(1, '\0'));
  CHECK(text_rdata("v=spf1 -all") == "\x0bv=spf1 -all");
  CHECK(text_rdata(std::string(255, 'a')) == "\xff" + std::string(255, 'a'));
  CHECK(text_rdata(std::string(256, 'a')) == "\xff" + std::string(255, 'a') +
                                                 "\x01"
                                                 "a");
}

}  // namespace
}  // namespace demarc::zones
