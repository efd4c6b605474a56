// The values of policy.yaml as written: types are right, references are still names.
// zones/yaml/fields.h reads them, zones/yaml/policy_model.h resolves them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "zones/model.h"
#include "zones/yaml/fields.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t jurisdictions_max = 1000;
inline constexpr std::size_t regions_max = 1000;
inline constexpr std::size_t approval_keys_max = 1000;
inline constexpr std::size_t approval_rules_max = 1000;
inline constexpr std::size_t persons_max = 100;  // that one role of one rule may require
inline constexpr Milliseconds grant_duration_max{std::chrono::hours{24 * 366}};

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
};

struct ApprovalKeyEntry {
  Position at;
  TextAt id;
  TextAt person;
  TextAt role;
  std::optional<KeyAlgorithm> algorithm;  // nothing: it could not be read, and that is reported
  TextAt public_key;                      // a path inside the repository
  std::optional<WallTime> not_after;
};

struct RequireEntry {
  TextAt role;
  unsigned persons = 1;
};

struct ApprovalRuleEntry {
  Position at;
  TextAt zone;
  Mode mode = Mode::read_only;
  std::vector<RequireEntry> require;
};

struct ApprovalsEntry {
  Position at;
  std::string audience;
  Seconds max_duration{std::chrono::hours{24}};
  std::vector<ApprovalKeyEntry> keys;
  std::vector<ApprovalRuleEntry> rules;
};

struct PolicyFile {
  std::vector<JurisdictionEntry> jurisdictions;
  std::vector<RegionEntry> regions;
  std::optional<ApprovalsEntry> approvals;
};

/// Reads what can be read; findings go to the reading. Where there is one, the value is partial.
[[nodiscard]] PolicyFile read_policy_file(const Reading& reading, const Node& root);

}  // namespace demarc::zones::yaml
