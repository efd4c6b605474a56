// Random numbers for drawing answers: fast, one per query thread, seeded from outside. Not secret.
// dns/steered_answers.cpp draws with it.
#pragma once

#include <cstdint>

#include "geo/base/spread.h"

namespace demarc::dns {

/// SplitMix64 (Steele, Lea, Flood 2014): one addition and a mix for 64 good bits.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    state_ += 0x9e37'79b9'7f4a'7c15;
    return spread_bits(state_);
  }

 private:
  std::uint64_t state_;
};

/// A number below `bound` from 32 random bits: a multiplication instead of a division. The bias is
/// below bound / 2^32.
[[nodiscard]] inline std::uint32_t scaled(std::uint32_t bits, std::uint32_t bound) noexcept {
  return static_cast<std::uint32_t>((std::uint64_t{bits} * bound) >> 32);
}

}  // namespace demarc::dns
