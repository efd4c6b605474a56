// The counts and the one place where a verdict changes. The rules stand in the header.
#include "health/verdict_machine.h"

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
    case TransitionReason::went_stale:
      return "went-stale";
    case TransitionReason::fresh_again:
      return "fresh-again";
  }
  return "first-result";
}

VerdictMachine VerdictMachine::seeded(Verdict verdict, MonotonicTime at) noexcept {
  VerdictMachine machine;
  if (verdict != Verdict::up && verdict != Verdict::down) return machine;
  machine.verdict_ = verdict;
  machine.believed_ = verdict;
  machine.last_result_ = at;
  return machine;
}

std::optional<Transition> VerdictMachine::step(const CheckTiming& timing, ProbeOutcome outcome,
                                               MonotonicTime at) noexcept {
  count(outcome);
  last_result_ = at;
  if (believed_ == Verdict::unknown) {
    return go(outcome == ProbeOutcome::pass ? Verdict::up : Verdict::down,
              TransitionReason::first_result);
  }
  if (believed_ == Verdict::up && failures_ >= timing.fall) {
    return go(Verdict::down, TransitionReason::fell);
  }
  if (believed_ == Verdict::down && passes_ >= timing.rise) {
    return go(Verdict::up, TransitionReason::rose);
  }
  return go(believed_, TransitionReason::fresh_again);
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

void VerdictMachine::count(ProbeOutcome outcome) noexcept {
  const bool passed = outcome == ProbeOutcome::pass;
  passes_ = passed ? one_more(passes_) : 0;
  failures_ = passed ? 0 : one_more(failures_);
}

std::optional<Transition> VerdictMachine::go(Verdict to, TransitionReason reason) noexcept {
  if (to != Verdict::stale) believed_ = to;
  const Verdict from = std::exchange(verdict_, to);
  if (from == to) return std::nullopt;
  return Transition{from, to, reason};
}

}  // namespace demarc::health
