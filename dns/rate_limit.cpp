#include "dns/rate_limit.h"

#include <algorithm>
#include <cstring>

#include <sodium/crypto_shorthash_siphash24.h>

#include "dns/random.h"

namespace demarc::dns {

namespace {

constexpr std::int64_t burst_us = 1'000'000;
constexpr std::size_t network_size_max = 8;  // bytes: an IPv6 /64 at most

}  // namespace

RateLimiter::RateLimiter(const RateLimit& limit, unsigned threads, std::uint64_t seed)
    : limit_(limit), places_(places) {
  const std::int64_t rate = std::max<std::int64_t>(limit.per_second / std::max(threads, 1U), 1);
  interval_us_ = std::max<std::int64_t>(burst_us / rate, 1);
  Random random(seed);
  for (std::size_t at = 0; at < key_.size(); at += 8) {
    const std::uint64_t bits = random.next();
    std::memcpy(key_.data() + at, &bits, sizeof(bits));
  }
}

RateDecision RateLimiter::account(const geo::Address& client, std::int64_t now_ms) noexcept {
  if (is_exempt(client)) return RateDecision::answer;
  const std::int64_t now_us = now_ms * 1000;
  Place& place = place_of(hash_of(client));
  place.due_us = std::max(place.due_us, now_us);
  if (place.due_us + interval_us_ - now_us <= burst_us) {
    place.due_us += interval_us_;
    place.over = 0;
    return RateDecision::answer;
  }
  ++place.over;
  const bool slips = limit_.slip != 0 && place.over % limit_.slip == 0;
  return slips ? RateDecision::truncate : RateDecision::drop;
}

bool RateLimiter::is_exempt(const geo::Address& client) const noexcept {
  return std::ranges::any_of(limit_.exempt,
                             [&](const geo::Prefix& prefix) { return prefix.contains(client); });
}

std::uint64_t RateLimiter::hash_of(const geo::Address& client) const noexcept {
  const bool is_ipv4 = client.family == geo::Family::ipv4;
  const unsigned bits = is_ipv4 ? limit_.ipv4_prefix : limit_.ipv6_prefix;
  std::array<std::uint8_t, network_size_max + 1> network{};
  const std::size_t whole = bits / 8;
  std::copy_n(client.bytes.begin(), whole, network.begin());
  if (bits % 8 != 0) {
    network[whole] = static_cast<std::uint8_t>(client.bytes[whole] & (0xff00U >> (bits % 8)));
  }
  network.back() = is_ipv4 ? 4 : 6;
  std::uint64_t hash = 0;
  crypto_shorthash_siphash24(reinterpret_cast<unsigned char*>(&hash), network.data(),
                             network.size(), key_.data());
  return hash;
}

RateLimiter::Place& RateLimiter::place_of(std::uint64_t hash) noexcept {
  static_assert((places & (places - 1)) == 0 && places % ways == 0);
  const std::uint32_t tag = static_cast<std::uint32_t>(hash >> 32) | 1U;
  Place* const first = places_.data() + (hash & (places - 1) & ~(ways - 1));
  Place* oldest = first;
  for (Place* place = first; place != first + ways; ++place) {
    if (place->tag == tag) return *place;
    if (place->due_us < oldest->due_us) oldest = place;
  }
  *oldest = {.due_us = 0, .tag = tag, .over = 0};
  return *oldest;
}

}  // namespace demarc::dns
