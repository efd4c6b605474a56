// What a query thread owns: its random numbers, its counters, the time of its batch.
// dns/responder.h uses one per call; dns/server.h sums the counters of all.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dns/random.h"
#include "dns/rate_limit.h"
#include "dns/steered_answers.h"
#include "dns/transfer_stream.h"
#include "dns/wire.h"

namespace demarc::dns {

enum class Transport : std::uint8_t { udp, tcp, tls };

[[nodiscard]] constexpr bool is_stream(Transport transport) noexcept {
  return transport != Transport::udp;
}

/// Both clocks as a batch sees them, in milliseconds; may lag behind by clock_lag_max_ms.
struct Now {
  std::int64_t wall_ms = 0;
  std::int64_t monotonic_ms = 0;
};

/// The coarse clocks tick at 100 Hz at least, and a batch takes far less than that.
inline constexpr std::int64_t clock_lag_max_ms = 10;

inline constexpr std::size_t rcode_count = 24;

/// A sum over threads, or one thread's share of it.
struct CounterValues {
  std::uint64_t udp_queries = 0;
  std::uint64_t tcp_queries = 0;
  std::array<std::uint64_t, rcode_count> by_rcode{};
  std::uint64_t dropped = 0;         // no answer: too short, or a response
  std::uint64_t truncated = 0;       // answered with TC
  std::uint64_t steered = 0;         // drawn from a service's records
  std::uint64_t fenced = 0;          // a grant had ended when the query came
  std::uint64_t rate_dropped = 0;    // by the rate limit, or would be in a dry run
  std::uint64_t rate_truncated = 0;  // likewise
  std::uint64_t send_failures = 0;
  std::uint64_t tcp_connections = 0;  // accepted
  std::uint64_t tls_connections = 0;  // of them, with TLS
  std::uint64_t tcp_refused = 0;      // closed at once: the client has too many
  std::uint64_t tcp_evicted = 0;      // idle ones that made room
  std::uint64_t tcp_timeouts = 0;
  std::uint64_t transfers = 0;           // of whole zones, begun
  std::uint64_t transfers_finished = 0;  // of them, taken by the client to the end
  std::uint64_t transfers_refused = 0;
  std::uint64_t tsig_errors = 0;  // signatures that do not hold

  CounterValues& operator+=(const CounterValues& other) noexcept;
};

/// A number that one thread writes and any may read.
class Counter {
 public:
  void add(std::uint64_t count = 1) noexcept {
    value_.store(value() + count, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct Counters {
  Counter udp_queries;
  Counter tcp_queries;
  std::array<Counter, rcode_count> by_rcode;
  Counter dropped;
  Counter truncated;
  Counter steered;
  Counter fenced;
  Counter rate_dropped;
  Counter rate_truncated;
  Counter send_failures;
  Counter tcp_connections;
  Counter tls_connections;
  Counter tcp_refused;
  Counter tcp_evicted;
  Counter tcp_timeouts;
  Counter transfers;
  Counter transfers_finished;
  Counter transfers_refused;
  Counter tsig_errors;

  [[nodiscard]] CounterValues values() const noexcept;
};

[[nodiscard]] inline bool is_proxy(const std::vector<geo::Prefix>& peers,
                                   const geo::Address& client) noexcept {
  for (const geo::Prefix& peer : peers) {
    if (peer.contains(client)) return true;
  }
  return false;
}

/// On cache lines of its own.
struct alignas(64) Worker {
  explicit Worker(std::uint64_t seed) noexcept : random(seed) {}

  Random random;
  Now now;
  Counters counters;
  std::optional<RateLimiter> limiter;    // nothing: no limit
  std::vector<geo::Prefix> proxy_peers;  // who speaks for others (dns/proxy_header.h)
  DrawMemory draw_memory;
  Drawn drawn;
  unsigned transfer_places = 0;             // how many more transfers may begin
  std::optional<TransferRequest> transfer;  // what the last answer granted, to be taken
  bool is_spoken_for = false;   // the next query's client is whom a proxy named; set by the loops
  std::int64_t geo_second = 0;  // of the monotonic clock
  unsigned geo_lookups = 0;     // in that second (dns/local_names.h)
};

}  // namespace demarc::dns
