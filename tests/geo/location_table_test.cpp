#include "geo/location_table.h"

#include <catch2/catch.hpp>
#include <charconv>
#include <map>
#include <random>
#include <set>

#include "geo/countries.h"
#include "geo/ranges.h"
#include "tests/geo/database_fixture.h"
#include "tests/support/allocation_count.h"

namespace demarc::geo {
namespace {

/// Numbers locations by all that they say, in the order in which they come.
class Classes {
 public:
  std::optional<ClassId> operator()(const Location& location) {
    ++calls;
    return ids.try_emplace(location, static_cast<ClassId>(ids.size())).first->second;
  }
  std::map<Location, ClassId> ids;
  int calls = 0;
};

LocationTable built(const Databases& databases, const std::vector<Override>& overrides,
                    const std::vector<Prefix>& marks, Classes& classes) {
  auto table = LocationTable::build(databases, overrides, marks, std::ref(classes));
  REQUIRE(table);
  return std::move(*table);
}

std::uint32_t mark_of(const std::vector<Prefix>& marks, const Address& address) {
  const Address client = embedded_ipv4(address).value_or(address);
  std::uint32_t best = no_network_mark;
  for (std::uint32_t i = 0; i < marks.size(); ++i) {
    const bool wins = marks[i].contains(client) &&
                      (best == no_network_mark || marks[i].length > marks[best].length);
    if (wins) best = i;
  }
  return best;
}

/// A world of random networks, seen through every part of the merge.
struct World {
  std::mt19937_64 random;
  std::vector<Prefix> networks;  // all that were used, as places to look at closely
  Databases databases;
  std::vector<Override> overrides;
  std::vector<Prefix> marks;

  explicit World(std::uint64_t seed) : random(seed) {
    TemporaryFolder folder;
    const std::string country = folder.file("country", database_text(Facts::country));
    const std::string asn = folder.file("asn", database_text(Facts::asn));
    auto opened = Databases::open({country, asn});
    REQUIRE(opened);
    databases = std::move(*opened);
    for (int i = 0; i < 12; ++i) {
      Override one{network(), {}};
      if (i % 3 != 0) one.location.country = *parse_code2(i % 2 == 0 ? "CH" : "LI");
      if (i % 3 == 0) one.location.asn = 64'500;
      overrides.push_back(one);
    }
    std::set<Prefix> distinct;
    while (distinct.size() < 8) distinct.insert(network());
    marks.assign(distinct.begin(), distinct.end());
    for (const Range<Key6>& range : embedded_ranges) {
      networks.push_back({address_of(range.first), 128});
      networks.push_back({address_of(range.last), 128});
      networks.push_back({address_of(static_cast<Key6>(range.first - 1)), 128});
      networks.push_back({address_of(static_cast<Key6>(range.last + 1)), 128});
    }
  }

