// The evidence of a shadow drill: what the real probe schedule and the real verdict machines
// (health/schedule.h, health/checks.h) make of endpoints that fail as the scenario says, on a
// virtual clock. zones/drill/shadow.h plays it to steering.
#pragma once

#include <cstdint>
#include <vector>

#include "zones/drill/scenario.h"
#include "zones/drill/shadow.h"
#include "zones/model.h"

namespace demarc::tools {

/// Verdicts of all checks of the repository, from some rounds of probes before the drill's start
/// (with every endpoint up) to its end, by time. The seed decides the phases and the jitter; the
/// same seed gives the same evidence. Reads no clock, asks nobody.
[[nodiscard]] std::vector<zones::drill::Evidence> make_evidence(
    const zones::drill::Scenario& scenario, const zones::Repository& repository,
    std::uint64_t seed);

}  // namespace demarc::tools
