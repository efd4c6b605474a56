// A service's `activation`: what must hold, beside the signatures, when a crossing is made.
// zones/yaml/service_file.cpp reads it, zones/yaml/service_model.cpp resolves the regions.
#pragma once

#include <vector>

#include "zones/model.h"
#include "zones/yaml/fields.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t lag_checks_max = 100;  // of one service

struct LagEntry {
  TextAt region;
  LagCheck check;  // without key and region
};

struct ActivationEntry {
  bool target_healthy = true;
  std::optional<unsigned> capacity;
  std::vector<LagEntry> lag;
};

/// "60%" or "60": percent, 0 to 10000.
[[nodiscard]] std::optional<unsigned> read_percent(const Reading& reading, const Node& node,
                                                   std::string_view what);
/// As read_percent(), from `min` to 100.
[[nodiscard]] std::optional<unsigned> read_share(const Reading& reading, const Node& node,
                                                 std::string_view key, unsigned min);
[[nodiscard]] ActivationEntry read_activation(const Reading& reading, const Node& node);

}  // namespace demarc::zones::yaml
