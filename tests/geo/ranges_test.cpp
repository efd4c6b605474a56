#include "geo/ranges.h"

#include <catch2/catch.hpp>
#include <random>

namespace demarc::geo {
namespace {

std::uint32_t the_winner(std::uint32_t winner, std::uint32_t) { return winner; }

TEST_CASE("ranges: a range is cut into its fewest prefixes", "[geo][ranges]") {
  const auto cut = [](Key4 first, Key4 last) {
    std::string text;
    for_each_block(first, last, [&](Key4 start, unsigned length) {
      text += to_text(Prefix{address_of(start), static_cast<std::uint8_t>(length)}) + " ";
    });
    return text;
  };
  CHECK(cut(0, key_max<Key4>) == "0.0.0.0/0 ");
  CHECK(cut(5, 5) == "0.0.0.5/32 ");
  CHECK(cut(1, 8) == "0.0.0.1/32 0.0.0.2/31 0.0.0.4/30 0.0.0.8/32 ");
  CHECK(cut(0, key_max<Key4> - 1).ends_with("255.255.255.252/31 255.255.255.254/32 "));
  CHECK(cut(key_max<Key4>, key_max<Key4>) == "255.255.255.255/32 ");
  CHECK(block_length<Key6>(0, key_max<Key6>) == 0);
  CHECK(block_length<Key6>(key6(1, 0), key_max<Key6>) == 64);
  CHECK(block_length<Key6>(0, key6(0, 0xffff)) == 112);
}

TEST_CASE("ranges: the narrowest wins, of equal ones the first", "[geo][ranges]") {
  const auto map = overlaid<Key4>({{0, 99, 1}, {10, 19, 2}, {10, 19, 3}, {15, 40, 4}}, the_winner);
  REQUIRE(map);
  CHECK(map->starts == std::vector<Key4>{0, 10, 20, 41, 100});
  CHECK(map->values == std::vector<std::uint32_t>{1, 2, 4, 1, 0});
}

TEST_CASE("ranges: all that cover an address are combined, the narrowest first", "[geo][ranges]") {
  const auto digits = [](std::uint32_t winner, std::uint32_t loser) { return winner * 10 + loser; };
  const auto map = overlaid<Key4>({{0, key_max<Key4>, 1}, {10, 19, 2}, {12, 13, 3}}, digits);
  REQUIRE(map);
  CHECK(map->find(9) == 1);
  CHECK(map->find(10) == 21);
  CHECK(map->find(12) == 321);
  CHECK(map->find(key_max<Key4>) == 1);
}

TEST_CASE("ranges: overlaid agrees with a linear scan", "[geo][ranges]") {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<Range<Key4>> ranges;
    for (std::uint32_t i = 1; i <= 12; ++i) {
      const Key4 first = random() % 64;
      ranges.push_back({first, first + static_cast<Key4>(random() % 32), i});
    }
    const auto map = overlaid(ranges, the_winner);
    REQUIRE(map);
    for (Key4 key = 0; key < 100; ++key) {
      // The twin: of equally narrow ranges the one that starts first, then the one listed first.
      const Range<Key4>* best = nullptr;
      for (const Range<Key4>& range : ranges) {
        if (key < range.first || key > range.last) continue;
        const bool wins = best == nullptr || std::pair(range.last - range.first, range.first) <
                                                 std::pair(best->last - best->first, best->first);
        if (wins) best = &range;
      }
      REQUIRE(map->find(key) == (best == nullptr ? 0 : best->value));
    }
  }
}

TEST_CASE("ranges: so many may overlap, and no more", "[geo][ranges]") {
  std::vector<Range<Key4>> ranges;
  for (Key4 i = 0; i < overlap_max; ++i) ranges.push_back({i, 10'000 - i, i + 1});
  CHECK(overlaid(ranges, the_winner));
  ranges.push_back({overlap_max, 5'000, 1});
  CHECK_FALSE(overlaid(ranges, the_winner));
}

TEST_CASE("ranges: two maps become one", "[geo][ranges]") {
  const auto a = overlaid<Key6>({{2, 5, 1}}, the_winner);
  const auto b = overlaid<Key6>({{4, 8, 2}}, the_winner);
  const auto both = combined(*a, *b, [](std::uint32_t x, std::uint32_t y) { return x * 10 + y; });
  CHECK(both.values == std::vector<std::uint32_t>{0, 10, 12, 2, 0});
  CHECK(both.find(4) == 12);
  CHECK(both.find(key_max<Key6>) == 0);
}

}  // namespace
}  // namespace demarc::geo
