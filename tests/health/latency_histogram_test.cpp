#include "health/latency_histogram.h"

#include <algorithm>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using demarc::health::LatencyHistogram;

TEST_CASE("latencies: every one is in the bucket whose ends it lies between", "[history]") {
  for (std::size_t bucket = 0; bucket + 1 < LatencyHistogram::bucket_count; ++bucket) {
    const auto end = LatencyHistogram::upper_end(bucket);
    CHECK(LatencyHistogram::bucket_of(end) == bucket);
    CHECK(LatencyHistogram::bucket_of(end + 1us) == bucket + 1);
  }
  CHECK(LatencyHistogram::bucket_of(-1us) == 0);
  CHECK(LatencyHistogram::bucket_of(0us) == 0);
  CHECK(LatencyHistogram::bucket_of(1h) == LatencyHistogram::bucket_count - 1);
  CHECK(LatencyHistogram::upper_end(LatencyHistogram::bucket_count - 1) > 16s);
}

TEST_CASE("latencies: a percentile is not too small, and too large by a quarter at most",
          "[history]") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 50; ++round) {
    LatencyHistogram histogram;
    std::vector<std::int64_t> all;
    std::lognormal_distribution<double> latency(9, 1.2);
    for (int i = 0; i < 500; ++i) {
      all.push_back(
          std::clamp<std::int64_t>(static_cast<std::int64_t>(latency(random)), 64, 10'000'000));
      histogram.add(std::chrono::microseconds(all.back()));
    }
    std::ranges::sort(all);
    CHECK(histogram.count() == 500);
    for (const double share : {0.5, 0.9, 0.99, 1.0}) {
      const auto exact = all[static_cast<std::size_t>(share * 500) - 1];
      const auto found = histogram.quantile(share).value().count();
      CHECK(found >= exact);
      CHECK(found * 4 <= exact * 5);
    }
  }
}

TEST_CASE("latencies: of none there is no percentile", "[history]") {
  CHECK_FALSE(LatencyHistogram{}.quantile(0.5));
  LatencyHistogram one;
  one.add(1ms);
  CHECK(one.quantile(0) == one.quantile(1));
}