  Prefix network() {
    Address address = Address::ipv4(static_cast<std::uint32_t>(random() & 0x0fff'ffff));
    unsigned length = 6 + static_cast<unsigned>(random() % 27);
    switch (random() % 4) {
      case 0:
        address = address_of(key6(0x2001'0000'0000'0000 | (random() & 0xfff'ffff'ffff), random()));
        length = 20 + static_cast<unsigned>(random() % 109);
        break;
      case 1:  // many blocks within one /64
        address = address_of(key6(0x2a00'0001'0002'0003, random() & 0xffff));
        length = 60 + static_cast<unsigned>(random() % 69);
        break;
      default:
        break;
    }
    networks.push_back({masked(address, length), static_cast<std::uint8_t>(length)});
    return networks.back();
  }

  /// The first or last address of a network in use, just beside it, or a random one.
  Address address() {
    const Prefix& prefix = networks[random() % networks.size()];
    Address result = prefix.address;
    const std::uint64_t kind = random() % 5;
    for (unsigned bit = prefix.length; kind > 0 && bit < result.bits(); ++bit) {
      const bool set = kind == 1 || random() % 2 == 0;
      const auto value = static_cast<std::uint8_t>(0x80U >> bit % 8);
      if (set) result.bytes[bit / 8] = static_cast<std::uint8_t>(result.bytes[bit / 8] | value);
    }
    if (kind == 4) {
      const unsigned bit = static_cast<unsigned>(random() % result.bits());
      result.bytes[bit / 8] = static_cast<std::uint8_t>(result.bytes[bit / 8] ^ 0x80U >> bit % 8);
    }
    return result;
  }

 private:
  enum class Facts : std::uint8_t { country, asn };
  std::string database_text(Facts facts) {
    std::string csv = "network,country,asn\n";
    for (int i = 0; i < 60; ++i) {
      const char* const country = i % 3 == 0 ? "DE" : i % 3 == 1 ? "FR" : "US";
      csv += to_text(network()) + (facts == Facts::country ? fmt::format(",{},\n", country)
                                                           : fmt::format(",,{}\n", 1 + i % 5));
    }
    return text_of(image_of(csv).bytes);
  }
};

TEST_CASE("table: it agrees with a direct look-up everywhere", "[geo][table]") {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    World world(seed);
    Classes classes;
    const LocationTable table = built(world.databases, world.overrides, world.marks, classes);
    CHECK(classes.calls == static_cast<int>(classes.ids.size()));  // once per distinct location
    CHECK(table.class_count() == classes.ids.size());
    CHECK(classes.ids.at(Location{}) == 0);
    for (int i = 0; i < 4'000; ++i) {
      const Address address = world.address();
      CAPTURE(seed, to_text(address));
      Location expected = world.databases.find(address, world.overrides);
      expected.network_mark = mark_of(world.marks, address);
      const auto known = classes.ids.find(expected);
      REQUIRE(known != classes.ids.end());
      REQUIRE(table.find(address).location_class == known->second);
    }
  }
}

/// The prefix that a scope stands for, around an address that was found in the table.
Prefix scope_prefix(const Address& address, const Found& found,
                    const std::vector<std::uint8_t>& scopes) {
  const unsigned length = found.scope_offset + scopes[found.block];
  return {masked(address, length), static_cast<std::uint8_t>(length)};
}

Address random_inside(const Prefix& prefix, std::mt19937_64& random) {
  Address address = prefix.address;
  for (unsigned bit = prefix.length; bit < address.bits(); ++bit) {
    if (random() % 2 == 0) continue;
    address.bytes[bit / 8] = static_cast<std::uint8_t>(address.bytes[bit / 8] | 0x80U >> bit % 8);
  }
  return address;
}

TEST_CASE("scopes: the largest prefix with one answer, and none overlaps another", "[geo][table]") {
  for (const std::uint64_t seed : {11, 12, 13}) {
    World world(seed);
    Classes classes;
    const LocationTable table = built(world.databases, world.overrides, world.marks, classes);
    std::vector<std::uint16_t> variants(table.class_count());
    for (auto& variant : variants) variant = static_cast<std::uint16_t>(world.random() % 3);
    const std::vector<std::uint8_t> scopes = table.scopes(variants);
    REQUIRE(scopes.size() == table.block_count());

    // Two clients of one answer and family; the IPv4 half is another family than what embeds it.
    const auto same_answer = [&](const Found& a, const Found& b) {
      return variants[a.location_class] == variants[b.location_class] &&
             a.scope_offset == b.scope_offset;
    };
    std::set<Prefix> used;
    for (int i = 0; i < 1'500; ++i) {
      const Address address = world.address();
      const Found found = table.find(address);
      const Prefix scope = scope_prefix(address, found, scopes);
      CAPTURE(seed, to_text(address), to_text(scope));
      used.insert(scope);
      for (int j = 0; j < 10; ++j) {
        const Address inside = random_inside(scope, world.random);
        const Found other = table.find(inside);
        REQUIRE(same_answer(other, found));
        REQUIRE(scope_prefix(inside, other, scopes) == scope);
      }
      // Were the scope one bit shorter, some block in it would have another answer. Blocks begin at
      // networks that we know, so it is enough to look at those, and at their ends.
      if (scopes[found.block] == 0) continue;
      const auto shorter = static_cast<std::uint8_t>(scope.length - 1);
      const Prefix parent{masked(address, shorter), shorter};
      bool is_constant = true;
      const auto look = [&](const Address& at) {
        if (parent.contains(at)) is_constant = is_constant && same_answer(table.find(at), found);
      };
      for (const Prefix& network : world.networks) {
        look(network.address);
        Address last = network.address;
        for (unsigned bit = network.length; bit < last.bits(); ++bit) {
          last.bytes[bit / 8] = static_cast<std::uint8_t>(last.bytes[bit / 8] | 0x80U >> bit % 8);
        }
        look(last);
        if (network.address.family == Family::ipv4) {
          look(address_of(key_of<Key4>(last) + 1));
          look(address_of(key_of<Key4>(network.address) - 1));
          continue;
        }
        look(address_of(static_cast<Key6>(key_of<Key6>(last) + 1)));
        look(address_of(static_cast<Key6>(key_of<Key6>(network.address) - 1)));
      }
      const bool is_embedding = found.scope_offset != 0;
      REQUIRE((is_embedding || !is_constant));
    }
    for (auto one = used.begin(); one != used.end(); ++one) {
      const auto next = std::next(one);
      if (next != used.end()) REQUIRE_FALSE(one->contains(*next));
    }
  }
}

TEST_CASE("scopes: none where the view is constant", "[geo][table]") {
  World world(21);
  Classes classes;
  const LocationTable table = built(world.databases, world.overrides, world.marks, classes);
  CHECK(table.scopes(std::vector<std::uint16_t>(table.class_count(), 7)).empty());
  CHECK(LocationTable().scopes({0}).empty());
}

TEST_CASE("scopes: known answers", "[geo][table]") {
  const std::vector<Prefix> marks = {*parse_prefix("192.0.2.0/24"), *parse_prefix("2001:db8::/33")};
  Classes classes;
  const LocationTable table = built(Databases{}, {}, marks, classes);
  const std::vector<std::uint8_t> scopes = table.scopes({0, 1, 1});
  const auto scope = [&](const char* text) {
    const Address address = *parse_address(text);
    return to_text(scope_prefix(address, table.find(address), scopes));
  };
  CHECK(scope("192.0.2.77") == "192.0.2.0/24");
  CHECK(scope("192.0.3.77") == "192.0.3.0/24");
  CHECK(scope("192.0.0.1") == "192.0.0.0/23");
  CHECK(scope("10.0.0.1") == "0.0.0.0/1");
  CHECK(scope("2001:db8::1") == "2001:db8::/33");
  CHECK(scope("2001:db8:8000::1") == "2001:db8:8000::/33");
  CHECK(scope("2001:1::1") == "2001:1::/32");  // beside Teredo
  CHECK(scope("2003::1") == "2003::/16");      // beside 6to4
  CHECK(scope("4000::1") == "4000::/2");
  CHECK(scope("2002:c000:24d::1") == "2002:c000:200::/40");
  CHECK(scope("::ffff:192.0.2.77") == "::ffff:192.0.2.0/120");
  CHECK(scope("64:ff9b::192.0.2.77") == "64:ff9b::c000:200/120");
}

TEST_CASE("table: an empty one is class 0 everywhere", "[geo][table]") {
  const LocationTable table;
  CHECK(table.class_count() == 1);
  CHECK(table.size_bytes() > 0);
  for (const char* text : {"0.0.0.0", "255.255.255.255", "::", "::1", "2001::1",
                           "2002::", "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    CAPTURE(text);
    const Found found = table.find(*parse_address(text));
    CHECK(found.location_class == 0);
    CHECK(found.block < table.block_count());
  }
}

TEST_CASE("table: embedded IPv4 is answered from the IPv4 half", "[geo][table]") {
  const std::vector<Prefix> marks = {*parse_prefix("192.0.2.0/24"), *parse_prefix("::/0")};
  Classes classes;
  const LocationTable table = built(Databases{}, {}, marks, classes);
  const Found direct = table.find(*parse_address("192.0.2.45"));
  const std::pair<const char*, int> rows[] = {
      {"::ffff:192.0.2.45", 96},
      {"64:ff9b::192.0.2.45", 96},
      {"2002:c000:22d::1", 16},
      {"2001:0:4136:e378:8000:63bf:3fff:fdd2", 96}};  // Teredo: stored inverted
  for (const auto& [text, offset] : rows) {
    CAPTURE(text);
    const Found found = table.find(*parse_address(text));
    CHECK(found.block == direct.block);
    CHECK(found.location_class == direct.location_class);
    CHECK(found.scope_offset == offset);
  }
  const Found native = table.find(*parse_address("::192.0.2.45"));  // not an embedding of today
  CHECK(native.location_class != direct.location_class);
  CHECK(native.scope_offset == 0);
}

TEST_CASE("table: so many classes, and no more", "[geo][table]") {
  std::vector<Prefix> marks;
  for (std::uint32_t i = 0; i < class_count_max; ++i) marks.push_back({Address::ipv4(i), 32});
  std::uint32_t next = 0;
  const auto each_its_own = [&next](const Location&) -> std::optional<ClassId> {
    return next < class_count_max ? std::optional(static_cast<ClassId>(next++)) : std::nullopt;
  };
  const auto too_many = LocationTable::build(Databases{}, {}, marks, each_its_own);
  REQUIRE_FALSE(too_many);
  CHECK(too_many.error().text() == "the routes tell more than 65535 kinds of clients apart");

  marks.pop_back();
  next = 0;
  const auto table = LocationTable::build(Databases{}, {}, marks, each_its_own);
  REQUIRE(table);
  CHECK(table->class_count() == class_count_max);
  CHECK(table->find(Address::ipv4(class_count_max - 2)).location_class == class_count_max - 1);
}

TEST_CASE("table: a look-up allocates nothing", "[geo][table]") {
  World world(31);
  Classes classes;
  const LocationTable table = built(world.databases, world.overrides, world.marks, classes);
  std::vector<Address> addresses;
  for (int i = 0; i < 1'000; ++i) addresses.push_back(world.address());
  std::uint32_t sum = 0;
  const AllocationCount count;
  for (const Address& address : addresses) sum += table.find(address).block;
  CHECK(count.since() == 0);
  CHECK(sum != 0);

  const AllocationCount other;
  addresses.push_back({});
  std::vector<int> one(1);
  CHECK(other.since() > 0);  // the count itself works
}

struct TorRow {
  Address first;
  Address last;
  std::string country;  // as the table gives it
};

/// The text's own rows, read apart from geo/network_csv.cpp.
std::vector<TorRow> tor_rows(const char* path) {
  std::vector<TorRow> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t comma = line.find(',');
    const std::size_t second = line.find(',', comma + 1);
    const auto address = [](const std::string& text) {
      if (const auto parsed = parse_address(text)) return *parsed;
      return Address::ipv4(static_cast<std::uint32_t>(std::stoul(text)));
    };
    std::string country = line.substr(second + 1);
    if (country == "UK") country = "GB";
    const auto code = parse_code2(country);
    if (!code || find_country(*code) == nullptr) country.clear();  // `??`, `EU`, `AP`
    rows.push_back({address(line.substr(0, comma)),
                    address(line.substr(comma + 1, second - comma - 1)), country});
  }
  return rows;
}

TEST_CASE("table: Debian's tor-geoipdb, from text to class", "[geo][table][tor]") {
  NetworkList list;
  Diagnostics diagnostics;
  std::vector<TorRow> rows;
  for (const char* path : {"/usr/share/tor/geoip", "/usr/share/tor/geoip6"}) {
    std::ifstream file(path);
    if (!file) {
      WARN("tor-geoipdb is not installed: not checked");
      return;
    }
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    parse_networks(text, path, list, diagnostics);
    const auto more = tor_rows(path);
    rows.insert(rows.end(), more.begin(), more.end());
  }
  REQUIRE_FALSE(diagnostics.has_errors());
  REQUIRE(list.ranges.size() == rows.size());
  const auto image = build_mmdb(list, {"Test-Country", "tor", 1});
  REQUIRE(image);
  TemporaryFolder folder;
  const auto databases = Databases::open({folder.file("tor.mmdb", text_of(image->bytes))});
  REQUIRE(databases);
  std::map<std::string, ClassId> ids;
  const auto table = LocationTable::build(*databases, {}, {}, [&](const Location& location) {
    const auto id = static_cast<ClassId>(ids.size());
    return std::optional(ids.try_emplace(std::string(location.country.text()), id).first->second);
  });
  REQUIRE(table);

  std::mt19937 random(99);
  for (int i = 0; i < 20'000; ++i) {
    const TorRow& row = rows[random() % rows.size()];
    if (embedded_ipv4(row.first)) continue;
    Address address = i % 3 == 0 ? row.first : row.last;
    if (i % 3 == 2 && row.first.family == Family::ipv4) {
      const Key4 span = key_of<Key4>(row.last) - key_of<Key4>(row.first);
      address = address_of(key_of<Key4>(row.first) +
                           (span == 0 ? 0 : static_cast<Key4>(random()) % span));
    }
    CAPTURE(to_text(address));
    REQUIRE(databases->find(address, {}).country.text() == row.country);
    REQUIRE(table->find(address).location_class == ids.at(row.country));
  }
}

}  // namespace
}  // namespace demarc::geo
