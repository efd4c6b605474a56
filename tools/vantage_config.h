// `vantage:` of demarcd.yaml: this node tells others what its checks find. tools/vantage_sender.h
// does.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "zones/model.h"
#include "zones/yaml/fields.h"

namespace demarc::tools {

inline constexpr std::size_t push_to_max = 32;

struct VantageConfig {
  std::string id;   // as the others' policy.yaml has it
  std::string key;  // a path to the private key
  zones::KeyAlgorithm algorithm = zones::KeyAlgorithm::EdDSA;
  std::vector<std::string> push_to;  // URLs
};

/// Paths are below `folder`.
[[nodiscard]] std::optional<VantageConfig> read_vantage(const zones::yaml::Reading& reading,
                                                        const zones::yaml::Node& node,
                                                        const std::filesystem::path& folder);

}  // namespace demarc::tools
