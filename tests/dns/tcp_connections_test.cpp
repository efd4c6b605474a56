// The places of TCP clients: who is timed out and who is evicted, against all of them looked at.
#include "dns/tcp_connections.h"

#include <algorithm>
#include <optional>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

namespace demarc::dns {
namespace {

using namespace std::chrono_literals;

const geo::Address client = *geo::parse_address("192.0.2.1");

TcpLimits small_limits() {
  TcpLimits limits;
  limits.connections = 16;
  limits.connections_per_client = 3;
  limits.idle = 100ms;
  limits.message = 20ms;
  limits.write = 30ms;
  limits.transfer = 60ms;
  return limits;
}

bool is_late(const TcpConnection& c, const TcpLimits& limits, std::int64_t now) {
  const auto over = [&](std::int64_t since, std::chrono::milliseconds limit) {
    return since != TcpConnection::not_waiting && now - since >= limit.count();
  };
  return over(c.active_ms, limits.idle) || over(c.message_since_ms, limits.message) ||
         over(c.blocked_since_ms, limits.write) || over(c.transfer_since_ms, limits.transfer);
}

struct Places {
  explicit Places(std::uint64_t seed) : random(seed) {}

  void happens() {
    now += static_cast<std::int64_t>(random() % 4);
    if (open.empty() || (!connections.is_full() && random() % 4 == 0)) {
      open.push_back(*connections.take(1, client, now));
      return;
    }
    const ConnectionId id = open[random() % open.size()];
    TcpConnection& connection = connections.at(id);
    connections.begin_reading(id);
    const auto now_or_not = [&] { return random() % 2 == 0 ? now : TcpConnection::not_waiting; };
    switch (random() % 5) {
      case 0:
        connections.give_back(id);
        std::erase(open, id);
        return;
      case 1:
        connection.message_since_ms = now_or_not();
        break;
      case 2:
        connection.blocked_since_ms = now_or_not();
        break;
      case 3:
        connection.transfer_since_ms = now_or_not();
        break;
      default:
        connections.set_active(id, now);
    }
    connections.end_reading(id);
  }

  std::mt19937_64 random;
  TcpLimits limits = small_limits();
  TcpConnections connections{limits, 1};
  std::vector<ConnectionId> open;
  std::int64_t now = 1000;
};

TEST_CASE("tcp places: whose time is over, and who was silent longest", "[dns][tcp]") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Places places(seed);
    for (int step = 0; step < 1000; ++step) {
      places.happens();
      const auto longest = places.connections.longest_idle();
      REQUIRE(longest.has_value() == !places.open.empty());
      for (const ConnectionId id : places.open) {
        REQUIRE(places.connections.at(*longest).active_ms <= places.connections.at(id).active_ms);
      }
      if (places.random() % 8 != 0) continue;
      std::vector<ConnectionId> late;
      for (const ConnectionId id : places.open) {
        if (is_late(places.connections.at(id), places.limits, places.now)) late.push_back(id);
      }
      const auto found = places.connections.expired(places.now);
      std::vector<ConnectionId> expired(found.begin(), found.end());
      std::ranges::sort(late);
      std::ranges::sort(expired);
      REQUIRE(expired == late);
      for (const ConnectionId id : expired) {
        places.connections.give_back(id);
        std::erase(places.open, id);
      }
    }
  }
}

TEST_CASE("tcp places: each client has its share of them", "[dns][tcp]") {
  TcpConnections connections(small_limits(), 1);
  std::vector<ConnectionId> ids;
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(connections.has_too_many(client));
    ids.push_back(*connections.take(1, client, 0));
  }
  CHECK(connections.has_too_many(client));
  const geo::Address other = *geo::parse_address("192.0.2.2");
  CHECK_FALSE(connections.has_too_many(other));
  connections.set_client(ids[0], other);  // a proxy's, as its header says
  CHECK_FALSE(connections.has_too_many(client));
  connections.give_back(ids[1]);
  CHECK(connections.take(1, client, 0));
  CHECK_FALSE(connections.has_too_many(client));
}

TEST_CASE("tcp places: what came of a query is there when the rest comes", "[dns][tcp]") {
  TcpConnections connections(small_limits(), 1);
  const ConnectionId first = *connections.take(1, client, 0);
  const ConnectionId second = *connections.take(1, client, 0);
  const auto read = [&](ConnectionId id, std::uint8_t byte) {
    connections.begin_reading(id);
    connections.in()[connections.at(id).in_size++] = byte;
    connections.end_reading(id);
  };
  read(first, 1);
  read(second, 7);
  read(first, 2);
  connections.begin_reading(first);
  REQUIRE(connections.at(first).in_size == 2);
  CHECK(connections.in()[0] == 1);
  CHECK(connections.in()[1] == 2);
  connections.begin_reading(second);
  CHECK(connections.in()[0] == 7);
}

}  // namespace
}  // namespace demarc::dns
