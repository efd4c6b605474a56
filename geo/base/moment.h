// An instant as the daemon's loop hands it to everything that decides: both clocks, read once.
// Nothing but the loop in tools/ reads a clock.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace demarc {

using Milliseconds = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

/// Wall time since 1970-01-01T00:00:00Z: for tokens, grants and the audit trail.
using WallTime = std::chrono::sys_time<Milliseconds>;

/// Time since boot, never set back: for intervals, and to notice that the wall clock jumped.
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, Milliseconds>;

struct Moment {
  WallTime wall;
  MonotonicTime monotonic;

  auto operator<=>(const Moment&) const = default;
};

}  // namespace demarc
