// Answers that a client keeps: weighted rendezvous hashing of its network and the records, so that
// a record that goes moves its own clients alone and one that comes takes its share from all.
// dns/steered_answers.cpp draws with it where a service is `sticky: client`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "geo/base/address.h"
#include "geo/base/spread.h"

namespace demarc::dns {

/// Longer prefixes are one client's: a household or a site moves about in these (RFC 7871 §11.1).
inline constexpr unsigned sticky_ipv4_bits = 24;
inline constexpr unsigned sticky_ipv6_bits = 56;

/// Whose answers are the same. The hash is the same on every node.
struct StickyClient {
  std::uint64_t hash = 0;
  std::uint8_t length = 0;  // of the network, bits: as long is an answer's ECS scope at least
};

/// The first 24 or 56 bits of what the query says of the client, or all that it says if that is
/// less. An address that embeds an IPv4 one (geo::embedded_ipv4) counts as that; `length` still
/// counts from the front. Allocates nothing.
[[nodiscard]] StickyClient sticky_client(const geo::Prefix& client) noexcept;

/// The index that a client gets: i with chance weights[i] / their sum over all clients. `hashes`
/// are the records', spread over 64 bits; as many as weights, each above zero. `is_taken` says
/// which are out of the question; nothing if all are. Some 10 ns a record.
template <typename IsTaken>
[[nodiscard]] std::optional<std::uint16_t> draw_sticky(std::uint64_t client,
                                                       std::span<const std::uint64_t> hashes,
                                                       std::span<const std::uint16_t> weights,
                                                       IsTaken&& is_taken) noexcept;

/// -log2 of a hash as a fraction of 2^64, in units of 2^-20: 1 to 64 * 2^20, to a few units.
/// Divided by a weight it is how late a record comes to take a client; the earliest does.
[[nodiscard]] std::uint32_t sticky_lateness(std::uint64_t hash) noexcept;

template <typename IsTaken>
std::optional<std::uint16_t> draw_sticky(std::uint64_t client,
                                         std::span<const std::uint64_t> hashes,
                                         std::span<const std::uint16_t> weights,
                                         IsTaken&& is_taken) noexcept {
  std::optional<std::uint16_t> first;
  std::uint64_t first_lateness = 0, first_weight = 1;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto place = static_cast<std::uint16_t>(i);
    if (is_taken(place)) continue;
    const std::uint64_t lateness = sticky_lateness(spread_bits(client ^ hashes[i]));
    // lateness / weight compared without dividing: at most 2^26 times 2^16.
    if (first && lateness * first_weight >= first_lateness * weights[i]) continue;
    first = place;
    first_lateness = lateness;
    first_weight = weights[i];
  }
  return first;
}

}  // namespace demarc::dns
