// Hysteresis: what a row of good and bad probe results makes us believe of one target, and when
// the belief is too old to be one. Pure; health/checks.h keeps one machine for each target.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

#include "geo/base/moment.h"
#include "zones/verdict.h"

namespace demarc::health {

enum class ProbeOutcome : std::uint8_t {
  pass,
  weak,  // it works, and says itself that it does so badly
  fail,
  silent,  // somebody else was asked, and did not tell: no result, for or against
};

[[nodiscard]] constexpr bool is_passed(ProbeOutcome outcome) noexcept {
  return outcome == ProbeOutcome::pass || outcome == ProbeOutcome::weak;
}

/// How one check is timed and judged. `interval` is the longest time from one probe's start to the
/// next one's. While it is up, `fall` failures that no `ok` passes in a row have cleared take it
/// down (with `ok` 1: in a row); while it is down, `rise` passes in a row bring it up. At least 1
/// each.
struct CheckTiming {
  Milliseconds interval{10'000};
  Milliseconds timeout{4'000};
  unsigned fall = 3;
  unsigned rise = 2;
  unsigned ok = 1;
  Milliseconds degraded_above{0};  // a median latency above is degraded; 0: none is

  auto operator<=>(const CheckTiming&) const = default;
};

/// The median of so many latencies decides whether what is up is degraded. It is no longer when the
/// median is at most degraded_end_percent of the limit, so that one that hovers there does not
/// flap.
inline constexpr std::size_t latencies_judged = 5;
inline constexpr int degraded_end_percent = 80;

/// A verdict that missed this many intervals is stale.
inline constexpr int stale_intervals = 3;

/// How old the last result may be. Results of a healthy prober are at most an interval and a
/// timeout apart: a good one comes at once, the next probe runs into its timeout.
[[nodiscard]] constexpr Milliseconds stale_after(const CheckTiming& timing) noexcept {
  return stale_intervals * timing.interval + timing.timeout;
}

enum class TransitionReason : std::uint8_t {
  first_result,  // nothing was known
  fell,          // `fall` failures
  rose,          // `rise` passes in a row
  slowed,        // up, and degraded from now on
  sped_up,       // degraded no longer
  went_stale,    // no result for stale_after()
  fresh_again,   // a result came after all: back to what was believed before
};

[[nodiscard]] std::string_view to_text(TransitionReason reason) noexcept;

struct Transition {
  zones::Verdict from = zones::Verdict::unknown;
  zones::Verdict to = zones::Verdict::unknown;
  TransitionReason reason = TransitionReason::first_result;

  auto operator<=>(const Transition&) const = default;
};

/// One target's verdict. Unknown at first, and then the first result decides at once, so that the
/// first round of probes is enough to start; from there on it takes `fall` or `rise` in a row.
///
/// A stale verdict remembers what it was. The next result leaves staleness, but does not overthrow
/// the old belief unless the counts allow it: a prober that was stuck must not come back and move
/// traffic on one packet's word.
class VerdictMachine {
 public:
  /// A restart: begins with what was believed before it, as if a result had come at `at`. The
  /// caller has judged the age. Only up, degraded and down are beliefs; anything else begins
  /// unknown.
  [[nodiscard]] static VerdictMachine seeded(zones::Verdict verdict, MonotonicTime at) noexcept;

  VerdictMachine() = default;

  /// Takes one result that is not silent, in the order of time; returns what it changed, if
  /// anything.
  std::optional<Transition> step(const CheckTiming& timing, ProbeOutcome outcome, MonotonicTime at,
                                 std::chrono::microseconds latency = {}) noexcept;

  /// Turns a belief stale at stale_after() from its last result; unknown stays unknown.
  std::optional<Transition> check_age(const CheckTiming& timing, MonotonicTime now) noexcept;

  [[nodiscard]] zones::Verdict verdict() const noexcept { return verdict_; }
  /// Whether results speak against what is believed, not yet often enough.
  [[nodiscard]] bool wavers() const noexcept {
    return believed_ == zones::Verdict::up ? failures_ != 0
                                           : believed_ == zones::Verdict::down && passes_ != 0;
  }
  /// Passes in a row up to now, and failures that count. They saturate.
  [[nodiscard]] unsigned passes() const noexcept { return passes_; }
  [[nodiscard]] unsigned failures() const noexcept { return failures_; }
  /// When the last result (or seed) came.
  [[nodiscard]] std::optional<MonotonicTime> last_result() const noexcept { return last_result_; }

 private:
  enum class Speed : std::uint8_t { good, between, slow };
  void count(const CheckTiming& timing, ProbeOutcome outcome) noexcept;
  void judge_speed(const CheckTiming& timing, ProbeOutcome outcome,
                   std::chrono::microseconds latency) noexcept;
  std::optional<Transition> go(zones::Verdict to, TransitionReason reason) noexcept;

  zones::Verdict verdict_ = zones::Verdict::unknown;
  zones::Verdict believed_ =
      zones::Verdict::unknown;  // the last that was neither stale nor unknown
  bool is_degraded_ = false;    // if it is up
  unsigned passes_ = 0;
  unsigned failures_ = 0;
  std::array<Speed, latencies_judged> speeds_{};  // of the last passes, at `speeds_at_` the oldest
  std::size_t speeds_at_ = 0;
  std::optional<MonotonicTime> last_result_;
};

}  // namespace demarc::health
