#include "dns/sticky_draw.h"

#include <array>
#include <cmath>
#include <vector>

#include <catch2/catch.hpp>

#include "dns/random.h"

using namespace demarc;
using namespace demarc::dns;

namespace {

const std::vector<std::uint64_t> hashes = {spread_bits(11), spread_bits(22), spread_bits(33),
                                           spread_bits(44)};

std::uint16_t drawn(std::uint64_t client, const std::vector<std::uint16_t>& weights,
                    std::size_t without = 99) {
  return draw_sticky(client, std::span(hashes).first(weights.size()), weights,
                     [&](std::uint16_t place) { return place == without; })
      .value();
}

StickyClient client(const char* prefix) { return sticky_client(geo::parse_prefix(prefix).value()); }

}  // namespace

TEST_CASE("sticky: lateness is the logarithm", "[dns][sticky]") {
  Random random(5);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t hash = random.next() >> (random.next() % 64);
    const double expected =
        (64 - std::log2(std::max<double>(static_cast<double>(hash), 1))) * (1 << 20);
    const double found = sticky_lateness(hash);
    if (std::abs(found - expected) > 8) FAIL(hash << ": " << found << ", not " << expected);
  }
  CHECK(sticky_lateness(0) == 64U << 20);
  CHECK(sticky_lateness(~std::uint64_t{0}) == 1);
}

TEST_CASE("sticky: over many clients each record has its weight's share", "[dns][sticky]") {
  const std::vector<std::uint16_t> weights = {100, 300, 1, 599};
  std::array<double, 4> count{};
  constexpr int clients = 400'000;
  Random random(1);
  for (int i = 0; i < clients; ++i) count[drawn(spread_bits(random.next()), weights)] += 1;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    CAPTURE(i);
    const double expected = clients * weights[i] / 1000.0;
    CHECK(std::abs(count[i] - expected) < 5 * std::sqrt(expected));
  }
}

TEST_CASE("sticky: a change moves nobody who need not move", "[dns][sticky]") {
  const std::vector<std::uint16_t> weights = {100, 300, 50, 550}, heavier = {100, 300, 200, 550};
  Random random(2);
  int moved = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t hash = spread_bits(random.next());
    const std::uint16_t before = drawn(hash, weights);
    if (before != 1) CHECK(drawn(hash, weights, 1) == before);  // a record of others goes
    const std::uint16_t after = drawn(hash, heavier);
    if (after == before) continue;
    ++moved;
    CHECK(after == 2);  // only towards what grew
  }
  CHECK(moved > 0);
}

TEST_CASE("sticky: nothing is drawn of records that are all taken", "[dns][sticky]") {
  const std::array<std::uint16_t, 1> weight{7};
  CHECK_FALSE(
      draw_sticky(1, std::span(hashes).first(1), weight, [](std::uint16_t) { return true; }));
}

TEST_CASE("sticky: clients of one network are one, within its family", "[dns][sticky]") {
  struct Row {
    const char* name;
    const char* one;
    const char* other;
    bool is_same;
    unsigned length;
  };
  const auto row = GENERATE(values<Row>({
      {"IPv4, 24 bits", "192.0.2.1", "192.0.2.254", true, 24},
      {"the next network", "192.0.2.1", "192.0.3.1", false, 24},
      {"a resolver that says less", "192.0.0.0/20", "192.0.0.0/20", true, 20},
      {"IPv6, 56 bits", "2001:db8:1:2::1", "2001:db8:1:ff::1", true, 56},
      {"the next site", "2001:db8:1:2::1", "2001:db8:1:100::1", false, 56},
      {"an IPv4 address in IPv6", "::ffff:192.0.2.1", "64:ff9b::192.0.2.77", true, 120},
      {"IPv4 is not the IPv6 of the same bits", "32.1.13.184", "2001:db8::", false, 24},
      {"nothing is said", "0.0.0.0/0", "0.0.0.0/0", true, 0},
  }));
  CAPTURE(row.name);
  CHECK((client(row.one).hash == client(row.other).hash) == row.is_same);
  CHECK(client(row.one).length == row.length);
}
