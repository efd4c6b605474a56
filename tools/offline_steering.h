// Explains a repository's files as they stand, by base weights, with no server running.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "geo/base/result.h"
#include "tools/explain.h"

namespace demarc::tools {

/// Loads the files and explains; the error has one line for each thing that is wrong.
[[nodiscard]] Result<nlohmann::json, std::string> explain_offline(
    const std::string& repository, const std::vector<std::string>& geoip,
    const ExplainRequest& request);

}  // namespace demarc::tools
