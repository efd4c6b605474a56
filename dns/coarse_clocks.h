// The two clocks of a batch. The one place in dns/ that reads time, called by the socket loops
// between receiving and answering; everything else gets the time as an argument.
#pragma once

#include "dns/worker.h"

namespace demarc::dns {

/// Wall and monotonic time as of the last clock tick: a few nanoseconds, no system call.
[[nodiscard]] Now read_coarse_clocks() noexcept;

}  // namespace demarc::dns
