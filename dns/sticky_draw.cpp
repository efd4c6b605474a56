#include "dns/sticky_draw.h"

#include <algorithm>
#include <array>
#include <bit>

namespace demarc::dns {
namespace {

constexpr unsigned fraction_bits = 20;
constexpr unsigned index_bits = 8;
constexpr unsigned between_bits = 31 - index_bits;

/// log2(1 + i/256), and 1 at the end.
constexpr auto log2_table = [] {
  std::array<std::uint32_t, (1U << index_bits) + 1> table{};
  for (std::uint64_t i = 0; i < table.size() - 1; ++i) {
    table[i] = log2_fraction((std::uint64_t{1} << 31) + (i << between_bits), fraction_bits);
  }
  table.back() = 1U << fraction_bits;
  return table;
}();

std::uint64_t first_eight(const geo::Address& address) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | address.bytes[i];
  return value;
}

std::uint64_t last_eight(const geo::Address& address) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i < 16; ++i) value = value << 8 | address.bytes[i];
  return value;
}

/// `length` bits of a network, and the family, in 64 bits: none is longer than 56.
StickyClient hashed(std::uint64_t bits, unsigned length, std::uint64_t family, unsigned before) {
  const std::uint64_t kept = length == 0 ? 0 : bits & ~std::uint64_t{0} << (64 - length);
  return {spread_bits(kept ^ family), static_cast<std::uint8_t>(length + before)};
}

}  // namespace

std::uint32_t sticky_lateness(std::uint64_t hash) noexcept {
  hash = std::max<std::uint64_t>(hash, 1);
  const auto zeros = static_cast<unsigned>(std::countl_zero(hash));
  const std::uint64_t mantissa = hash << zeros << 1 >> 33;  // 31 bits after the leading one
  const auto index = static_cast<std::size_t>(mantissa >> between_bits);
  const std::uint64_t between = mantissa & ((1U << between_bits) - 1);
  const std::uint64_t step = log2_table[index + 1] - log2_table[index];
  const std::uint32_t log2 =
      log2_table[index] + static_cast<std::uint32_t>(step * between >> between_bits);
  return std::max<std::uint32_t>(((zeros + 1) << fraction_bits) - log2, 1);
}

StickyClient sticky_client(const geo::Prefix& client) noexcept {
  const geo::Address& address = client.address;
  if (address.family == geo::Family::ipv4) {
    return hashed(first_eight(address), std::min<unsigned>(client.length, sticky_ipv4_bits), 4, 0);
  }
  const auto embedded = geo::find_embedded_ipv4(first_eight(address), last_eight(address));
  if (embedded && client.length > embedded->offset) {
    const unsigned length = std::min<unsigned>(client.length - embedded->offset, sticky_ipv4_bits);
    return hashed(std::uint64_t{embedded->value} << 32, length, 4, embedded->offset);
  }
  return hashed(first_eight(address), std::min<unsigned>(client.length, sticky_ipv6_bits), 6, 0);
}

}  // namespace demarc::dns
