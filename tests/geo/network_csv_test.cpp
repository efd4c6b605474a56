#include "geo/network_csv.h"

#include <catch2/catch.hpp>
#include <string>

namespace demarc::geo {
namespace {

struct Parsed {
  NetworkList list;
  Diagnostics diagnostics;

  explicit Parsed(std::string_view text, const CsvLimits& limits = {}) {
    parse_networks(text, "n.csv", list, diagnostics, limits);
  }
  [[nodiscard]] std::string lines() const {
    std::string all;
    for (const Diagnostic& one : diagnostics.list()) all += one.line() + "\n";
    return all;
  }
  [[nodiscard]] std::string range(std::size_t i) const {
    return to_text(list.ranges.at(i).first) + "-" + to_text(list.ranges.at(i).last);
  }
  [[nodiscard]] const NetworkLocation& at(std::size_t i) const {
    return list.locations.at(list.ranges.at(i).location);
  }
};

TEST_CASE("csv: tor-geoipdb's two forms", "[geo][csv]") {
  const Parsed ipv4(
      "# a comment\n"
      "#\n"
      "15726992,15726999,??\n"
      "16777216,16777471,AU\n");
  CHECK(ipv4.lines().empty());
  CHECK(ipv4.range(0) == "0.239.249.144-0.239.249.151");
  CHECK(ipv4.at(0) == NetworkLocation{});
  CHECK(ipv4.range(1) == "1.0.0.0-1.0.0.255");
  CHECK(ipv4.at(1).location.country.text() == "AU");
  CHECK(ipv4.at(1).location.continent.text() == "OC");

  const Parsed ipv6("2001:200::,2001:200:134:ffff:ffff:ffff:ffff:ffff,JP");
  CHECK(ipv6.lines().empty());
  CHECK(ipv6.range(0) == "2001:200::-2001:200:134:ffff:ffff:ffff:ffff:ffff");
}

TEST_CASE("csv: a header names all that can be known", "[geo][csv]") {
  const Parsed parsed(
      "\xef\xbb\xbf"
      "NETWORK,as_organization,asn,country,registered_country,continent,subdivision,city,"
      "Latitude,longitude,postcode\r\n"
      "192.0.2.0/24,\"Example, \"\"Inc.\"\"\",AS64500,DE,us,,BY,M\xc3\xbcnchen,48.1, 11.6 "
      ",80331\r\n"
      "2001:db8::/32,,,,,,US-CA,,,,\r\n");
  CHECK(parsed.lines().empty());
  REQUIRE(parsed.list.ranges.size() == 2);
  const NetworkLocation& munich = parsed.at(0);
  CHECK(parsed.range(0) == "192.0.2.0-192.0.2.255");
  CHECK(munich.as_organization == "Example, \"Inc.\"");
  CHECK(munich.city == "M\xc3\xbcnchen");
  CHECK(munich.location.asn == 64'500);
  CHECK(munich.location.country.text() == "DE");
  CHECK(munich.location.registered_country.text() == "US");
  CHECK(munich.location.continent.text() == "EU");
  CHECK(munich.location.subdivision == "DE-BY");
  CHECK(munich.location.coordinates == Coordinates{48.1, 11.6});
  CHECK(parsed.range(1) == "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
  CHECK(parsed.at(1).location.country.text() == "US");
}

TEST_CASE("csv: ranges by any usual name, or a network without a header", "[geo][csv]") {
  for (const char* header :
       {"start,end", "range_start,range_end", "start_ip,end_ip", "ip_from,ip_to"}) {
    CAPTURE(header);
    const Parsed parsed(std::string(header) + ",country_code\n192.0.2.0,192.0.2.9,FR\n");
    CHECK(parsed.lines().empty());
    CHECK(parsed.range(0) == "192.0.2.0-192.0.2.9");
  }
  const Parsed bare("192.0.2.0/25,FR\n");
  CHECK(bare.lines().empty());
  CHECK(bare.range(0) == "192.0.2.0-192.0.2.127");
}

TEST_CASE("csv: codes that are no country say what they can", "[geo][csv]") {
  const Parsed parsed(
      "network,country\n192.0.2.0/26,UK\n192.0.2.64/26,EU\n192.0.2.128/26,AP\n192.0.2.192/26,-\n");
  CHECK(parsed.lines().empty());
  CHECK(parsed.at(0).location.country.text() == "GB");
  CHECK_FALSE(parsed.at(1).location.country.known());
  CHECK(parsed.at(1).location.continent.text() == "EU");
  CHECK(parsed.at(2) == NetworkLocation{});
  CHECK(parsed.at(3) == NetworkLocation{});
}

TEST_CASE("csv: every fault has its place and its words", "[geo][csv]") {
  struct Row {
    const char* row;
    const char* expected;
  };
  const std::string header = "network,country,continent,subdivision,latitude,longitude,asn\n";
  const Row rows[] = {
      {"192.0.2.1/24,DE,,,,,",
       "n.csv:2:1: [csv-network] network is `192.0.2.1/24`, expected one such as 192.0.2.0/24\n"},
      {"192.0.2.0/24,Germany,,,,,",
       "n.csv:2:14: [csv-country] country is `Germany`, expected two letters\n"},
      {"192.0.2.0/24,QQ,,,,,",
       "n.csv:2:14: [csv-country] warning: country is `QQ`, which ISO 3166-1 does not have; taken "
       "as not known\n"},
      {"192.0.2.0/24,DE,XX,,,,",
       "n.csv:2:17: [csv-continent] continent is `XX`, expected AF, AN, AS, EU, NA, OC or SA\n"},
      {"192.0.2.0/24,DE,,Bavaria,,,",
       "n.csv:2:18: [csv-subdivision] subdivision is `Bavaria`, expected an ISO 3166-2 code such "
       "as "
       "US-CA, or CA beside a country\n"},
      {"192.0.2.0/24,,,CA,,,",
       "n.csv:2:16: [csv-subdivision] subdivision is `CA`, expected an ISO 3166-2 code such as "
       "US-CA, or CA beside a country\n"},
      {"192.0.2.0/24,DE,,US-CA,,,",
       "n.csv:2:18: [csv-subdivision] subdivision is `US-CA`, but the country is `DE`\n"},
      {"192.0.2.0/24,DE,,,90.1,0,",
       "n.csv:2:19: [csv-coordinates] latitude is `90.1`, expected degrees from -90 to 90\n"},
      {"192.0.2.0/24,DE,,,1,nan,",
       "n.csv:2:21: [csv-coordinates] longitude is `nan`, expected degrees from -180 to 180\n"},
      {"192.0.2.0/24,DE,,,,,ASx",
       "n.csv:2:21: [csv-asn] asn is `ASx`, expected 64500 or AS64500\n"},
      {"192.0.2.0/24,DE", "n.csv:2:1: [csv-row] the row has 2 fields, expected 7\n"},
      {"192.0.2.0/24,\"DE", "n.csv:2:14: [csv-quote] a quote is never closed\n"},
      {"192.0.2.0/24,\"DE\"x", "n.csv:2:18: [csv-quote] text after a closing quote\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.row);
    CHECK(Parsed(header + row.row + "\n").lines() == row.expected);
  }
}

TEST_CASE("csv: ranges that are none", "[geo][csv]") {
  CHECK(Parsed("1.0.0.9,1.0.0.8,DE").lines() ==
        "n.csv:1:9: [csv-network] the range ends with 1.0.0.8, expected an address of its family "
        "from 1.0.0.9 on\n");
  CHECK(Parsed("1.0.0.9,::1,DE").lines() ==
        "n.csv:1:9: [csv-network] the range ends with ::1, expected an address of its family from "
        "1.0.0.9 on\n");
  CHECK(Parsed("1.0.0.0,1.0.0.8,DE\n4294967296,5,DE").lines() ==
        "n.csv:2:1: [csv-network] address is `4294967296`, expected IPv4 or IPv6\n");
}

TEST_CASE("csv: headers that do not suffice", "[geo][csv]") {
  CHECK(Parsed("country,city\nDE,x\n").lines() ==
        "n.csv:1:1: [csv-header] no column names the networks, expected `network`, or `start` and "
        "`end`\n");
  CHECK(Parsed("network,postcode\n192.0.2.0/24,1\n").lines() ==
        "n.csv:1:1: [csv-header] no column says where the networks are, expected one such as "
        "`country` or `asn`\n");
  CHECK(Parsed("network,country,country_code\n").lines() ==
        "n.csv:1:17: [csv-header] column `country_code` says what an earlier one says\n");
  CHECK(Parsed("# nothing\n\n").lines() ==
        "n.csv:0:0: [csv-empty] there is no row, expected networks\n");
}

TEST_CASE("csv: a faulty value is told once, other rows are still read", "[geo][csv]") {
  const Parsed parsed("1.0.0.0,1.0.0.1,D\n1.0.0.2,1.0.0.3,D\n1.0.0.4,1.0.0.5,DE\n");
  CHECK(parsed.diagnostics.error_count() == 1);
  CHECK(parsed.list.ranges.size() == 1);
}

TEST_CASE("csv: limits hold just on and just above", "[geo][csv]") {
  const std::string row = "1.0.0.0,1.0.0.1,DE\n";  // 18 bytes and the end of the line
  CHECK(Parsed(row, {.line_bytes = 18}).lines().empty());
  CHECK(Parsed(row, {.line_bytes = 17}).diagnostics.list().front().text ==
        "the line has 18 bytes, expected at most 17");
  CHECK(Parsed(row + row, {.ranges = 2}).lines().empty());
  CHECK(Parsed(row + row + row, {.ranges = 2}).lines() ==
        "n.csv:3:1: [csv-limit] there are more than 2 networks\n");
  const std::string faulty = "x,1.0.0.1,DE\n";
  CHECK(Parsed(row + faulty, {.errors = 2}).diagnostics.error_count() == 1);
  CHECK(Parsed(row + faulty + faulty + faulty, {.errors = 2})
            .lines()
            .ends_with("n.csv:3:1: [csv-limit] gave up after 2 errors\n"));
}

}  // namespace
}  // namespace demarc::geo
