// What a Prometheus query gave: the answer of its HTTP API, which somebody else wrote.
// health/expectation.h compares it.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "geo/base/result.h"

namespace demarc::health {

/// The value of a scalar, or of each series of an instant vector, at least one, as Prometheus
/// writes them: "0.25", "NaN", "+Inf". The error says why there is none.
[[nodiscard]] Result<std::vector<std::string>, std::string> read_query_values(
    const nlohmann::json& answer);

}  // namespace demarc::health
