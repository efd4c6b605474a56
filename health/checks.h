// Everything we believe of the endpoints right now: the targets, their verdicts and last evidence.
// Pure, changes only when told; health/prober.h feeds it results and time.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "geo/base/moment.h"
#include "health/calculated.h"
#include "health/latency_histogram.h"
#include "health/probe.h"
#include "health/verdict_machine.h"
#include "zones/verdict.h"

namespace demarc::health {

/// What steering has to know: the verdict of one check changed.
struct VerdictChange {
  std::string key;
  zones::Verdict from = zones::Verdict::unknown;
  zones::Verdict to = zones::Verdict::unknown;
  TransitionReason reason = TransitionReason::first_result;
  std::string detail;  // of the result that changed it; of the last one if none did
  Moment at;
};

/// A check whose last results speak against its verdict, or do so no longer.
struct WaverChange {
  std::string key;
  bool wavers = false;
};

/// One check as `demarc status` shows it.
struct CheckState {
  std::string key;
  std::string url;
  zones::Verdict verdict = zones::Verdict::unknown;
  Moment since;                          // when the verdict became what it is
  std::string detail;                    // of the last result
  std::chrono::microseconds latency{0};  // of the last result
  std::optional<Milliseconds> age;       // of the last result; nothing before the first
  unsigned passes = 0;                   // in a row, up to now
  unsigned failures = 0;
  std::optional<WallTime> certificate_end;  // https, tls: as it was last seen
  // Since the target began:
  LatencyHistogram latencies;     // of probes that passed
  std::uint64_t transitions = 0;  // of the verdict
  Milliseconds down_time{0};      // with the verdict down, up to now
};

class Checks {
 public:
  struct Replaced {
    std::vector<TargetId> added;
    std::vector<VerdictChange> changes;  // checks that joined a target whose verdict is known
  };

  /// A verdict from before a restart, for a check that begins in the next replace(); forgotten
  /// there if no check has this key. Judging its age is the caller's part.
  void seed(std::string key, zones::Verdict verdict);

  /// Takes over a configuration: targets whose probe did not change keep their verdict and history,
  /// the others are gone or begin unknown. So do calculated checks of the same name; each must come
  /// after all that it follows.
  Replaced replace(std::vector<ProbeTarget> targets, const Moment& now,
                   std::vector<CalculatedCheck> calculated = {});

  /// Takes one result; returns what it changed, one entry a check. A target that is gone: nothing.
  std::vector<VerdictChange> note(TargetId target, const ProbeResult& result, const Moment& at);

  /// Turns verdicts without fresh results stale.
  std::vector<VerdictChange> check_ages(const Moment& now);

  /// What began or ended to waver since the last call, in order.
  [[nodiscard]] std::vector<WaverChange> take_wavering() { return std::exchange(wavering_, {}); }

  /// The probe of a target, until the next replace(); null if the target is gone.
  [[nodiscard]] const Probe* find(TargetId target) const;

  /// Whether every target has had a result, seeded or not.
  [[nodiscard]] bool is_first_round_done() const noexcept { return unprobed_ == 0; }

  /// By key.
  [[nodiscard]] std::vector<CheckState> snapshot(const Moment& now) const;

 private:
  struct Target {
    ProbeTarget what;
    VerdictMachine machine;
    Moment since;
    std::string detail = "not probed yet";
    std::chrono::microseconds latency{0};
    bool is_probed = false;
    bool wavers = false;  // as it was told
    std::optional<WallTime> certificate_end;
    LatencyHistogram latencies;
    std::uint64_t transitions = 0;
    Milliseconds down_before{0};  // up to `since`
  };
  /// A check that follows others.
  struct Follower {
    CalculatedCheck what;
    zones::Verdict verdict = zones::Verdict::unknown;
    Moment since;
    std::string detail;
    std::uint64_t transitions = 0;
    Milliseconds down_before{0};  // up to `since`
  };
  void replace_followers(std::vector<CalculatedCheck> calculated, const Moment& now);
  [[nodiscard]] zones::Verdict verdict_of(const std::string& key) const;
  /// Appends what the changes make of the calculated checks.
  void follow(std::vector<VerdictChange>& changes, const Moment& now);
  std::vector<VerdictChange> change(Target& target, const Transition& transition, const Moment& at);
  [[nodiscard]] VerdictMachine begin(const ProbeTarget& what, const Moment& now) const;
  [[nodiscard]] static Milliseconds down_now(const Moment& since, zones::Verdict verdict,
                                             const Moment& now);

  std::map<TargetId, Target> targets_;
  void note_wavering(Target& target);
  std::vector<WaverChange> wavering_;
  std::vector<Follower> followers_;            // each after all that it follows
  std::map<std::string, TargetId> target_of_;  // of the keys that are followed
  std::map<std::string, zones::Verdict> seeds_;
  std::uint64_t last_id_ = 0;
  std::size_t unprobed_ = 0;
};

}  // namespace demarc::health
