// One measurement: streams that run beside each other against one server, and the CPU it took.
// tools/load/report.h makes tables of several.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "geo/base/result.h"
#include "tools/load/questions.h"
#include "tools/load/stream.h"

namespace demarc::tools::load {

struct Load {
  StreamSettings settings;
  const Questions* questions = nullptr;
};

struct Timing {
  std::chrono::milliseconds warm{500};  // sent, not counted
  std::chrono::milliseconds lasts{5000};
};

struct Measured {
  std::vector<Tally> tallies;  // of the loads, in their order
  double seconds = 0;
  std::optional<Nanoseconds> cpu;  // of the server's process, all threads; nothing: not known
};

/// Sends `loads` for `timing`, then takes answers until none waits or answer_timeout has passed.
/// `server` is a process of this machine, to read its CPU time. Uses one core whole.
[[nodiscard]] Result<Measured, SystemError> measure(std::span<const Load> loads,
                                                    const Timing& timing,
                                                    std::optional<pid_t> server,
                                                    std::uint64_t seed);

/// CPU time of all threads that a process has now; nothing if there is no such process.
[[nodiscard]] std::optional<Nanoseconds> cpu_time_of(pid_t process);

}  // namespace demarc::tools::load
