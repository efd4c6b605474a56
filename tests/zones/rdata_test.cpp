// RDATA: presentation format to wire, and what ldns alone would let pass.
#include "zones/rdata.h"

#include <catch2/catch.hpp>

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
