// The prober: one thread that probes every target in its interval and says what changed.
// It joins health/schedule.h (when), health/transfers.h (how) and health/checks.h (what we
// believe); the daemon (tools/) turns its changes into events for zones/steering.h.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "health/checks.h"
#include "health/schedule.h"
#include "health/transfers.h"

namespace demarc::health {

/// Probes in flight at once: each is a socket, and 1,024 is all a process has by default.
inline constexpr std::size_t probes_in_flight_max = 400;

/// Of them to one address, or to one name that the system resolves: a host that hangs with all its
/// checks must leave room for the others.
inline constexpr std::size_t probes_per_host_max = 100;

/// The thread moves on at least this often, so last_tick() is never older unless it is stuck.
inline constexpr Milliseconds tick_interval{250};

/// A round that took this much longer than planned was late by our own fault (stopped, starved, a
/// callback that hung). Timeouts found in it are no evidence, and are asked again.
inline constexpr Milliseconds stall_limit{500};

struct ProberConfig {
  /// Reads both clocks. Called from the prober's thread and from snapshot()'s.
  std::function<Moment()> clock;
  std::uint64_t seed = 0;  // of the jitter
  TransferOptions transfers;
  std::size_t in_flight_max = probes_in_flight_max;
  std::size_t per_host_max = probes_per_host_max;
};

/// Called from the prober's thread without any lock; they should only hand over and return, may
/// call nothing of the Prober but snapshot() and last_tick(), and must not throw.
struct ProberCallbacks {
  std::function<void(const VerdictChange&)> on_verdict;
  /// A check began or ended to waver; after the verdict that goes with it. May be left out.
  std::function<void(const WaverChange&)> on_wavering = {};
  /// Once in the prober's life: every target it had by then has had a result. The bound in time is
  /// the caller's: it starts without those that are still unknown.
  std::function<void()> on_first_round_done;
};

class Prober {
 public:
  Prober(ProberConfig config, ProberCallbacks callbacks);
  ~Prober();  // stops
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  /// A verdict from before a restart that is recent enough to begin with. Before start() or
  /// replace(), the next of which takes it; forgotten there if it has no such check.
  void seed(std::string key, zones::Verdict verdict);

  /// Starts the thread with these targets, once. The error says what libcurl or the system refused;
  /// nothing runs then.
  [[nodiscard]] Result<void, SystemError> start(std::vector<ProbeTarget> targets,
                                                std::vector<CalculatedCheck> calculated = {});

  /// A reload. Targets whose probe did not change keep verdict and history; probes of the others
  /// are given up. Taken at the thread's next turn; of several, the last. Returns at once.
  void replace(std::vector<ProbeTarget> targets, std::vector<CalculatedCheck> calculated = {});

  /// Ends the thread and every probe in flight, without waiting for any of them. No callback comes
  /// after it returns. May be called twice, but not from a callback.
  void stop() noexcept;

  /// Every check by key, and how old its evidence is now. Takes a lock: not for a query thread.
  [[nodiscard]] std::vector<CheckState> snapshot() const;

  /// When the thread last moved on; a watchdog alerts when it is some tick_intervals old. Before
  /// start() the epoch. Any thread, no lock.
  [[nodiscard]] MonotonicTime last_tick() const noexcept;

 private:
  void run();
  void take_replacement(const Moment& now);
  void start_due(const Moment& now);
  /// A probe has ended, or was given up; one that waited for its host is due then.
  void leave_host(const std::string& host, MonotonicTime now);
  [[nodiscard]] Milliseconds time_to_wait(MonotonicTime now) const;
  void take(const std::vector<FinishedProbe>& finished, bool is_late, const Moment& now);
  void report(const std::vector<VerdictChange>& changes);
  void report_first_round();
  void look_at_ages(const Moment& now);

  const ProberConfig config_;
  const ProberCallbacks callbacks_;

  mutable std::mutex mutex_;  // the four below; never held during a callback or a wait
  Checks checks_;
  std::vector<std::pair<std::string, zones::Verdict>> seeds_;
  struct Replacement {
    std::vector<ProbeTarget> targets;
    std::vector<CalculatedCheck> calculated;
  };
  std::optional<Replacement> replacement_;
  bool is_stopping_ = false;

  // The thread's own.
  ProbeSchedule schedule_;
  struct Started {
    MonotonicTime at;
    std::string host;
  };
  struct HostLoad {
    std::size_t running = 0;
    std::deque<TargetId> waiting;  // due, in order
  };
  std::map<TargetId, Started> started_;    // probes in flight
  std::map<std::string, HostLoad> hosts_;  // those with probes in flight
  bool is_first_round_reported_ = false;
  MonotonicTime ages_seen_{};

  std::unique_ptr<Transfers> transfers_;
  std::atomic<MonotonicTime::rep> last_tick_{0};
  std::thread thread_;
};

}  // namespace demarc::health
