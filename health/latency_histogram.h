// How long probes took, as counts by size: small, never resized, good for percentiles to an eighth.
// health/checks.h keeps one for each target, tools/history.h keeps them over restarts.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace demarc::health {

/// Four buckets for each doubling, from 64 us to 17 s; what is shorter or longer is in the first or
/// the last one.
class LatencyHistogram {
 public:
  static constexpr std::size_t bucket_count = 72;

  void add(std::chrono::microseconds latency) noexcept { ++counts_[bucket_of(latency)]; }
  void add(std::size_t bucket, std::uint64_t count) noexcept { counts_[bucket] += count; }

  [[nodiscard]] std::uint64_t count() const noexcept;
  [[nodiscard]] const std::array<std::uint64_t, bucket_count>& counts() const noexcept {
    return counts_;
  }

  /// A latency that `share` (0 to 1) of them do not exceed, the upper end of a bucket; nothing
  /// while it is empty.
  [[nodiscard]] std::optional<std::chrono::microseconds> quantile(double share) const noexcept;

  [[nodiscard]] static std::size_t bucket_of(std::chrono::microseconds latency) noexcept;
  /// The longest latency that belongs into a bucket.
  [[nodiscard]] static std::chrono::microseconds upper_end(std::size_t bucket) noexcept;

 private:
  std::array<std::uint64_t, bucket_count> counts_{};
};

}  // namespace demarc::health
