// The counts and the one place where a verdict changes. The rules stand in the header.
#include "health/verdict_machine.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace demarc::health {

using zones::Verdict;

namespace {

unsigned one_more(unsigned count) noexcept {
  return count == std::numeric_limits<unsigned>::max() ? count : count + 1;
}

}  // namespace

std::string_view to_text(TransitionReason reason) noexcept {
  switch (reason) {
    case TransitionReason::first_result:
      return "first-result";
    case TransitionReason::fell:
      return "fell";
    case TransitionReason::rose:
      return "rose";
    case TransitionReason::slowed:
      return "slowed";
    case TransitionReason::sped_up:
      return "sped-up";
    case TransitionReason::went_stale:
      return "went-stale";
    case TransitionReason::fresh_again:
      return "fresh-again";
  }
  return "first-result";
}

VerdictMachine VerdictMachine::seeded(Verdict verdict, MonotonicTime at) noexcept {
  VerdictMachine machine;
  const bool is_up = verdict == Verdict::up || verdict == Verdict::degraded;
  if (!is_up && verdict != Verdict::down) return machine;
  machine.verdict_ = verdict;
  machine.believed_ = is_up ? Verdict::up : Verdict::down;
  if (verdict == Verdict::degraded) {
    machine.is_degraded_ = true;
    machine.speeds_.fill(Speed::slow);
  }
  machine.last_result_ = at;
  return machine;
}

std::optional<Transition> VerdictMachine::step(const CheckTiming& timing, ProbeOutcome outcome,
                                               MonotonicTime at,
                                               std::chrono::microseconds latency) noexcept {
  const bool was_degraded = is_degraded_;
  count(timing, outcome);
  judge_speed(timing, outcome, latency);
  last_result_ = at;
  if (believed_ == Verdict::unknown) {
    return go(outcome != ProbeOutcome::fail ? Verdict::up : Verdict::down,
              TransitionReason::first_result);
  }
  if (believed_ == Verdict::up && failures_ >= timing.fall) {
    return go(Verdict::down, TransitionReason::fell);
  }
  if (believed_ == Verdict::down && passes_ >= timing.rise) {
    failures_ = 0;
    return go(Verdict::up, TransitionReason::rose);
  }
  if (verdict_ == Verdict::stale || is_degraded_ == was_degraded) {
    return go(believed_, TransitionReason::fresh_again);
  }
  return go(believed_, is_degraded_ ? TransitionReason::slowed : TransitionReason::sped_up);
}

std::optional<Transition> VerdictMachine::check_age(const CheckTiming& timing,
                                                    MonotonicTime now) noexcept {
  if (verdict_ == Verdict::unknown || verdict_ == Verdict::stale) return std::nullopt;
  if (!last_result_ || now - *last_result_ < stale_after(timing)) return std::nullopt;
  // What was counted before the gap says nothing about now.
  passes_ = 0;
  failures_ = 0;
  return go(Verdict::stale, TransitionReason::went_stale);
}

void VerdictMachine::count(const CheckTiming& timing, ProbeOutcome outcome) noexcept {
  if (outcome == ProbeOutcome::fail) {
    passes_ = 0;
    failures_ = one_more(failures_);
    return;
  }
  passes_ = one_more(passes_);
  if (passes_ >= timing.ok) failures_ = 0;
}

/// More than half of the speeds beyond a limit is the median beyond it.
void VerdictMachine::judge_speed(const CheckTiming& timing, ProbeOutcome outcome,
                                 std::chrono::microseconds latency) noexcept {
  if (outcome == ProbeOutcome::fail) return;  // how long that took says nothing of an answer
  Speed speed = Speed::good;
  if (outcome == ProbeOutcome::weak) {
    speed = Speed::slow;
  } else if (timing.degraded_above.count() != 0) {
    const std::chrono::microseconds above = timing.degraded_above;
    if (latency > above) {
      speed = Speed::slow;
    } else if (latency * 100 > above * degraded_end_percent) {
      speed = Speed::between;
    }
  }
  speeds_[speeds_at_] = speed;
  speeds_at_ = (speeds_at_ + 1) % speeds_.size();
  const auto count_of = [this](Speed which) { return std::ranges::count(speeds_, which); };
  if (count_of(Speed::slow) > static_cast<std::ptrdiff_t>(latencies_judged / 2)) {
    is_degraded_ = true;
  } else if (count_of(Speed::good) > static_cast<std::ptrdiff_t>(latencies_judged / 2)) {
    is_degraded_ = false;
  }
}

std::optional<Transition> VerdictMachine::go(Verdict to, TransitionReason reason) noexcept {
  if (to != Verdict::stale) believed_ = to;
  if (to == Verdict::up && is_degraded_) to = Verdict::degraded;
  const Verdict from = std::exchange(verdict_, to);
  if (from == to) return std::nullopt;
  return Transition{from, to, reason};
}

}  // namespace demarc::health
