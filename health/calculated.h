// Checks that ask nothing and follow others: so many of them are well, or just not. Pure;
// health/checks.h feeds it the verdicts of the others.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "zones/model.h"
#include "zones/verdict.h"

namespace demarc::health {

struct CalculatedCheck {
  std::string key;
  zones::Calculated what;
};

/// Those of a repository, each after all that it follows.
[[nodiscard]] std::vector<CalculatedCheck> build_calculated(const zones::Repository& repository);

/// What it is now: up or down once those that are known decide it, whatever the rest would say;
/// else unknown. `detail` tells the count.
struct CalculatedVerdict {
  zones::Verdict verdict = zones::Verdict::unknown;
  std::string detail;
};
[[nodiscard]] CalculatedVerdict calculate(
    const zones::Calculated& what,
    const std::function<zones::Verdict(const std::string& key)>& verdict_of);

}  // namespace demarc::health
