// Addresses as numbers: ranges of them, and the prefixes that make up a range.
// Private to geo/; geo/ranges.h makes maps of ranges.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "geo/base/address.h"

namespace demarc::geo {

/// An address as a number, host order. Both families go through the same code, by template.
using Key4 = std::uint32_t;
__extension__ typedef unsigned __int128 Key6;  // no `using`: -Wpedantic wants the mark in front

template <typename Key>
inline constexpr unsigned key_bits = sizeof(Key) * 8;
template <typename Key>
inline constexpr Key key_max = static_cast<Key>(~Key{0});

[[nodiscard]] constexpr Key6 key6(std::uint64_t high, std::uint64_t low) noexcept {
  return static_cast<Key6>(high) << 64 | low;
}

template <typename Key>
[[nodiscard]] constexpr Key key_of(const Address& address) noexcept {
  Key key = 0;
  for (std::size_t i = 0; i < sizeof(Key); ++i) {
    key = static_cast<Key>(key << 8 | address.bytes[i]);
  }
  return key;
}

[[nodiscard]] constexpr Address address_of(Key4 key) noexcept { return Address::ipv4(key); }
[[nodiscard]] constexpr Address address_of(Key6 key) noexcept {
  Address address{Family::ipv6, {}};
  for (std::size_t i = 16; i-- > 0; key >>= 8) {
    address.bytes[i] = static_cast<std::uint8_t>(key & 0xff);
  }
  return address;
}

/// The bits after the first `length`, all set: the last address of a prefix minus its first.
template <typename Key>
[[nodiscard]] constexpr Key host_mask(unsigned length) noexcept {
  return length == 0 ? key_max<Key> : static_cast<Key>((Key{1} << (key_bits<Key> - length)) - 1);
}

/// Addresses `first` to `last`, both included.
template <typename Key>
struct Range {
  Key first = 0;
  Key last = 0;
  std::uint32_t value = 0;
};

template <typename Key>
[[nodiscard]] constexpr Range<Key> range_of(const Prefix& prefix, std::uint32_t value) noexcept {
  const Key first = key_of<Key>(prefix.address);
  return {first, static_cast<Key>(first | host_mask<Key>(prefix.length)), value};
}

[[nodiscard]] constexpr unsigned trailing_zeros(Key4 key) noexcept {
  return static_cast<unsigned>(std::countr_zero(key));
}
[[nodiscard]] constexpr unsigned trailing_zeros(Key6 key) noexcept {
  const auto low = static_cast<std::uint64_t>(key);
  if (low != 0) return static_cast<unsigned>(std::countr_zero(low));
  return 64 + static_cast<unsigned>(std::countr_zero(static_cast<std::uint64_t>(key >> 64)));
}
[[nodiscard]] constexpr unsigned width(Key4 key) noexcept {
  return static_cast<unsigned>(std::bit_width(key));
}
[[nodiscard]] constexpr unsigned width(Key6 key) noexcept {
  const auto high = static_cast<std::uint64_t>(key >> 64);
  if (high != 0) return 64 + static_cast<unsigned>(std::bit_width(high));
  return static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(key)));
}

/// The length of the largest prefix that begins at `first` and does not go beyond `last`.
template <typename Key>
[[nodiscard]] constexpr unsigned block_length(Key first, Key last) noexcept {
  const auto span = static_cast<Key>(last - first);
  if (span == key_max<Key>) return 0;
  const unsigned fits = width(static_cast<Key>(span + 1)) - 1;
  return key_bits<Key> - std::min(trailing_zeros(first), fits);
}

/// Calls `block(first, length)` for each of the fewest prefixes that make up `first` to `last`.
template <typename Key, typename Block>
void for_each_block(Key first, Key last, const Block& block) {
  while (true) {
    const unsigned length = block_length(first, last);
    block(first, length);
    const auto block_last = static_cast<Key>(first | host_mask<Key>(length));
    if (block_last >= last) return;
    first = static_cast<Key>(block_last + 1);
  }
}

/// The IPv6 networks that are answered by the IPv4 address inside (see find_embedded_ipv4).
inline constexpr std::array<Range<Key6>, 4> embedded_ranges = {{
    {key6(0, 0xffff'0000'0000), key6(0, 0xffff'ffff'ffff)},
    {key6(0x0064'ff9b'0000'0000, 0), key6(0x0064'ff9b'0000'0000, 0xffff'ffff)},
    {key6(0x2001'0000'0000'0000, 0), key6(0x2001'0000'ffff'ffff, ~0ULL)},
    {key6(0x2002'0000'0000'0000, 0), key6(0x2002'ffff'ffff'ffff, ~0ULL)},
}};

}  // namespace demarc::geo
