// Assertions: what no plan may break, however it came about (policy.yaml, `assertions`).
// zones/plan.cpp applies them last, before the gate; zones/rules.cpp checks base weights by them.
#pragma once

#include <string>
#include <vector>

#include "zones/model.h"
#include "zones/plan.h"

namespace demarc::zones {

/// Makes the plan obey. at-least: the first regions of the list, at home, get their weights back
/// until enough are on, up or not. never-together: of the regions that no other assertion excludes,
/// the first with weight keeps it (if none has any, the first that is usable), the records of the
/// others are excluded, so that one of them is always left. Adds the ids of
/// those that changed something to `asserted`. Where one assertion's way breaks another, the
/// regions of all go back to base weights, which break none. Pure.
void apply_assertions(const Repository& repository, Plan& plan);

/// Who may not answer while only `mask` may: the plan's `excluded`, but where the one region that a
/// never-together leaves cannot answer, another of its regions does. Needs a plan that
/// apply_assertions() made. Pure.
[[nodiscard]] std::vector<bool> excluded_among(const Repository& repository, const Plan& plan,
                                               const std::vector<bool>& mask);

/// The assertions that the weights of a plan break, in the order of the file. A region whose only
/// records are excluded counts as without weight.
[[nodiscard]] std::vector<std::string> broken_assertions(const Repository& repository,
                                                         const Plan& plan);

}  // namespace demarc::zones
