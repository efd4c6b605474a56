// The book of targets. A replaced configuration is matched by the probe itself, so that an edit
// elsewhere in the repository costs no verdict.
#include "health/checks.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace demarc::health {

using zones::Verdict;

namespace {

bool has_key(const ProbeTarget& target, const std::string& key) {
  return std::ranges::find(target.keys, key) != target.keys.end();
}

}  // namespace

void Checks::seed(std::string key, Verdict verdict) {
  seeds_.insert_or_assign(std::move(key), verdict);
}

Checks::Replaced Checks::replace(std::vector<ProbeTarget> targets, const Moment& now,
                                 std::vector<CalculatedCheck> calculated) {
  std::map<Probe, TargetId> known;
  for (const auto& [id, target] : targets_) known.emplace(target.what.probe, id);

  Replaced replaced;
  std::map<TargetId, Target> next;
  for (ProbeTarget& what : targets) {
    const auto found = known.find(what.probe);
    if (found == known.end()) {
      const TargetId id{++last_id_};
      replaced.added.push_back(id);
      VerdictMachine machine = begin(what, now);
      next.emplace(id, Target{.what = std::move(what), .machine = machine, .since = now});
      continue;
    }
    Target& kept = targets_.at(found->second);
    const Verdict verdict = kept.machine.verdict();
    for (const std::string& key : what.keys) {
      if (has_key(kept.what, key) || verdict == Verdict::unknown) continue;
      if (kept.wavers) wavering_.push_back({key, true});
      replaced.changes.push_back(
          {key, Verdict::unknown, verdict, TransitionReason::first_result, kept.detail, now});
    }
    kept.what.keys = std::move(what.keys);
    next.insert(targets_.extract(found->second));
    known.erase(found);  // a second target with an equal probe would be a caller's mistake
  }
  for (const auto& [id, gone] : targets_) {
    if (!gone.wavers) continue;
    for (const std::string& key : gone.what.keys) wavering_.push_back({key, false});
  }
  targets_ = std::move(next);
  seeds_.clear();
  unprobed_ = static_cast<std::size_t>(
      std::ranges::count_if(targets_, [](const auto& entry) { return !entry.second.is_probed; }));
  replace_followers(std::move(calculated), now);
  follow(replaced.changes, now);
  return replaced;
}

void Checks::replace_followers(std::vector<CalculatedCheck> calculated, const Moment& now) {
  std::map<std::string, Follower> known;
  for (Follower& follower : followers_) {
    std::string key = follower.what.key;
    known.emplace(std::move(key), std::move(follower));
  }
  followers_.clear();
  target_of_.clear();
  std::set<std::string> followed;
  for (CalculatedCheck& what : calculated) {
    followed.insert(what.what.keys.begin(), what.what.keys.end());
    const auto found = known.find(what.key);
    Follower follower = found == known.end() ? Follower{.what = {}, .since = now, .detail = {}}
                                             : std::move(found->second);
    follower.what = std::move(what);
    followers_.push_back(std::move(follower));
  }
  for (const auto& [id, target] : targets_) {
    for (const std::string& key : target.what.keys) {
      if (followed.contains(key)) target_of_.emplace(key, id);
    }
  }
}

Verdict Checks::verdict_of(const std::string& key) const {
  const auto target = target_of_.find(key);
  if (target != target_of_.end()) return targets_.at(target->second).machine.verdict();
  const auto follower = std::ranges::find(
      followers_, key, [](const Follower& one) -> const std::string& { return one.what.key; });
  return follower == followers_.end() ? Verdict::unknown : follower->verdict;
}

void Checks::follow(std::vector<VerdictChange>& changes, const Moment& now) {
  for (Follower& follower : followers_) {
    auto [verdict, detail] =
        calculate(follower.what.what, [this](const std::string& key) { return verdict_of(key); });
    follower.detail = std::move(detail);
    const bool was_known = follower.verdict != Verdict::unknown;
    if (verdict == Verdict::unknown && was_known) verdict = Verdict::stale;
    if (verdict == follower.verdict) continue;
    const auto reason = [&] {
      if (!was_known) return TransitionReason::first_result;
      if (verdict == Verdict::stale) return TransitionReason::went_stale;
      return verdict == Verdict::down ? TransitionReason::fell : TransitionReason::rose;
    };
    changes.push_back(
        {follower.what.key, follower.verdict, verdict, reason(), follower.detail, now});
    follower.down_before += down_now(follower.since, follower.verdict, now);
    ++follower.transitions;
    follower.since = now;
    follower.verdict = verdict;
  }
}

