// Response rate limiting: answers over UDP to one network are bounded, so that queries with a
// forged source do not make us an amplifier. dns/responder.h asks before it looks anything up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "geo/base/address.h"

namespace demarc::dns {

/// How answers are limited; the defaults are off.
struct RateLimit {
  std::uint32_t per_second = 0;  // answers to one network, over all threads; 0: no limit
  std::uint32_t slip = 2;        // every n-th answer above it goes out truncated, so that a real
                                 // client can come back over TCP; 0: none, 1: all
  unsigned ipv4_prefix = 24;     // bits that make a network, 1 to 32
  unsigned ipv6_prefix = 56;     // 1 to 64
  bool is_dry_run = false;       // counts what it would do, and answers
  std::vector<geo::Prefix> exempt;
};

enum class RateDecision : std::uint8_t { answer, truncate, drop };

/// One query thread's. Its memory is fixed: of more networks than it has places for, those that
/// were silent longest are forgotten, which lets them send more, never less.
class RateLimiter {
 public:
  static constexpr std::size_t places = 65'536;

  /// `threads` share the limit evenly: the kernel spreads a network's ports over all of them.
  /// `seed` is secret: who knows it could make networks collide.
  RateLimiter(const RateLimit& limit, unsigned threads, std::uint64_t seed);

  /// Accounts for one answer. Allocates nothing. `now_ms` is monotonic.
  [[nodiscard]] RateDecision account(const geo::Address& client, std::int64_t now_ms) noexcept;

  [[nodiscard]] bool is_dry_run() const noexcept { return limit_.is_dry_run; }

 private:
  // GCRA: the time at which everything answered so far would have been due at the allowed rate. As
  // long as one more does not put it more than a second ahead of now, it may go out at once.
  struct Place {
    std::int64_t due_us = 0;
    std::uint32_t tag = 0;   // of the network; 0: free
    std::uint32_t over = 0;  // answers above the limit since it was last below
  };
  static constexpr std::size_t ways = 4;

  [[nodiscard]] bool is_exempt(const geo::Address& client) const noexcept;
  [[nodiscard]] std::uint64_t hash_of(const geo::Address& client) const noexcept;
  [[nodiscard]] Place& place_of(std::uint64_t hash) noexcept;

  RateLimit limit_;
  std::int64_t interval_us_ = 0;  // between two answers at the allowed rate
  std::array<std::uint8_t, 16> key_{};
  std::vector<Place> places_;
};

}  // namespace demarc::dns
