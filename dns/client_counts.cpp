#include "dns/client_counts.h"

#include <bit>
#include <cassert>

#include "geo/base/spread.h"

namespace demarc::dns {

namespace {

constexpr std::size_t ipv4_size = 4;
constexpr std::size_t ipv6_counted_size = 8;

std::uint64_t first_bytes(const geo::Address& address) noexcept {
  const std::size_t size = address.family == geo::Family::ipv4 ? ipv4_size : ipv6_counted_size;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | address.bytes[i];
  return value;
}

}  // namespace

ClientCounts::ClientCounts(std::size_t connections, std::uint64_t seed)
    : seed_(seed), places_(std::bit_ceil(2 * connections + 1)) {}

std::size_t ClientCounts::home_of(const Place& client) const noexcept {
  return spread_bits(client.client ^ seed_) & (places_.size() - 1);
}

std::size_t ClientCounts::after(std::size_t at) const noexcept {
  return (at + 1) & (places_.size() - 1);
}

std::size_t ClientCounts::find(const Place& client) const noexcept {
  std::size_t at = home_of(client);
  while (places_[at].count != 0 &&
         (places_[at].client != client.client || places_[at].family != client.family)) {
    at = after(at);
  }
  return at;
}

void ClientCounts::add(const geo::Address& client) noexcept {
  Place wanted{first_bytes(client), 0, client.family};
  Place& place = places_[find(wanted)];
  wanted.count = place.count + 1;
  place = wanted;
}

void ClientCounts::remove(const geo::Address& client) noexcept {
  std::size_t hole = find({first_bytes(client), 0, client.family});
  assert(places_[hole].count != 0);
  if (--places_[hole].count != 0) return;
  // Who had to go further because this place was taken moves up, so that no search ends early.
  for (std::size_t at = after(hole); places_[at].count != 0; at = after(at)) {
    const std::size_t mask = places_.size() - 1;
    const std::size_t way = (at - home_of(places_[at])) & mask;
    if (way < ((at - hole) & mask)) continue;
    places_[hole] = places_[at];
    places_[at].count = 0;
    hole = at;
  }
}

std::size_t ClientCounts::of(const geo::Address& client) const noexcept {
  return places_[find({first_bytes(client), 0, client.family})].count;
}

}  // namespace demarc::dns