VerdictMachine Checks::begin(const ProbeTarget& what, const Moment& now) const {
  for (const std::string& key : what.keys) {
    const auto seed = seeds_.find(key);
    if (seed != seeds_.end()) return VerdictMachine::seeded(seed->second, now.monotonic);
  }
  return {};
}

std::vector<VerdictChange> Checks::note(TargetId id, const ProbeResult& result, const Moment& at) {
  const auto found = targets_.find(id);
  if (found == targets_.end()) return {};
  Target& target = found->second;
  target.detail = result.detail;
  target.latency = result.latency;
  if (is_passed(result.outcome)) target.latencies.add(result.latency);
  if (result.certificate_end) target.certificate_end = result.certificate_end;
  if (!std::exchange(target.is_probed, true)) --unprobed_;
  if (result.outcome == ProbeOutcome::silent) return {};  // check_ages() judges it, in time

  const auto transition =
      target.machine.step(target.what.probe.timing, result.outcome, at.monotonic, result.latency);
  note_wavering(target);
  if (!transition) return {};
  auto changes = change(target, *transition, at);
  follow(changes, at);
  return changes;
}

std::vector<VerdictChange> Checks::check_ages(const Moment& now) {
  std::vector<VerdictChange> changes;
  for (auto& [id, target] : targets_) {
    const auto transition = target.machine.check_age(target.what.probe.timing, now.monotonic);
    if (!transition) continue;
    note_wavering(target);
    target.detail = fmt::format("no result for {} ms; the last one: {}",
                                stale_after(target.what.probe.timing).count(), target.detail);
    std::ranges::move(change(target, *transition, now), std::back_inserter(changes));
  }
  if (!changes.empty()) follow(changes, now);
  return changes;
}

void Checks::note_wavering(Target& target) {
  const bool wavers = target.machine.wavers();
  if (std::exchange(target.wavers, wavers) == wavers) return;
  for (const std::string& key : target.what.keys) wavering_.push_back({key, wavers});
}

/// How long it has been down without a change, if it is.
Milliseconds Checks::down_now(const Moment& since, Verdict verdict, const Moment& now) {
  if (verdict != Verdict::down) return Milliseconds(0);
  return std::max(now.monotonic - since.monotonic, Milliseconds(0));
}

std::vector<VerdictChange> Checks::change(Target& target, const Transition& transition,
                                          const Moment& at) {
  target.down_before += down_now(target.since, transition.from, at);
  ++target.transitions;
  target.since = at;
  std::vector<VerdictChange> changes;
  changes.reserve(target.what.keys.size());
  for (const std::string& key : target.what.keys) {
    changes.push_back({key, transition.from, transition.to, transition.reason, target.detail, at});
  }
  return changes;
}

const Probe* Checks::find(TargetId target) const {
  const auto found = targets_.find(target);
  return found == targets_.end() ? nullptr : &found->second.what.probe;
}

std::vector<CheckState> Checks::snapshot(const Moment& now) const {
  std::vector<CheckState> states;
  for (const auto& [id, target] : targets_) {
    CheckState state{
        .url = target.what.probe.url(),
        .verdict = target.machine.verdict(),
        .since = target.since,
        .detail = target.detail,
        .latency = target.latency,
        .passes = target.machine.passes(),
        .failures = target.machine.failures(),
        .certificate_end = target.certificate_end,
        .latencies = target.latencies,
        .transitions = target.transitions,
        .down_time = target.down_before + down_now(target.since, target.machine.verdict(), now)};
    if (const auto last = target.machine.last_result()) state.age = now.monotonic - *last;
    for (const std::string& key : target.what.keys) {
      state.key = key;
      states.push_back(state);
    }
  }
  for (const Follower& follower : followers_) {
    states.push_back(
        {.key = follower.what.key,
         .url = "calculated",
         .verdict = follower.verdict,
         .since = follower.since,
         .detail = follower.detail,
         .age = Milliseconds{0},
         .transitions = follower.transitions,
         .down_time = follower.down_before + down_now(follower.since, follower.verdict, now)});
  }
  std::ranges::sort(states, {}, &CheckState::key);
  return states;
}

}  // namespace demarc::health
