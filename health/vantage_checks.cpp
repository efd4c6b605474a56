#include "health/vantage_checks.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace demarc::health {

using zones::Verdict;

std::vector<VantageCheck> build_vantage_checks(const zones::Repository& repository) {
  std::vector<VantageCheck> checks;
  for (const zones::Service& service : repository.services) {
    if (service.tenants_of) continue;  // a class of tenants has copies of its service's checks
    for (const zones::HealthCheck& check : service.checks) {
      if (check.vantage.empty()) continue;
      const std::string own = check.key.substr(0, check.key.size() - check.vantage.size() - 1);
      const Milliseconds told = stale_intervals * observations_interval;
      checks.push_back({check.key, own, check.vantage,
                        std::max(stale_after({check.interval, check.timeout}), told)});
    }
  }
  return checks;
}

void VantageChecks::replace(std::vector<VantageCheck> checks, const Moment& now) {
  std::map<std::string, Known> next;
  for (VantageCheck& check : checks) {
    const auto found = known_.find(check.key);
    Known known = found == known_.end()
                      ? Known{.what = {}, .detail = {}, .since = now, .heard = now.monotonic}
                      : std::move(found->second);
    known.what = std::move(check);
    std::string key = known.what.key;
    next.emplace(std::move(key), std::move(known));
  }
  known_ = std::move(next);
}

Result<std::vector<VerdictChange>, std::string> VantageChecks::note(
    const Observations& observations, const Moment& now) {
  const auto last = last_told_.find(observations.vantage);
  if (last != last_told_.end() && observations.at <= last->second) {
    return std::unexpected(std::string("it is not newer than what the vantage told last"));
  }
  last_told_[observations.vantage] = observations.at;
  std::vector<VerdictChange> changes;
  for (const Observation& one : observations.list) {
    const auto found = known_.find(one.check + "@" + observations.vantage);
    if (found == known_.end()) continue;  // of its own configuration, not of ours
    if (one.verdict == Verdict::unknown || one.verdict == Verdict::stale) continue;
    Known& known = found->second;
    known.heard = now.monotonic;
    known.is_heard = true;
    known.detail = one.detail;
    if (known.verdict == one.verdict) continue;
    const auto reason = [&] {
      if (known.verdict == Verdict::unknown) return TransitionReason::first_result;
      if (known.verdict == Verdict::stale) return TransitionReason::fresh_again;
      return one.verdict == Verdict::down ? TransitionReason::fell : TransitionReason::rose;
    };
    change(known, one.verdict, reason(), now, changes);
  }
  return changes;
}

std::vector<VerdictChange> VantageChecks::check_ages(const Moment& now) {
  std::vector<VerdictChange> changes;
  for (auto& [key, known] : known_) {
    if (known.verdict == Verdict::stale || now.monotonic - known.heard < known.what.stale_after) {
      continue;
    }
    known.detail =
        fmt::format("no word of {} for {} ms{}", known.what.vantage, known.what.stale_after.count(),
                    known.is_heard ? "; the last one: " + known.detail : "");
    change(known, Verdict::stale, TransitionReason::went_stale, now, changes);
  }
  return changes;
}

void VantageChecks::change(Known& known, Verdict to, TransitionReason reason, const Moment& now,
                           std::vector<VerdictChange>& changes) {
  known.down_before += down_now(known, now);
  known.since = now;
  ++known.transitions;
  const Verdict from = std::exchange(known.verdict, to);
  changes.push_back({known.what.key, from, to, reason, known.detail, now});
}

Milliseconds VantageChecks::down_now(const Known& known, const Moment& now) {
  if (known.verdict != Verdict::down) return Milliseconds{0};
  return std::max(now.monotonic - known.since.monotonic, Milliseconds{0});
}

std::vector<CheckState> VantageChecks::snapshot(const Moment& now) const {
  std::vector<CheckState> states;
  for (const auto& [key, known] : known_) {
    CheckState state{.key = key,
                     .url = "seen by " + known.what.vantage,
                     .verdict = known.verdict,
                     .since = known.since,
                     .detail = known.detail.empty() ? "not told yet" : known.detail,
                     .transitions = known.transitions,
                     .down_time = known.down_before + down_now(known, now)};
    if (known.is_heard) state.age = now.monotonic - known.heard;
    states.push_back(std::move(state));
  }
  return states;
}

}  // namespace demarc::health
