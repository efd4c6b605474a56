#include "geo/mmdb/writer.h"

#include <maxminddb.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <random>

#include "geo/database.h"
#include "tests/geo/database_fixture.h"

namespace demarc::geo {
namespace {

const std::string world =
    "network,country,registered_country,subdivision,city,latitude,longitude,asn,as_organization\n"
    "10.0.0.0/8,DE,DE,DE-BE,Berlin,52.5,13.4,64500,Example AG\n"
    "10.1.0.0/16,FR,,,,,,,\n"
    "10.1.2.3,US,,US-CA,,,,64501,\n"
    "2001:db8::/32,JP,,,,,,,\n"
    "2001:db8:1::/48,,,JP-13,Tokyo,35.7,139.7,,\n";

/// What the `mmdblookup` program prints for a path; nothing if it is not installed.
std::optional<std::string> mmdblookup(const std::string& file, const std::string& ip,
                                      const std::string& path) {
  const std::string command = "mmdblookup --file " + file + " --ip " + ip + " " + path + " 2>&1";
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string output;
  std::array<char, 256> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) output += buffer.data();
  return ::pclose(pipe) == 127 << 8 ? std::nullopt : std::optional(output);
}

TEST_CASE("writer: every field comes back in GeoIP2's layout", "[geo][writer]") {
  TemporaryFolder folder;
  const std::string path = folder.file("a.mmdb", text_of(image_of(world).bytes));
  const auto databases = Databases::open({path});
  REQUIRE(databases);
  const auto at = [&](const char* ip) { return databases->find(*parse_address(ip), {}); };

  const Location berlin = at("10.0.0.1");
  CHECK(berlin.country.text() == "DE");
  CHECK(berlin.registered_country.text() == "DE");
  CHECK(berlin.continent.text() == "EU");
  CHECK(berlin.subdivision == "DE-BE");
  CHECK(berlin.coordinates == Coordinates{52.5, 13.4});
  CHECK(berlin.asn == 64'500);
  CHECK(at("11.0.0.1") == Location{});
  CHECK(at("2001:db8:1::5").subdivision == "JP-13");
  CHECK(at("2001:db8:2::5").country.text() == "JP");
  CHECK(at("2001:db9::") == Location{});

  const auto city = mmdblookup(path, "10.0.0.1", "city names en");
  if (city && !city->empty()) {
    CHECK(city->find("\"Berlin\" <utf8_string>") != city->npos);
    CHECK(mmdblookup(path, "2002:a00:1::", "autonomous_system_organization")->find("Example AG") !=
          std::string::npos);  // 6to4 leads to the IPv4 tree
    CHECK(mmdblookup(path, "::ffff:10.1.2.3", "subdivisions 0 iso_code")->find("\"CA\"") !=
          std::string::npos);
  } else {
    WARN("mmdblookup is not installed: not checked with it");
  }
}

TEST_CASE("writer: the narrower network wins field by field, equal ones by order",
          "[geo][writer]") {
  TemporaryFolder folder;
  const auto databases = Databases::open({folder.file("a.mmdb", text_of(image_of(world).bytes))});
  REQUIRE(databases);
  const Location france = databases->find(*parse_address("10.1.0.1"), {});
  CHECK(france.country.text() == "FR");
  CHECK(france.asn == 64'500);        // the wider network's
  CHECK(france.subdivision.empty());  // Berlin is not in France
  CHECK(databases->find(*parse_address("10.1.2.3"), {}).asn == 64'501);

  const std::string twice = "network,country\n192.0.2.0/24,DE\n192.0.2.0/24,FR\n";
  const auto later = Databases::open({folder.file("b.mmdb", text_of(image_of(twice).bytes))});
  CHECK(later->find(*parse_address("192.0.2.1"), {}).country.text() == "FR");
}

TEST_CASE("writer: IPv6 networks are cut where IPv4 lies", "[geo][writer]") {
  TemporaryFolder folder;
  const auto databases = Databases::open(
      {folder.file("a.mmdb", text_of(image_of("::/0,JP\n192.0.2.0/24,DE\n").bytes))});
  REQUIRE(databases);
  const auto at = [&](const char* ip) {
    return std::string(databases->find(*parse_address(ip), {}).country.text());
  };
  CHECK(at("198.51.100.1").empty());
  CHECK(at("192.0.2.1") == "DE");
  CHECK(at("2002:c000:201::1") == "DE");
  CHECK(at("2002:c633:6401::1").empty());
  CHECK(at("2003::1") == "JP");
}

TEST_CASE("writer: equal input gives equal bytes, as small as they can be", "[geo][writer]") {
  const MmdbImage image = image_of(world);
  CHECK(image.bytes == image_of(world).bytes);
  CHECK(image.record_bits == 24);
  CHECK(image.record_count == 5);
  // The same facts of two networks stand in the data section once.
  const std::size_t one = image_of("192.0.2.0/24,DE\n").bytes.size();
  const MmdbImage two = image_of("192.0.2.0/24,DE\n192.0.3.0/24,FR\n192.0.4.0/24,DE\n");
  CHECK(two.record_count == 2);
  CHECK(two.bytes.size() <
        one + 6 * (two.node_count - image_of("192.0.2.0/24,DE\n").node_count) + 40);
  CHECK(image_of("192.0.2.0/24,??\n").record_count == 0);
}

TEST_CASE("writer: more overlaps than the limit are refused", "[geo][writer]") {
  NetworkList list{{NetworkLocation{}}, {}};
  for (std::uint32_t i = 0; i <= overlap_max; ++i) {
    list.ranges.push_back({Address::ipv4(i), Address::ipv4(100'000 - i), 0});
  }
  const auto image = build_mmdb(list, {});
  REQUIRE_FALSE(image);
  CHECK(image.error().text() == "more than 256 networks overlap at one address");
  list.ranges.pop_back();
  CHECK(build_mmdb(list, {}));
}

/// The country by libmaxminddb alone, none of our own code between.
std::string country_by_library(MMDB_s& database, const Address& address) {
  int text_error = 0;
  int error = 0;
  MMDB_lookup_result_s found =
      MMDB_lookup_string(&database, to_text(address).c_str(), &text_error, &error);
  REQUIRE(text_error == 0);
  REQUIRE(error == MMDB_SUCCESS);
  MMDB_entry_data_s data{};
  if (!found.found_entry) return {};
  const int status = MMDB_get_value(&found.entry, &data, "country", "iso_code", nullptr);
  return status == MMDB_SUCCESS && data.has_data ? std::string(data.utf8_string, data.data_size)
                                                 : std::string{};
}

TEST_CASE("writer: libmaxminddb finds what a linear scan finds", "[geo][writer]") {
  std::mt19937_64 random(7);
  const std::array<std::string_view, 4> codes = {"DE", "FR", "US", "JP"};
  NetworkList list;
  for (const std::string_view code : codes) {
    NetworkLocation location;
    location.location.country = *parse_code2(code);
    list.locations.push_back(location);
  }
  std::vector<Prefix> networks;
  for (std::uint32_t i = 0; i < 2'000; ++i) {
    Address address =
        Address::ipv4(0x0a00'0000U | static_cast<std::uint32_t>(random() & 0xff'ffff));
    unsigned length = 10 + static_cast<unsigned>(random() % 23);
    if (i % 2 == 1) {
      address = address_of(key6(0x2001'0db8'0000'0000 | (random() & 0xffff'ffff), random()));
      length = 34 + static_cast<unsigned>(random() % 95);
    }
    const Prefix prefix{masked(address, length), static_cast<std::uint8_t>(length)};
    networks.push_back(prefix);
    const Address last = prefix.address.family == Family::ipv4
                             ? address_of(range_of<Key4>(prefix, 0).last)
                             : address_of(range_of<Key6>(prefix, 0).last);
    list.ranges.push_back({prefix.address, last, i % 4});
  }
  TemporaryFolder folder;
  const auto image = build_mmdb(list, {"Test", "random", 1});
  REQUIRE(image);
  const std::string path = folder.file("random.mmdb", text_of(image->bytes));
  MMDB_s database{};
  REQUIRE(MMDB_open(path.c_str(), MMDB_MODE_MMAP, &database) == MMDB_SUCCESS);

  for (int i = 0; i < 4'000; ++i) {
    const std::size_t near = random() % networks.size();
    Address address = networks[near].address;  // the first one, or somewhere near or in it
    if (i % 2 == 1) {
      const unsigned bit = static_cast<unsigned>(random() % address.bits());
      address.bytes[bit / 8] = static_cast<std::uint8_t>(address.bytes[bit / 8] ^ 0x80U >> bit % 8);
    }
    std::size_t best = networks.size();
    for (std::size_t j = 0; j < networks.size(); ++j) {
      const bool wins = networks[j].contains(address) &&
                        (best == networks.size() || networks[j].length >= networks[best].length);
      if (wins) best = j;
    }
    CAPTURE(to_text(address));
    const std::string expected = best == networks.size() ? "" : std::string(codes[best % 4]);
    REQUIRE(country_by_library(database, address) == expected);
  }
  MMDB_close(&database);
}

}  // namespace
}  // namespace demarc::geo
