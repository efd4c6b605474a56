// The values of policy.yaml as written: types are right, references are still names.
// zones/yaml/fields.h reads them, zones/yaml/policy_model.h resolves them; who may approve what is
// in zones/yaml/approvals_file.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "zones/model.h"
#include "zones/yaml/approvals_file.h"
#include "zones/yaml/fields.h"
#include "zones/yaml/leash_file.h"
#include "zones/yaml/rules_file.h"
#include "zones/yaml/vantages_file.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t jurisdictions_max = 1000;
inline constexpr std::size_t regions_max = 1000;
inline constexpr std::size_t region_asns_max = 1000;

struct JurisdictionEntry {
  std::string name;
  Position at;
  std::vector<At<geo::Code2>> countries;
  std::vector<TextAt> approved_standby;
};

struct RegionEntry {
  std::string name;
  Position at;
  TextAt jurisdiction;
  geo::Coordinates location;
  std::vector<std::uint32_t> asns;
};

struct PolicyFile {
  RulesEntry rules;
  std::vector<JurisdictionEntry> jurisdictions;
  std::vector<RegionEntry> regions;
  std::optional<ApprovalsEntry> approvals;
  LeashEntry leash;
  std::vector<VantageEntry> vantages;
};

/// Reads what can be read; findings go to the reading. Where there is one, the value is partial.
[[nodiscard]] PolicyFile read_policy_file(const Reading& reading, const Node& root);

}  // namespace demarc::zones::yaml
