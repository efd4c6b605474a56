#include "health/calculated.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace demarc::health {

using zones::Verdict;

std::vector<CalculatedCheck> build_calculated(const zones::Repository& repository) {
  std::vector<CalculatedCheck> waiting;
  for (const zones::Service& service : repository.services) {
    if (service.tenants_of) continue;  // a class of tenants has copies of its service's checks
    for (const zones::HealthCheck& check : service.checks) {
      if (check.calculated) waiting.push_back({check.key, *check.calculated});
    }
  }
  std::set<std::string> pending;
  for (const CalculatedCheck& check : waiting) pending.insert(check.key);
  std::vector<CalculatedCheck> ordered;
  // A repository that loads has no circles; one that had would end this as well.
  for (std::size_t before = waiting.size() + 1; waiting.size() < before;) {
    before = waiting.size();
    std::vector<CalculatedCheck> later;
    for (CalculatedCheck& check : waiting) {
      const bool is_next = std::ranges::none_of(
          check.what.keys, [&](const std::string& key) { return pending.contains(key); });
      if (!is_next) {
        later.push_back(std::move(check));
        continue;
      }
      pending.erase(check.key);
      ordered.push_back(std::move(check));
    }
    waiting = std::move(later);
  }
  return ordered;
}

CalculatedVerdict calculate(const zones::Calculated& what,
                            const std::function<Verdict(const std::string& key)>& verdict_of) {
  unsigned well = 0, unknown = 0;
  for (const std::string& key : what.keys) {
    const Verdict verdict = verdict_of(key);
    well += verdict == Verdict::up || verdict == Verdict::degraded ? 1 : 0;
    unknown += verdict == Verdict::unknown || verdict == Verdict::stale ? 1 : 0;
  }
  CalculatedVerdict result{
      Verdict::unknown,
      fmt::format("{} of {} well, {} unknown; {} at least {}", well, what.keys.size(), unknown,
                  what.is_inverted ? "up unless" : "up with", what.at_least)};
  if (well >= what.at_least) {
    result.verdict = what.is_inverted ? Verdict::down : Verdict::up;
  } else if (well + unknown < what.at_least) {
    result.verdict = what.is_inverted ? Verdict::up : Verdict::down;
  }
  return result;
}

}  // namespace demarc::health
