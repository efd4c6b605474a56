// What crossings that are covered wait for, as JSON and for people: their steps, the advisor's
// word, measured lags. zones/activation.h decides; tools/status.h shows this with the rest.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "zones/steering.h"

namespace demarc::tools {

/// One entry a crossing: `service`, `crossing` ("GRANT to REGION", and the tenant) and its `steps`
/// in order. Only services that the last ruling made wait.
[[nodiscard]] nlohmann::json waits_of(const zones::Steering& steering);
/// The steps of one service's crossings in one list, each with its crossing; empty: none waits.
[[nodiscard]] nlohmann::json steps_of(const zones::Steering& steering, zones::ServiceId service);
/// What the advisor was asked: `crossing`, `word` (`allow`, `deny`, or null), `detail`, `since`.
[[nodiscard]] nlohmann::json advice_of(const zones::SteeringState& state);
/// What replicas said: `check`, `value` (a number, or null), `detail`, `since`.
[[nodiscard]] nlohmann::json lag_of(const zones::SteeringState& state);

/// Lines for a list of steps, indented.
[[nodiscard]] std::string steps_text(const nlohmann::json& steps);
/// The three lists above for people; empty where there is nothing.
[[nodiscard]] std::string activation_text(const nlohmann::json& waits, const nlohmann::json& advice,
                                          const nlohmann::json& lag);

}  // namespace demarc::tools
