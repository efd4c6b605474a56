// Connections counted by client, against a map.
#include "dns/client_counts.h"

#include <map>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace demarc::dns {
namespace {

geo::Address address(const std::string& text) { return *geo::parse_address(text); }

TEST_CASE("client counts: an IPv4 address is a client, and an IPv6 /64", "[dns][tcp]") {
  ClientCounts counts(8, 1);
  counts.add(address("192.0.2.1"));
  counts.add(address("192.0.2.1"));
  counts.add(address("2001:db8::1"));
  CHECK(counts.of(address("192.0.2.1")) == 2);
  CHECK(counts.of(address("192.0.2.2")) == 0);
  CHECK(counts.of(address("2001:db8::ffff")) == 1);
  CHECK(counts.of(address("2001:db8:0:1::1")) == 0);
  counts.remove(address("192.0.2.1"));
  counts.remove(address("2001:db8::2"));
  CHECK(counts.of(address("192.0.2.1")) == 1);
  CHECK(counts.of(address("2001:db8::1")) == 0);
}

TEST_CASE("client counts: the same bytes in another family are somebody else", "[dns][tcp]") {
  ClientCounts counts(8, 1);
  counts.add(address("0.0.0.1"));
  CHECK(counts.of(address("0:0:0:1::")) == 0);
}

TEST_CASE("client counts: right after any comings and goings, with all places taken",
          "[dns][tcp]") {
  constexpr std::size_t connections = 64;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    ClientCounts counts(connections, seed);
    std::map<std::string, std::size_t> plain;
    std::vector<std::string> open;
    for (int step = 0; step < 2000; ++step) {
      const bool opens = open.size() < connections && (open.empty() || random() % 5 < 3);
      if (opens) {
        const auto number = std::to_string(random() % 100);
        open.push_back(random() % 2 == 0 ? "192.0.2." + number : "2001:db8:0:" + number + "::1");
        counts.add(address(open.back()));
        ++plain[open.back()];
      } else {
        std::swap(open[random() % open.size()], open.back());
        counts.remove(address(open.back()));
        --plain[open.back()];
        open.pop_back();
      }
      if (step % 50 != 0) continue;
      for (const auto& [client, count] : plain) REQUIRE(counts.of(address(client)) == count);
    }
  }
}

}  // namespace
}  // namespace demarc::dns
