// Arithmetic of rendezvous hashing: hashes whose bits all count, and how late each makes somebody
// come. Integers only, so that every machine has the same. dns/sticky_draw.h and
// zones/rendezvous.h draw with it.
#pragma once

#include <cstdint>

namespace demarc {

/// Spreads a difference in any bit over all of them (the finaliser of splitmix64).
[[nodiscard]] constexpr std::uint64_t spread_bits(std::uint64_t value) noexcept {
  value = (value ^ (value >> 30)) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ (value >> 27)) * 0x94d0'49bb'1331'11eb;
  return value ^ (value >> 31);
}

/// log2 of a number from 1 to 2 that has 31 binary places, with `places` (1 to 32) of its own:
/// squaring doubles the logarithm, and whether the square reaches 2 is its next place.
[[nodiscard]] constexpr std::uint32_t log2_fraction(std::uint64_t number,
                                                    unsigned places) noexcept {
  std::uint32_t fraction = 0;
  for (unsigned place = 0; place < places; ++place) {
    number = number * number >> 31;
    const bool reaches_two = number >> 32 != 0;
    fraction = fraction << 1 | (reaches_two ? 1U : 0U);
    if (reaches_two) number >>= 1;
  }
  return fraction;
}

}  // namespace demarc
