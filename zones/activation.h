// Guarded activation: what must hold, beside the signatures, at the moment a new crossing is made.
// zones/steering_services.cpp asks before each; the answers go to the trail and `demarc pending`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "zones/events.h"
#include "zones/gate.h"
#include "zones/plan.h"
#include "zones/steering_state.h"

namespace demarc::zones {

/// A question that got no word may be asked again after this.
inline constexpr Milliseconds advice_asked_again{30'000};
/// A measured lag counts for this many of its intervals.
inline constexpr int lag_fresh_intervals = 3;

struct StepResult {
  std::string name;
  bool passed = false;
  std::string text;  // for people
  auto operator<=>(const StepResult&) const = default;
};

/// A crossing that the gate would make, with all that the steps look at. Borrows everything.
struct Activating {
  const Repository& repository;
  const SteeringState& state;
  const Plan& plan;
  const Made& made;
  std::string rule;  // id of the residency rule that allows it
  std::string evidence;
  WallTime now;
};

/// The steps in their order; those that are not configured are left out. Pure.
[[nodiscard]] std::vector<StepResult> checklist(const Activating& crossing);
[[nodiscard]] bool all_passed(const std::vector<StepResult>& steps) noexcept;
/// "capacity, replication-lag": the names of those that did not pass.
[[nodiscard]] std::string failed_steps(const std::vector<StepResult>& steps);

/// "GRANT from REGIONS to REGION of SERVICE under policy DIGEST", and the tenant if it is one's:
/// the key of SteeringState::advice. A word is about this very crossing under this very policy.
[[nodiscard]] std::string advice_key(const Activating& crossing);
/// The question to the policy's advisor; nothing: there is none, or it was asked and may not be
/// asked again yet.
[[nodiscard]] std::optional<AdviceWanted> advice_needed(const Activating& crossing);

/// "GRANT to REGION", with " for tenant T".
[[nodiscard]] std::string crossing_text(const Policy& policy, const Made& made);

}  // namespace demarc::zones
