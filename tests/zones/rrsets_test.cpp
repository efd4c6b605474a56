// The static records of a zone in one buffer: order, duplicates, TTLs, places, and a plain map that
// must agree.
#include "zones/rrsets.h"

#include <algorithm>
#include <map>
#include <random>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "zones/rdata.h"

namespace demarc::zones {
namespace {

const Name apex = Name::parse_absolute("example.com").value();

Name name(std::string_view text) { return Name::parse(text, apex).value(); }

RRsets rrsets_of(std::initializer_list<std::pair<const char*, std::uint16_t>> records) {
  RRsets rrsets(apex);
  for (const auto& [owner, type] : records) CHECK(rrsets.add(name(owner), type, 300, "data"));
  rrsets.sort();
  return rrsets;
}

/// "owner/type/ttl:data,data", all of them in their order.
std::vector<std::string> lines_of(const RRsets& rrsets) {
  std::vector<std::string> lines;
  for (const RRset set : rrsets) {
    lines.push_back(fmt::format("{}/{}/{}:", set.owner().text(), set.type, set.ttl));
    for (const std::string_view rdata : set.rdata()) lines.back() += fmt::format("{},", rdata);
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST_CASE("rrsets: by owner and type, the apex first", "[zones][rrsets]") {
  const RRsets rrsets = rrsets_of({{"www", 28}, {"@", 2}, {"www", 1}, {"a", 1}, {"@", 6}});
  CHECK(lines_of(rrsets) == Lines{"example.com./2/300:data,", "example.com./6/300:data,",
                                  "a.example.com./1/300:data,", "www.example.com./1/300:data,",
                                  "www.example.com./28/300:data,"});
  CHECK(rrsets.count() == 5);
  CHECK(rrsets.record_count() == 5);
}

TEST_CASE("rrsets: owners stay side by side whatever is in their labels", "[zones][rrsets]") {
  // By their whole names a.b would come before a, and \255 among those of the apex.
  const RRsets rrsets = rrsets_of({{"a", 1},
                                   {"a.b", 1},
                                   {"a", 28},
                                   {"\\255", 1},
                                   {"a.b", 28},
                                   {"\\000", 1},
                                   {"b.a", 1},
                                   {"\\001a", 1},
                                   {"\\255", 28}});
  std::map<std::string, int> owners;
  std::string last;
  for (const RRset set : rrsets) {
    const std::string owner = set.owner().text();
    if (owner != last) CHECK(++owners[owner] == 1);
    last = owner;
  }
  CHECK(owners.size() == 6);
  for (const char* owner : {"a", "a.b", "\\255", "\\000", "b.a", "\\001a"}) {
    CAPTURE(owner);
    const std::size_t at = rrsets.find_owner(name(owner));
    REQUIRE(at < rrsets.record_count());
    CHECK(rrsets.owner(at) == name(owner));
    CHECK(rrsets.find(name(owner), 1));
  }
}

TEST_CASE("rrsets: data keep the order of add(), and twice is once", "[zones][rrsets]") {
  RRsets rrsets(apex);
  for (const char* data : {"c", "a", "c", "b", "a", "a"}) CHECK(rrsets.add(apex, 16, 300, data));
  CHECK(rrsets.add(apex, 17, 300, "c"));
  CHECK(rrsets.add(name("x"), 16, 300, "c"));
  rrsets.sort();
  CHECK(lines_of(rrsets) ==
        Lines{"example.com./16/300:c,a,b,", "example.com./17/300:c,", "x.example.com./16/300:c,"});
  rrsets.sort();
  CHECK(rrsets.record_count() == 5);
}

TEST_CASE("rrsets: the lowest TTL counts, also that of a record that is dropped",
          "[zones][rrsets]") {
  const auto [what, ttls, lowest] =
      GENERATE(table<const char*, std::vector<std::uint32_t>, std::uint32_t>({
          {"the first's", {60, 300, 300}, 60},
          {"the other's", {300, 60, 300}, 60},
          {"the duplicate's", {300, 300, 60}, 60},
          {"none", {0, 300, 300}, 0},
          {"the largest", {0xffffffff, 0xfffffffe, 0xffffffff}, 0xfffffffe},
      }));
  CAPTURE(what);
  RRsets rrsets(apex);
  CHECK(rrsets.add(apex, 1, ttls[0], "a"));
  CHECK(rrsets.add(apex, 1, ttls[1], "b"));
  CHECK(rrsets.add(apex, 1, ttls[2], "a"));
  rrsets.put_in_order();
  CHECK(rrsets.record_count() == 3);
  CHECK(rrsets.find(apex, 1)->ttl == lowest);
  rrsets.drop_duplicates();
  CHECK(rrsets.record_count() == 2);
  CHECK(rrsets.find(apex, 1)->ttl == lowest);
}

TEST_CASE("rrsets: nothing is found that is not there", "[zones][rrsets]") {
  const RRsets rrsets = rrsets_of({{"b", 5}, {"b", 16}, {"d.b", 1}});
  for (const char* owner : {"@", "a", "c", "bb", "e.b", "d", "b.example.net.", "com.", "."}) {
    CAPTURE(owner);
    CHECK(rrsets.find_owner(name(owner)) == rrsets.record_count());
    CHECK_FALSE(rrsets.find(name(owner), 5));
  }
  CHECK_FALSE(rrsets.find(name("b"), 1));
  CHECK(rrsets.find(name("b"), 16)->rdata().front() == "data");
  const RRsets empty(apex);
  CHECK(empty.empty());
  CHECK(empty.begin() == empty.end());
  CHECK(empty.count() == 0);
  CHECK(empty.find_owner(apex) == 0);
  CHECK_FALSE(empty.find(apex, 6));
}

TEST_CASE("rrsets: what an RRset says of its owner", "[zones][rrsets]") {
  const RRsets rrsets = rrsets_of({{"@", 1}, {"b.a", 1}, {"*.b", 1}, {"*", 1}, {"*x", 1}});
  const auto at = [&](const char* owner) { return rrsets.find(name(owner), 1).value(); };
  CHECK(at("@").is_at(apex));
  CHECK_FALSE(at("@").is_at(name("b.a")));
  CHECK(at("b.a").is_at(name("b.a")));
  CHECK_FALSE(at("b.a").is_at(name("a")));
  CHECK_FALSE(at("b.a").is_at(name("b.a.example.net.")));
  for (const char* above : {"b.a", "a", "@", "com.", "."}) {
    CHECK(at("b.a").is_at_or_below(name(above)));
  }
  // The last of `1b1a` is the bytes of a name, but no label begins there.
  for (const char* other : {"c.b.a", "b", "b.example.net.", "org."}) {
    CHECK_FALSE(at("b.a").is_at_or_below(name(other)));
  }
  CHECK(at("@").is_at_or_below(name("com.")));
  CHECK_FALSE(at("@").is_at_or_below(name("a")));
  CHECK(at("*").is_wildcard());
  CHECK(at("*.b").is_wildcard());
  CHECK_FALSE(at("*x").is_wildcard());
  CHECK_FALSE(at("@").is_wildcard());
  CHECK(at("@").labels().empty());

  RRsets tricky(apex);
  CHECK(tricky.add(name("x\\001a"), 1, 0, "data"));  // ends in the bytes of `a`
  tricky.sort();
  CHECK_FALSE(tricky.begin()->is_at_or_below(name("a")));

  RRsets wild(name("*"));
  CHECK(wild.add(name("*"), 1, 0, "data"));
  CHECK(wild.add(name("a.*"), 1, 0, "data"));
  wild.sort();
  CHECK(wild.at(0, 2).is_wildcard());
  CHECK_FALSE(wild.at(1, 2).is_wildcard());
}

TEST_CASE("rrsets: a zone of the root", "[zones][rrsets]") {
  RRsets rrsets{Name{}};
  CHECK(rrsets.add(Name{}, 2, 0, "root"));
  CHECK(rrsets.add(apex, 2, 0, "com"));
  rrsets.sort();
  CHECK(lines_of(rrsets) == Lines{"./2/0:root,", "example.com./2/0:com,"});
  CHECK(rrsets.begin()->is_at_or_below(Name{}));
}

TEST_CASE("rrsets: the serial is written into the SOA of the apex", "[zones][rrsets]") {
  RRsets rrsets(apex);
  CHECK_FALSE(rrsets.set_serial(7));
  const auto rdata = RdataReader(apex).parse(rrtype::soa, "ns1 hostmaster 1 2 3 4 5").value();
  CHECK(rrsets.add(name("www"), rrtype::a, 300, "\xc0\x02\x01\x01"));
  CHECK(rrsets.add(apex, rrtype::soa, 300, rdata));
  rrsets.sort();
  CHECK(rrsets.set_serial(0x80'01'ff'02));
  CHECK(rdata_text(rrtype::soa, rrsets.find(apex, rrtype::soa)->rdata().front()) ==
        "ns1.example.com. hostmaster.example.com. 2147614466 2 3 4 5");
  CHECK(rrsets.find(name("www"), rrtype::a)->rdata().front() == "\xc0\x02\x01\x01");

  RRsets broken(apex);
  CHECK(broken.add(apex, rrtype::soa, 300, "short"));
  broken.sort();
  CHECK_FALSE(broken.set_serial(7));
}

TEST_CASE("rrsets: where records were written, until it is forgotten", "[zones][rrsets]") {
  using Origin = RRsets::Origin;
  RRsets rrsets(apex);
  std::vector<Origin> written;
  const auto add = [&](Origin origin) {
    const auto owner = name(fmt::format("h{:04}", 9999 - written.size()));  // sorting turns them
    CHECK(rrsets.add(owner, 1, 300, std::string(written.size() % 7, 'x'), origin));
    written.push_back(origin);
  };
  add({});
  add({.file = 0, .line = 70'000, .column = 70'000});
  for (std::uint32_t line = 1; line <= 200; ++line) add({.file = 1, .line = line, .column = 1});
  for (std::uint32_t line = 400; line > 300; --line) add({.file = 1, .line = line, .column = 1});
  for (std::uint32_t line = 1; line <= 100; ++line) add({.file = 2, .line = 3 * line, .column = 1});
  add({});
  add({});
  add({.file = 3, .line = 1, .column = 9});
  rrsets.sort();
  for (std::size_t i = 0; i < written.size(); ++i) {
    CAPTURE(i);
    CHECK(rrsets.origin(written.size() - 1 - i) == written[i]);
  }
  rrsets.forget_origins();
  CHECK(rrsets.origin(5) == Origin{});
  CHECK(rrsets.add(name("a"), 1, 300, "", {.file = 1, .line = 2, .column = 3}));
  rrsets.sort();
  CHECK(rrsets.origin(0) == Origin{.file = 1, .line = 2, .column = 3});
  CHECK(rrsets.origin(1) == Origin{});
}

TEST_CASE("rrsets: lines of a large file are little to remember", "[zones][rrsets]") {
  RRsets rrsets(apex);
  for (std::uint32_t line = 1; line <= 10'000; ++line) {
    CHECK(rrsets.add(name(fmt::format("h{:06}", line)), 1, 300, "addr", {.line = line}));
  }
  CHECK(rrsets.size_bytes() < 10'000 * 30);
}

TEST_CASE("rrsets: there is a largest size", "[zones][rrsets]") {
  constexpr std::size_t record_bytes = 1 + 2 + 8 + 4;  // of one label of one letter, and "data"
  const auto count_in = [](std::size_t bytes) {
    RRsets rrsets(apex, bytes);
    std::size_t count = 0;
    while (rrsets.add(name("a"), static_cast<std::uint16_t>(count), 300, "data")) ++count;
    CHECK(rrsets.record_count() == count);
    rrsets.sort();
    CHECK(rrsets.count() == count);
    return count;
  };
  CHECK(count_in(3 * record_bytes - 1) == 2);
  CHECK(count_in(3 * record_bytes) == 3);
  CHECK(count_in(3 * record_bytes + 1) == 3);
}

TEST_CASE("rrsets: moved and copied they are the same", "[zones][rrsets]") {
  RRsets first = rrsets_of({{"@", 6}, {"a", 1}});
  const Lines lines = lines_of(first);
  RRsets copy = first;
  RRsets moved = std::move(first);
  CHECK(lines_of(moved) == lines);
  CHECK(moved.begin()->all == &moved);
  CHECK(lines_of(copy) == lines);
  CHECK(copy.begin()->all == &copy);
  CHECK_FALSE(*copy.begin() == *moved.begin());
  moved = RRsets(apex);
  CHECK(moved.empty());
  CHECK(lines_of(copy) == lines);
}

struct Added {
  Name owner;
  std::uint16_t type;
  std::uint32_t ttl;
  std::string rdata;
};

/// Few names, types and data, so that they meet each other often.
std::vector<Added> random_records(std::mt19937& random) {
  static const std::array labels = {"a", "b", "aa", "*", "\\000", "\\255", "\\001a", "x\\001b"};
  const auto below = [&](std::size_t bound) { return random() % bound; };
  std::vector<Added> records;
  const std::size_t count = below(60);
  for (std::size_t i = 0; i < count; ++i) {
    std::string owner = "@";
    for (std::size_t depth = below(4); depth > 0; --depth) {
      const std::string label = labels[below(labels.size())];
      owner = owner == "@" ? label : label + "." + owner;
    }
    records.push_back({name(owner), static_cast<std::uint16_t>(1 + below(3)),
                       static_cast<std::uint32_t>(below(4)), std::string(below(3), 'r')});
  }
  return records;
}

TEST_CASE("rrsets: a plain map agrees", "[zones][rrsets][random]") {
  std::mt19937 random(11);
  for (int turn = 0; turn < 300; ++turn) {
    CAPTURE(turn);
    struct Set {
      std::uint32_t ttl = 0;
      std::vector<std::string> rdata;
    };
    std::map<std::pair<std::string, std::uint16_t>, Set> twin;  // by the labels before the apex
    RRsets rrsets(apex);
    rrsets.reserve(random() % 100);
    for (const Added& added : random_records(random)) {
      REQUIRE(rrsets.add(added.owner, added.type, added.ttl, added.rdata));
      const std::string& wire = added.owner.wire();
      const auto [at, is_new] = twin.try_emplace(
          {wire.substr(0, wire.size() - apex.wire().size()), added.type}, Set{added.ttl, {}});
      at->second.ttl = std::min(at->second.ttl, added.ttl);
      auto& data = at->second.rdata;
      if (std::ranges::find(data, added.rdata) == data.end()) data.push_back(added.rdata);
    }
    rrsets.sort();

    REQUIRE(rrsets.count() == twin.size());
    auto set = rrsets.begin();
    std::size_t position = 0;
    for (const auto& [key, expected] : twin) {
      const auto& [labels, type] = key;
      CHECK(set->labels() == labels);
      CHECK(set->type == type);
      CHECK(set->ttl == expected.ttl);
      CHECK(set->first == position);
      CHECK(std::ranges::equal(set->rdata(), expected.rdata));
      const Name owner = Name::below(labels, apex);
      CHECK(set->owner() == owner);
      CHECK(rrsets.find(owner, type) == *set);
      const auto of_owner = [&](const auto& other) { return other.first.first == labels; };
      const auto sets_of_owner = std::ranges::count_if(twin, of_owner);
      const std::size_t begin = rrsets.find_owner(owner);
      CHECK(begin <= position);
      const RRset last = rrsets.at(rrsets.owner_end(begin) - 1, rrsets.owner_end(begin));
      CHECK(last.labels() == labels);
      CHECK(std::ranges::count_if(rrsets, [&](const RRset& one) { return one.is_at(owner); }) ==
            sets_of_owner);
      position += set->count;
      ++set;
    }
    CHECK(position == rrsets.record_count());
    CHECK(set == rrsets.end());
  }
}

TEST_CASE("rrsets: in any order of adding they come out the same", "[zones][rrsets][random]") {
  std::mt19937 random(12);
  std::vector<std::uint32_t> numbers(2000);
  for (std::uint32_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
  const auto lines = [&] {
    RRsets rrsets(apex);
    for (const std::uint32_t number : numbers) {
      CHECK(rrsets.add(name(fmt::format("h{:05}", number)), 1, number, "addr"));
    }
    rrsets.sort();
    return lines_of(rrsets);
  };
  const Lines expected = lines();
  for (int turn = 0; turn < 10; ++turn) {
    if (turn < 8) {  // a few runs that are in order
      std::ranges::rotate(numbers, numbers.begin() + static_cast<std::ptrdiff_t>(random() % 2000));
    } else {
      std::ranges::shuffle(numbers, random);
    }
    CHECK(lines() == expected);
  }
}

}  // namespace
}  // namespace demarc::zones
