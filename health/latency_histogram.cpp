#include "health/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace demarc::health {

namespace {

constexpr int first_doubling = 6;  // 64 us
constexpr int parts_bits = 2;      // four buckets a doubling
constexpr std::uint64_t parts = std::uint64_t{1} << parts_bits;

}  // namespace

std::uint64_t LatencyHistogram::count() const noexcept {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

std::size_t LatencyHistogram::bucket_of(std::chrono::microseconds latency) noexcept {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
  if (us < std::uint64_t{1} << first_doubling) return 0;
  const int doubling = static_cast<int>(std::bit_width(us)) - 1;
  const std::uint64_t part = (us >> (doubling - parts_bits)) & (parts - 1);
  const auto bucket = static_cast<std::uint64_t>(doubling - first_doubling) * parts + part;
  return std::min<std::size_t>(bucket, bucket_count - 1);
}

std::chrono::microseconds LatencyHistogram::upper_end(std::size_t bucket) noexcept {
  const std::uint64_t next = bucket + 1;
  const std::uint64_t doubling = std::uint64_t{first_doubling} + next / parts;
  const std::uint64_t begins = (parts + next % parts) << (doubling - std::uint64_t{parts_bits});
  return std::chrono::microseconds(begins - 1);
}

std::optional<std::chrono::microseconds> LatencyHistogram::quantile(double share) const noexcept {
  const std::uint64_t all = count();
  if (all == 0) return std::nullopt;
  const double wanted = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(all));
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  for (; bucket < bucket_count - 1; ++bucket) {
    seen += counts_[bucket];
    if (seen != 0 && static_cast<double>(seen) >= wanted) break;
  }
  return upper_end(bucket);
}

}  // namespace demarc::health
