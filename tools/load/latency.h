// How long answers took: counts in classes of equal relative width, so that millions of them fit
// in a few kilobytes. tools/load/stream.h fills it, tools/load/report.cpp prints it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace demarc::tools::load {

using Nanoseconds = std::chrono::nanoseconds;

/// One thread.
class Latencies {
 public:
  /// Negative ones count as 0, ones above 68 s as that.
  void add(Nanoseconds took) noexcept;
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// What `share` (0 to 1) of the answers did not exceed, at most 1/32 too much; 0 without any.
  [[nodiscard]] Nanoseconds quantile(double share) const noexcept;
  [[nodiscard]] Nanoseconds longest() const noexcept { return longest_; }

 private:
  static constexpr unsigned steps_bits = 5;  // classes between a power of two and the next: 32
  static constexpr unsigned bits_max = 36;
  static constexpr std::size_t classes = (bits_max - steps_bits + 1) << steps_bits;

  std::array<std::uint64_t, classes> counts_{};
  std::uint64_t count_ = 0;
  Nanoseconds longest_{0};
};

}  // namespace demarc::tools::load
