#include "tools/load/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace demarc::tools::load {

void Latencies::add(Nanoseconds took) noexcept {
  constexpr std::uint64_t value_max = (std::uint64_t{1} << bits_max) - 1;
  const auto value =
      std::min(value_max, static_cast<std::uint64_t>(std::max<std::int64_t>(0, took.count())));
  const unsigned width = static_cast<unsigned>(std::bit_width(value));
  const unsigned shift = width > steps_bits + 1 ? width - steps_bits - 1 : 0;
  // Below 2^(steps_bits + 1) a class is a number; above, each doubling has 32 classes.
  ++counts_[(std::size_t{shift} << steps_bits) + (value >> shift)];
  ++count_;
  longest_ = std::max(longest_, took);
}

Nanoseconds Latencies::quantile(double share) const noexcept {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < classes; ++i) {
    seen += counts_[i];
    if (seen < std::max<std::uint64_t>(wanted, 1)) continue;
    const std::size_t shift = i < (2U << steps_bits) ? 0 : (i >> steps_bits) - 1;
    const std::size_t step = i - (shift << steps_bits);
    const std::uint64_t upper = ((std::uint64_t{step} + 1) << shift) - 1;
    return std::min(longest_, Nanoseconds(static_cast<std::int64_t>(upper)));
  }
  return Nanoseconds{0};
}

}  // namespace demarc::tools::load
