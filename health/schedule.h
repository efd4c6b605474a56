// When each target is probed next. Pure: time and randomness come in; health/prober.h asks it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <random>
#include <vector>

#include "geo/base/moment.h"
#include "health/probe.h"

namespace demarc::health {

/// The part of an interval by which jitter may shorten it. It never lengthens it: the interval that
/// an operator wrote is what the recovery time is computed from.
inline constexpr double jitter_share = 0.2;

/// First probes start this far apart: a few targets at once, ten thousand in ten seconds, without a
/// burst of connections that a firewall would take for an attack.
inline constexpr Milliseconds first_probe_spacing{1};

class ProbeSchedule {
 public:
  /// The same seed gives the same schedule.
  explicit ProbeSchedule(std::uint64_t seed) : random_(seed) {}

  /// New targets, first probes as soon as first_probe_spacing lets them.
  void add(const std::vector<TargetId>& targets, MonotonicTime now);

  /// The next probe of a target whose last one started at `started`.
  void plan_next(TargetId target, Milliseconds interval, MonotonicTime started);

  /// A probe that has to be asked again, at `at`.
  void plan_at(TargetId target, MonotonicTime at) { queue_.push({at, ++sequence_, target}); }

  /// Forgets every target for which `keep` is false.
  void retain(const std::function<bool(TargetId)>& keep);

  /// Removes and returns a target that is due, the longest overdue first.
  [[nodiscard]] std::optional<TargetId> take_due(MonotonicTime now);

  [[nodiscard]] std::optional<MonotonicTime> next_due() const;

 private:
  struct Entry {
    MonotonicTime due;
    std::uint64_t sequence = 0;  // equal times: first come, first served
    TargetId target{};

    auto operator<=>(const Entry&) const = default;
  };
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue_;
  std::uint64_t sequence_ = 0;
  std::mt19937_64 random_;
};

}  // namespace demarc::health
