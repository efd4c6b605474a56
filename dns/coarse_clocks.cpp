#include "dns/coarse_clocks.h"

#include <ctime>

namespace demarc::dns {

namespace {

std::int64_t read_ms(clockid_t clock) noexcept {
  timespec time{};
  clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

}  // namespace

Now read_coarse_clocks() noexcept {
  return {read_ms(CLOCK_REALTIME_COARSE), read_ms(CLOCK_MONOTONIC_COARSE)};
}

}  // namespace demarc::dns
