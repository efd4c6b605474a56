// The values of `approvals` in policy.yaml as written: keys, rules, break-glass, key list.
// zones/yaml/approvals_model.h reads the files they name and makes the model of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "zones/model.h"
#include "zones/yaml/fields.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t approval_keys_max = 1000;
inline constexpr std::size_t approval_rules_max = 1000;
inline constexpr std::size_t list_signatures_max = 100;
inline constexpr std::size_t persons_max = 100;  // that one role of one rule may require
inline constexpr Milliseconds grant_duration_max{std::chrono::hours{24 * 366}};
inline constexpr Seconds break_glass_duration_max{std::chrono::hours{4}};

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

struct BreakGlassEntry {
  Seconds max_duration{break_glass_duration_max};
  std::vector<RequireEntry> require;
  std::vector<RequireEntry> review;
};

struct KeyListEntry {
  Position at;
  std::uint32_t version = 0;
  std::vector<RequireEntry> require;
  std::vector<TextAt> signatures;  // paths inside the repository
  std::optional<WallTime> not_after;
};

struct ApprovalsEntry {
  Position at;
  std::string audience;
  Seconds max_duration{std::chrono::hours{24}};
  std::vector<ApprovalKeyEntry> keys;
  std::vector<ApprovalRuleEntry> rules;
  std::optional<BreakGlassEntry> break_glass;
  std::vector<RequireEntry> drill;
  std::optional<KeyListEntry> key_list;
};

/// Reads what can be read; findings go to the reading.
void read_approvals(const Reading& reading, const Node& node, ApprovalsEntry& approvals);

}  // namespace demarc::zones::yaml
