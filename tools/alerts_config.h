// The key `alerts` of demarcd.yaml: who is told of alerts, and how. tools/daemon_config.h reads the
// file, tools/outside_world.h uses this; tools/README.md is its reference.
#pragma once

#include <filesystem>
#include <vector>

#include "geo/base/moment.h"
#include "health/alerts/receiver.h"
#include "zones/yaml/fields.h"

namespace demarc::tools {

/// Each receiver has a thread of its own.
inline constexpr std::size_t receivers_max = 16;

struct AlertsConfig {
  Milliseconds reminder{std::chrono::hours{1}};
  std::vector<health::Receiver> receivers;
};

/// Reads the map; paths are relative to `folder`. Secrets are read from their files now. Every
/// finding goes to the reading's diagnostics.
[[nodiscard]] AlertsConfig read_alerts(const zones::yaml::Reading& reading,
                                       const zones::yaml::Node& node,
                                       const std::filesystem::path& folder);

}  // namespace demarc::tools
