// A heap of due times.
#include "health/schedule.h"

#include <utility>

namespace demarc::health {

void ProbeSchedule::add(const std::vector<TargetId>& targets, MonotonicTime now) {
  MonotonicTime due = now;
  for (const TargetId target : targets) {
    plan_at(target, due);
    due += first_probe_spacing;
  }
}

void ProbeSchedule::plan_next(TargetId target, Milliseconds interval, MonotonicTime started) {
  std::uniform_real_distribution<double> share(1.0 - jitter_share, 1.0);
  const auto wait = std::chrono::duration_cast<Milliseconds>(interval * share(random_));
  plan_at(target, started + wait);
}

void ProbeSchedule::retain(const std::function<bool(TargetId)>& keep) {
  decltype(queue_) kept;
  for (; !queue_.empty(); queue_.pop()) {
    if (keep(queue_.top().target)) kept.push(queue_.top());
  }
  queue_ = std::move(kept);
}

std::optional<TargetId> ProbeSchedule::take_due(MonotonicTime now) {
  if (queue_.empty() || queue_.top().due > now) return std::nullopt;
  const TargetId target = queue_.top().target;
  queue_.pop();
  return target;
}

std::optional<MonotonicTime> ProbeSchedule::next_due() const {
  if (queue_.empty()) return std::nullopt;
  return queue_.top().due;
}

}  // namespace demarc::health
