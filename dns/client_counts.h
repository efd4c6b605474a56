// How many TCP connections each client holds, so that one client does not take all places.
// dns/tcp_connections.h keeps it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "geo/base/address.h"

namespace demarc::dns {

/// A client is an IPv4 address or an IPv6 /64: who has one address of that has them all. Allocates
/// when it is made, nothing later; each call costs the same however many clients there are. One
/// thread.
class ClientCounts {
 public:
  /// For at most `connections` at once. `seed` is secret: who knows it could make clients collide.
  ClientCounts(std::size_t connections, std::uint64_t seed);

  /// One more. Precondition: there are fewer than `connections`.
  void add(const geo::Address& client) noexcept;
  /// One less. Precondition: it was added.
  void remove(const geo::Address& client) noexcept;
  [[nodiscard]] std::size_t of(const geo::Address& client) const noexcept;

 private:
  struct Place {
    std::uint64_t client = 0;  // its first bytes
    std::uint32_t count = 0;   // 0: free
    geo::Family family = geo::Family::ipv4;
  };

  [[nodiscard]] std::size_t home_of(const Place& client) const noexcept;
  /// Where the client is, or where it belongs: then that place is free.
  [[nodiscard]] std::size_t find(const Place& client) const noexcept;
  [[nodiscard]] std::size_t after(std::size_t at) const noexcept;

  std::uint64_t seed_;
  std::vector<Place> places_;  // a power of two, at least half of them free; linear probing
};

}  // namespace demarc::dns
