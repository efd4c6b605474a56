// Every setting that decides about one service: its effective value, and where it came from.
// tools/explain.h tells it with the rest.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "zones/model.h"

namespace demarc::tools {

/// A list of `{ "of": "service" | a check's key, "setting", "value", "source" }`. The source is
/// "default", "policy.yaml", the zone's file (its `ttl`), or the place in the zone file of the
/// service or check that says so; one that says what would hold anyway counts as the default.
[[nodiscard]] nlohmann::json settings_of(const zones::Repository& repository,
                                         const zones::Service& service);

/// The same for people.
[[nodiscard]] std::string settings_text(const nlohmann::json& settings);

}  // namespace demarc::tools
