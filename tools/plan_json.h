// The plan as JSON, which is the contract (zones/schema/plan.schema.json); text and Markdown are
// made of it alone, so whatever reads the JSON knows all that people were shown.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "zones/diff/difference.h"

namespace demarc::tools {

/// What one side is: for people, and the digest of what was loaded.
struct PlanEnd {
  std::string what;
  std::string configuration;
};

/// Holds no time: the same two states give the same bytes.
[[nodiscard]] nlohmann::json plan_json(const zones::Difference& difference, const PlanEnd& from,
                                       const PlanEnd& to);

/// For a terminal; ends in a newline.
[[nodiscard]] std::string plan_text(const nlohmann::json& plan);

/// For a merge request.
[[nodiscard]] std::string plan_markdown(const nlohmann::json& plan);

}  // namespace demarc::tools
