#include "tools/drill_evidence.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "health/checks.h"
#include "health/schedule.h"
#include "zones/drill/judge.h"

namespace demarc::tools {
namespace {

using namespace zones::drill;

// What an endpoint that is up needs to answer, and one that refuses to say so.
constexpr Milliseconds answers_after{20};
constexpr Milliseconds refuses_after{1};
constexpr MonotonicTime start{std::chrono::hours(24)};  // the drill's own zero

struct Result {
  health::TargetId target{};
  health::ProbeResult result;
};

struct ProbePlan {
  Milliseconds takes{0};
  health::ProbeResult result;
};

/// How a probe that starts at `at` comes out.
ProbePlan probe(const health::Probe& what, const Outages& outages, Milliseconds at) {
  const auto name = zones::Name::parse_absolute(what.host);
  const std::string endpoint = name ? name->text_without_dot() : what.host;
  const Milliseconds latency = std::min(answers_after, what.timing.timeout / 2);
  const bool is_down = outages.is_down(endpoint, at) || outages.is_down(endpoint, at + latency);
  if (!is_down) return {latency, {health::ProbeOutcome::pass, "HTTP 200", latency}};
  if (outages.how(endpoint, at) == FailureKind::refused) {
    return {refuses_after, {health::ProbeOutcome::fail, "connection refused", refuses_after}};
  }
  const Milliseconds timeout = what.timing.timeout;
  return {
      timeout,
      {health::ProbeOutcome::fail, fmt::format("timeout after {} ms", timeout.count()), timeout}};
}

/// Long enough that every check has a verdict and its phase is anything.
Milliseconds warm_up(const std::vector<health::ProbeTarget>& targets) {
  Milliseconds longest{10'000};
  for (const health::ProbeTarget& target : targets) {
    const auto& timing = target.probe.timing;
    longest = std::max(longest, 3 * timing.interval + timing.timeout);
  }
  return longest;
}

}  // namespace

std::vector<Evidence> make_evidence(const Scenario& scenario, const zones::Repository& repository,
                                    std::uint64_t seed) {
  const Outages outages(scenario, repository);
  auto targets = health::build_targets(repository);
  std::vector<Evidence> evidence;
  if (targets.empty()) return evidence;

  const MonotonicTime begin = start - warm_up(targets);
  const MonotonicTime end = start + scenario.lasts;
  health::Checks checks;
  health::ProbeSchedule schedule(seed);
  auto replaced =
      checks.replace(std::move(targets), {WallTime{}, begin}, health::build_calculated(repository));
  schedule.add(replaced.added, begin);
  std::multimap<MonotonicTime, Result> results;
  const auto note = [&](MonotonicTime at, const Result& result) {
    for (auto& change : checks.note(result.target, result.result, {WallTime{}, at})) {
      evidence.push_back({at - start, change.key, change.to, std::move(change.detail)});
    }
  };
  while (true) {
    const auto due = schedule.next_due();
    const MonotonicTime next =
        std::min(due.value_or(end), results.empty() ? end : results.begin()->first);
    if (next >= end) return evidence;
    if (!results.empty() && results.begin()->first == next) {
      note(next, results.begin()->second);
      results.erase(results.begin());
      continue;
    }
    const auto target = schedule.take_due(next);
    const health::Probe& what = *checks.find(*target);
    auto plan = probe(what, outages, next - start);
    results.emplace(next + plan.takes, Result{*target, std::move(plan.result)});
    schedule.plan_next(*target, what.timing.interval, next);
  }
}

}  // namespace demarc::tools
