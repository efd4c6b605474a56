#include "zones/rendezvous.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <numeric>

#include "geo/base/spread.h"

namespace demarc::zones {
namespace {

constexpr unsigned fraction_bits = 24;

std::uint64_t first_eight(const Sha256& digest) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | digest[i];
  return value;
}

/// lateness / weight, compared without dividing: at most 2^31 times 2^26.
struct Arrival {
  std::uint64_t lateness = 0;
  std::uint64_t weight = 1;
  [[nodiscard]] bool is_before(const Arrival& other) const noexcept {
    return lateness * other.weight < other.lateness * weight;
  }
};

Arrival arrival(std::uint64_t tenant, const Candidate& candidate) noexcept {
  return {lateness(tenant, candidate.hash), candidate.weight};
}

}  // namespace

std::uint64_t region_hash(std::string_view region) { return first_eight(sha256(region)); }

std::uint64_t tenant_hash(Sha256Stream& stream, std::string_view service, std::string_view tenant) {
  stream.add(service);
  stream.add("/");
  stream.add(tenant);
  return first_eight(stream.finish());
}

std::uint32_t lateness(std::uint64_t tenant, std::uint64_t region) noexcept {
  const std::uint64_t hash = std::max<std::uint64_t>(spread_bits(tenant ^ region), 1);
  const auto zeros = static_cast<unsigned>(std::countl_zero(hash));
  return ((zeros + 1) << fraction_bits) - log2_fraction(hash << zeros >> 32, fraction_bits);
}

std::vector<std::size_t> rank(std::uint64_t tenant, std::span<const Candidate> candidates) {
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return arrival(tenant, candidates[a]).is_before(arrival(tenant, candidates[b]));
  });
  return order;
}

TopTwo top_two(std::uint64_t tenant, std::span<const Candidate> candidates) noexcept {
  assert(!candidates.empty());
  TopTwo top;
  Arrival first = arrival(tenant, candidates[0]);
  Arrival second;
  for (std::size_t i = 1; i < candidates.size(); ++i) {
    const Arrival next = arrival(tenant, candidates[i]);
    if (next.is_before(first)) {
      second = first;
      top.second = top.first;
      first = next;
      top.first = i;
    } else if (i == 1 || next.is_before(second)) {
      second = next;
      top.second = i;
    }
  }
  return top;
}

}  // namespace demarc::zones
