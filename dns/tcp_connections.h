// The TCP clients of one loop: a fixed number of places, found by index, with what each needs to be
// timed out, evicted or continued. dns/tcp_loop.h moves the bytes.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dns/client_counts.h"
#include "dns/tls.h"
#include "geo/base/address.h"

namespace demarc::dns {

/// Slow readers and writers, and those who only hold places, must not lock others out.
struct TcpLimits {
  std::size_t connections = 1024;
  std::size_t connections_per_client = 64;      // per IPv4 address or IPv6 /64
  std::chrono::milliseconds idle{10'000};       // from the last answer
  std::chrono::milliseconds message{2'000};     // from a query's first byte to its last
  std::chrono::milliseconds write{5'000};       // from when the client stopped taking answers
  std::size_t transfers = 8;                    // of whole zones at once; each holds a snapshot
  std::chrono::milliseconds transfer{600'000};  // from its grant to its last byte
};

using ConnectionId = std::uint32_t;

struct TcpConnection {
  /// Longer queries than this are no queries of ours; the connection is closed.
  static constexpr std::size_t query_size_max = 4094;
  static constexpr std::int64_t not_waiting = -1;

  int socket = -1;  // -1: the place is free
  geo::Address client;
  std::uint32_t in_size =
      0;  // bytes in `in`: at most one query that is not complete, between reads
  std::int64_t active_ms = 0;
  std::int64_t message_since_ms = not_waiting;
  std::int64_t blocked_since_ms = not_waiting;
  std::int64_t transfer_since_ms = not_waiting;
  std::optional<std::uint32_t> transfer;  // the place of the one that goes on; no query is read
  std::optional<std::uint32_t> unsent;    // the buffer with the rest of the answers
  std::uint32_t unsent_at = 0;
  std::uint32_t unsent_size = 0;
  bool peer_has_finished = false;    // it sends no more, but reads on
  bool awaits_proxy_header = false;  // of a proxy that has not said yet whom it speaks for
  bool is_spoken_for = false;        // `client` is whom the proxy named
  bool waits_to_write = false;       // TLS wants to write before it can read on
  std::unique_ptr<TlsSession> tls;   // null: plain TCP
};

/// Allocates all places when it is made, nothing later. What a connection holds while it waits for
/// its next query is its place alone; the memory for a query that came in parts is touched by those
/// who send such.
class TcpConnections {
 public:
  /// `seed` is secret: who knows it could make clients collide.
  TcpConnections(const TcpLimits& limits, std::uint64_t seed);

  /// A free place; nothing if all are taken.
  [[nodiscard]] std::optional<ConnectionId> take(int socket, const geo::Address& client,
                                                 std::int64_t now_ms);
  void give_back(ConnectionId id);

  [[nodiscard]] TcpConnection& at(ConnectionId id) noexcept { return connections_[id]; }

  /// The bytes of the connection that is read now: the first `in_size` are what it has sent.
  [[nodiscard]] std::span<std::uint8_t> in() noexcept { return reading_; }
  /// Before a connection is read: what it has sent of a query comes into in().
  void begin_reading(ConnectionId id) noexcept;
  /// After it was read, or anything else was done for it: that is kept, and its times are watched.
  void end_reading(ConnectionId id) noexcept;

  /// It was answered at that time, the latest of all.
  void set_active(ConnectionId id, std::int64_t now_ms) noexcept;
  /// It speaks for this client from now on.
  void set_client(ConnectionId id, const geo::Address& client) noexcept;

  [[nodiscard]] bool is_full() const noexcept { return free_.empty(); }
  /// Whether a client has as many connections as it may.
  [[nodiscard]] bool has_too_many(const geo::Address& client) const noexcept;
  /// The one that has waited longest since its last answer; nothing if there is none.
  [[nodiscard]] std::optional<ConnectionId> longest_idle() const noexcept;
  /// Those whose time is over, each once; valid until the next call. It costs what those cost that
  /// are in the middle of something, not what all do.
  [[nodiscard]] std::span<const ConnectionId> expired(std::int64_t now_ms) noexcept;
  /// The next open one from `from` on.
  [[nodiscard]] std::optional<ConnectionId> next_open(ConnectionId from) const noexcept;

 private:
  using InBuffer = std::array<std::uint8_t, TcpConnection::query_size_max + 2>;
  struct Link {
    ConnectionId before = 0;
    ConnectionId after = 0;
  };

  void link_last(ConnectionId id) noexcept;
  void unlink(ConnectionId id) noexcept;

  TcpLimits limits_;
  std::vector<TcpConnection> connections_;
  ClientCounts clients_;
  /// A ring in the order of active_ms; its last place, `connections`, is the two ends.
  std::vector<Link> order_;
  std::unique_ptr<InBuffer[]> kept_;  // of each: untouched pages cost nothing
  InBuffer reading_{};
  /// All that may be in the middle of something, each once, and others that were.
  std::vector<ConnectionId> watched_;
  std::vector<bool> is_watched_;
  std::vector<ConnectionId> expired_;
  std::vector<ConnectionId> free_;
};

}  // namespace demarc::dns
