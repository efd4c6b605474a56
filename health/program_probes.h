// Probes by an operator's own program, off unless demarcd.yaml names their folder. Nothing here
// waits: health/transfers.h does, for all kinds at once.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include "geo/base/descriptor.h"
#include "health/probe.h"

namespace demarc::health {

/// So many run at once; the others wait for their turn, in order.
inline constexpr std::size_t programs_running_max = 16;
/// So much of what one writes is read; the first line is the result's detail.
inline constexpr std::size_t program_output_max = 4096;

/// Owned and used by one thread. A program is called with its own name, the record's endpoint and
/// the record's addresses, without a shell, with nothing of our environment, and ends with 0 (up),
/// 1 (degraded), 2 (down) or 3 (it does not know), as monitoring plugins do; anything else is down.
/// At its timeout it and its process group are killed.
class ProgramProbes {
 public:
  using Clock = std::chrono::steady_clock;

  /// `folder` empty: programs are off, and every probe is silent.
  explicit ProgramProbes(std::string folder) : folder_(std::move(folder)) {}
  ~ProgramProbes();  // kills what runs
  ProgramProbes(const ProgramProbes&) = delete;
  ProgramProbes& operator=(const ProgramProbes&) = delete;

  void start(TargetId target, const Probe& probe, Clock::time_point now);
  void cancel(TargetId target);
  void collect(Clock::time_point now, std::vector<FinishedProbe>& finished);
  void add_descriptors(std::vector<int>& descriptors) const;
  [[nodiscard]] Clock::time_point next_deadline() const noexcept;
  [[nodiscard]] std::size_t in_flight() const noexcept { return running_.size() + waiting_.size(); }

 private:
  struct Running {
    Probe probe;
    pid_t process = -1;
    Descriptor ended;   // readable once the process has
    Descriptor output;  // non-blocking
    std::string text;
    Clock::time_point started, deadline;
  };
  void run(TargetId target, Probe probe, Clock::time_point now);
  static void end(Running& running) noexcept;
  [[nodiscard]] static std::optional<ProbeResult> look(Running& running);

  std::string folder_;
  std::map<TargetId, Running> running_;
  std::deque<std::pair<TargetId, Probe>> waiting_;
  std::vector<FinishedProbe> ended_;  // the next collect() gives them back
};

}  // namespace demarc::health
