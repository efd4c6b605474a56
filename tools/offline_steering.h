// Explains a repository's files as they stand, by base weights, with no server running.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "geo/base/result.h"
#include "tools/explain.h"
#include "zones/steering.h"

namespace demarc::tools {

/// Steering with these files loaded, before any evidence; the error has one line for each thing
/// that is wrong.
[[nodiscard]] Result<std::unique_ptr<zones::Steering>, std::string> steer_offline(
    const std::string& repository);

/// Loads the files and explains; the error has one line for each thing that is wrong.
[[nodiscard]] Result<nlohmann::json, std::string> explain_offline(
    const std::string& repository, const std::vector<std::string>& geoip,
    const ExplainRequest& request);

}  // namespace demarc::tools
