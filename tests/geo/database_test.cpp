#include "geo/database.h"

#include <catch2/catch.hpp>
#include <random>

#include "geo/location_table.h"
#include "geo/mmdb/file.h"
#include "tests/geo/database_fixture.h"

namespace demarc::geo {
namespace {

Location at(const Databases& databases, const char* ip,
            const std::vector<Override>& overrides = {}) {
  return databases.find(*parse_address(ip), overrides);
}

Override override_of(const char* network, const char* country, std::uint32_t asn = 0) {
  Override one{*parse_prefix(network), {}};
  if (*country != '\0') one.location.country = *parse_code2(country);
  one.location.asn = asn;
  return one;
}

/// What open() says of a file with these bytes, without the file's name.
std::string error_of(std::string_view bytes) {
  TemporaryFolder folder;
  const std::string path = folder.file("bad.mmdb", bytes);
  const auto databases = Databases::open({path});
  if (databases) return "";
  const std::string text = databases.error().text();
  REQUIRE(text.starts_with(path + ": "));
  return text.substr(path.size() + 2);
}

TEST_CASE("databases: flat layouts are read too", "[geo][database]") {
  struct Row {
    const char* name;
    std::string record;
    const char* country;
    std::uint32_t asn;
  };
  const Row rows[] = {
      {"flat", raw::map({{"country_code", raw::text("DE")}}), "DE", 0},
      {"text", raw::map({{"country", raw::text("DE")}, {"asn", raw::text("AS64500")}}), "DE",
       64'500},
      {"nested", raw::map({{"country", raw::map({{"iso_code", raw::text("DE")}})}}), "DE", 0},
      {"asn", raw::map({{"autonomous_system_number", raw::number32(64'500)}}), "", 64'500},
      {"short asn", raw::map({{"autonomous_system_number", raw::number16(64'500)}}), "", 64'500},
      {"no country", raw::map({{"country_code", raw::text("ZZ")}}), "", 0},
      {"no text", raw::map({{"country_code", raw::number16(7)}, {"asn", raw::text("64500")}}), "",
       0},
      {"nothing", raw::map({}), "", 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    TemporaryFolder folder;
    const auto databases = Databases::open({folder.file("a.mmdb", one_record(row.record).bytes())});
    REQUIRE(databases);
    const Location location = at(*databases, "10.0.0.1");
    CHECK(location.country.text() == row.country);
    CHECK(location.continent.text() == (*row.country != '\0' ? "EU" : ""));
    CHECK(location.asn == row.asn);
    CHECK(at(*databases, "200.0.0.1") == Location{});
    CHECK(at(*databases, "2001:db8::1") == Location{});  // an IPv4 database
    CHECK(at(*databases, "::ffff:10.0.0.1") == location);
  }
}

TEST_CASE("databases: GeoIP's odd coordinates are not taken", "[geo][database]") {
  const std::string nan("\x68\x7f\xf8\0\0\0\0\0\0", 9);
  const std::string record =
      raw::map({{"location", raw::map({{"latitude", nan}, {"longitude", nan}})}});
  TemporaryFolder folder;
  const auto databases = Databases::open({folder.file("a.mmdb", one_record(record).bytes())});
  REQUIRE(databases);
  CHECK_FALSE(at(*databases, "10.0.0.1").coordinates);
}

TEST_CASE("databases: of two that know a field the first wins", "[geo][database]") {
  TemporaryFolder folder;
  const std::string country = folder.file("c", text_of(image_of("10.0.0.0/8,DE\n").bytes));
  const std::string city =
      folder.file("d", text_of(image_of("network,country,subdivision,asn\n10.0.0.0/9,DE,DE-BE,1\n"
                                        "10.128.0.0/9,FR,FR-75,2\n11.0.0.0/8,FR,FR-75,3\n")
                                   .bytes));
  const auto both = Databases::open({country, city});
  REQUIRE(both);
  CHECK(at(*both, "10.0.0.1").subdivision == "DE-BE");
  CHECK(at(*both, "10.200.0.1").country.text() == "DE");
  CHECK(at(*both, "10.200.0.1").subdivision.empty());
  CHECK(at(*both, "10.200.0.1").asn == 2);
  CHECK(at(*both, "11.0.0.1").subdivision == "FR-75");
  const auto lines = both->descriptions();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == country + ": Test-City, built 2023-11-14T22:13:20Z, 1 networks");
  CHECK(lines[1] == city + ": Test-City, built 2023-11-14T22:13:20Z, 3 networks");
}

TEST_CASE("databases: overrides win, the most specific first", "[geo][database]") {
  TemporaryFolder folder;
  const auto databases = Databases::open(
      {folder.file("a", text_of(image_of("network,country,asn\n10.0.0.0/8,DE,7\n").bytes))});
  REQUIRE(databases);
  const std::vector<Override> overrides = {
      override_of("10.1.0.0/16", "CH"), override_of("10.1.1.0/24", "", 64'500),
      override_of("10.1.1.0/24", "US"), override_of("2001:db8::/32", "FR"),
      override_of("::1", "LI")};
  CHECK(at(*databases, "10.0.0.1", overrides).country.text() == "DE");
  CHECK(at(*databases, "10.1.0.1", overrides).country.text() == "CH");
  CHECK(at(*databases, "10.1.0.1", overrides).continent.text() == "EU");
  CHECK(at(*databases, "10.1.0.1", overrides).asn == 7);
  CHECK(at(*databases, "10.1.1.1", overrides).country.text() == "US");
  CHECK(at(*databases, "10.1.1.1", overrides).asn == 64'500);
  CHECK(at(*databases, "2002:a01:101::1", overrides).country.text() == "US");
  CHECK(at(*databases, "2001:db8::1", overrides).country.text() == "FR");
  CHECK(at(Databases{}, "::1", overrides).country.text() == "LI");
  CHECK(at(Databases{}, "10.0.0.1") == Location{});
}

TEST_CASE("databases: a file overwritten in place does no harm", "[geo][database]") {
  TemporaryFolder folder;
  const std::string path = folder.file("a", text_of(image_of("10.0.0.0/8,DE\n").bytes));
  const auto databases = Databases::open({path});
  REQUIRE(databases);
  REQUIRE(::truncate(path.c_str(), 0) == 0);
  CHECK(at(*databases, "10.0.0.1").country.text() == "DE");
}

TEST_CASE("databases: each fault of a file is told with its name", "[geo][database]") {
  const std::string record = raw::map({{"country_code", raw::text("DE")}});
  const RawMmdb good = one_record(record);
  REQUIRE(error_of(good.bytes()).empty());

  const auto with = [&](auto change) {
    RawMmdb file = good;
    change(file);
    return error_of(file.bytes());
  };
  CHECK(error_of("") == "is empty");
  CHECK(error_of("GIF89a") == "is no MMDB file, or cut off: it has no metadata");
  CHECK(error_of(good.bytes().substr(0, 40)) == "is no MMDB file, or cut off: it has no metadata");
  CHECK(error_of(good.bytes().substr(0, good.bytes().size() - 3)) ==
        "has bad metadata: it ends in the middle of a value");
  CHECK(with([](RawMmdb& file) { file.format = 3; }) == "has binary format 3, expected 2");
  CHECK(with([](RawMmdb& file) { file.ip_version = 5; }) == "has ip_version 5, expected 4 or 6");
  CHECK(with([](RawMmdb& file) { file.record_size = 26; }) ==
        "has record_size 26, expected 24, 28 or 32");
  CHECK(with([](RawMmdb& file) { file.node_count = 0; }) ==
        "has node_count 0, expected 1 to 4294967295");
  CHECK(with([](RawMmdb& file) { file.node_count = 0xffff'ffff; }) ==
        "is cut off: 4294967295 nodes take 25769803770 bytes, but 39 are there");
  CHECK(with([](RawMmdb& file) { file.node_count = 2; }) ==
        "has no 16 zero bytes after its tree: node_count is wrong");
  CHECK(with([](RawMmdb& file) { file.nodes[0].second = 0; }) ==
        "has a bad tree: node 0 points to 0, which is nowhere");
  CHECK(with([](RawMmdb& file) { file.nodes[0].second = file.to_data(file.data.size()); }) ==
        "has a bad tree: node 0 points to 34, which is nowhere");
  CHECK(with([](RawMmdb& file) { file.nodes[0].second = 9; }) ==
        "has a bad tree: node 0 points to 9, which is nowhere");
  CHECK(with([](RawMmdb& file) { file.nodes = {{1, 1}, {1, 1}}; }) ==
        "has a bad tree: node 1 is deeper than the 32 bits of an address");
}

TEST_CASE("databases: each fault of a record is told", "[geo][database]") {
  const auto error = [](const std::string& record) { return error_of(one_record(record).bytes()); };
  const std::string begin = "has a bad record: data at 0 ";
  CHECK(error(raw::text("DE")) == begin + "is no map");
  CHECK(error("\xe1") == begin + "ends in the middle of a value");
  CHECK(error("\xe1" + raw::text("a") + "\x45xy") == begin + "ends in the middle of a value");
  CHECK(error("\xe1" + raw::number16(1) + raw::text("a")) ==
        begin + "has a map key that is no text");
  CHECK(error(raw::map({{"a", raw::pointer(2'000)}})) == begin + "points outside of its section");
  CHECK(error(raw::map({{"a", raw::pointer(5)}, {"b", raw::pointer(3)}})) ==
        begin + "has a pointer to a pointer");
  CHECK(error(raw::map({{"a", std::string("\x02\x07", 2)}})) ==
        begin + "has a boolean that is not 0 or 1");
  CHECK(error(raw::map({{"a", std::string("\xa3\0\0\0", 4)}})) ==
        begin + "has a number of the wrong size");
  CHECK(error(raw::map({{"a", std::string("\x61\0", 2)}})) ==
        begin + "has a number of the wrong size");
  CHECK(error(raw::map({{"a", std::string("\x01\x09", 2)}})) ==
        begin + "has a value of an unknown type");
  CHECK(error(raw::map({{"a", raw::pointer(0)}})) == begin + "is nested too deeply");

  // Maps whose two members both point to the next one, fourteen deep: 2^14 values.
  std::string fan;
  for (std::uint32_t level = 1; level <= 14; ++level) {
    fan += raw::map({{"a", raw::pointer(level * 9)}, {"b", raw::pointer(level * 9)}});
  }
  CHECK(error(fan + raw::map({})) == begin + "has too many values");
}

TEST_CASE("databases: nesting is accepted up to its limit", "[geo][database]") {
  const auto nested = [](unsigned levels) {
    std::string record = raw::map({});
    for (unsigned i = 0; i < levels; ++i) record = "\xe1" + raw::text("a") + record;
    return error_of(one_record(record).bytes());
  };
  CHECK(nested(mmdb_depth_max).empty());
  CHECK(nested(mmdb_depth_max + 1) == "has a bad record: data at 0 is nested too deeply");
}

TEST_CASE("databases: subtrees shared without end are refused", "[geo][database]") {
  // Thirty levels, both sides of each the same next one: 2^30 visits if one walked on.
  RawMmdb file;
  for (std::uint32_t level = 1; level < 30; ++level) file.nodes.push_back({level, level});
  file.nodes.push_back({30, 30});
  CHECK(error_of(file.bytes()) == "has a bad tree: its nodes form loops");
}

TEST_CASE("databases: files that cannot be read", "[geo][database]") {
  TemporaryFolder folder;
  const std::string missing = folder.file("missing");
  CHECK(Databases::open({missing}).error().text() ==
        "open " + missing + ": No such file or directory");
  CHECK(Databases::open({folder.path()}).error().text() == folder.path() + ": is no regular file");
  const std::string huge = folder.file("huge", "");
  REQUIRE(::truncate(huge.c_str(), static_cast<off_t>(database_bytes_max) + 1) == 0);  // sparse
  CHECK(Databases::open({huge}).error().text() == huge + ": is larger than 1073741824 bytes");
  const std::string good = folder.file("good", text_of(image_of("10.0.0.0/8,DE\n").bytes));
  CHECK_FALSE(Databases::open({good, missing}));
}

TEST_CASE("databases: damaged files are refused or read, never a crash", "[geo][database]") {
  const std::string good = text_of(
      image_of("network,country,city,latitude,longitude,asn\n10.0.0.0/12,DE,Berlin,52,13,1\n"
               "10.16.0.0/12,FR,,,,2\n2001:db8::/33,US,,,,3\n")
          .bytes);
  std::mt19937 random(20'240'501);
  int refused = 0;
  TemporaryFolder folder;
  const std::string path = folder.file("damaged");
  for (int round = 0; round < 1'500; ++round) {
    std::string bytes = good;
    if (round % 5 == 0) {
      bytes.resize(random() % bytes.size());
    } else {
      // Nearer to the end there are data and metadata, where most can go wrong.
      const std::size_t area =
          round % 2 == 0 ? bytes.size() : std::min<std::size_t>(bytes.size(), 400);
      for (auto flips = 1 + random() % 3; flips > 0; --flips) {
        bytes[bytes.size() - 1 - random() % area] ^= static_cast<char>(1U << random() % 8);
      }
    }
    std::ofstream(path, std::ios::binary) << bytes;
    const auto databases = Databases::open({path});
    if (!databases) {
      ++refused;
      CHECK(databases.error().text().starts_with(path + ": "));
      continue;
    }
    for (int i = 0; i < 20; ++i) {
      const auto tail = static_cast<std::uint32_t>(random());
      (void)databases->find(Address::ipv4(0x0a00'0000 | (tail & 0xff'ffff)), {});
      (void)databases->find(address_of(key6(0x2001'0db8'0000'0000 | tail, 0)), {});
    }
  }
  CHECK(refused > 300);
}

}  // namespace
}  // namespace demarc::geo
