// The clocks of this machine: read by the daemon's loop and by the command line, by nothing else.
#pragma once

#include "geo/base/moment.h"

namespace demarc::tools {

/// Both clocks now. The monotonic one is CLOCK_MONOTONIC, as dns/ compares it.
[[nodiscard]] inline Moment read_clocks() {
  return {std::chrono::floor<Milliseconds>(std::chrono::system_clock::now()),
          std::chrono::floor<Milliseconds>(std::chrono::steady_clock::now())};
}

}  // namespace demarc::tools
