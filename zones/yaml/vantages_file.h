// `vantages:` of policy.yaml: who may tell this node what they see, and the keys that they sign
// with.
#pragma once

#include <string>
#include <vector>

#include "zones/model.h"
#include "zones/yaml/fields.h"
#include "zones/yaml/repository_files.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t vantages_max = 100;

struct VantageEntry {
  TextAt id;
  std::optional<KeyAlgorithm> algorithm;
  TextAt public_key;  // a path
};

[[nodiscard]] std::vector<VantageEntry> read_vantages(const Reading& reading, const Node& node);

/// With the keys read; `digests` collects what the policy's digest covers.
[[nodiscard]] std::vector<Vantage> build_vantages(const std::vector<VantageEntry>& entries,
                                                  const Reading& reading, RepositoryFiles& files,
                                                  std::string& digests);

}  // namespace demarc::zones::yaml
