// Which entries of the trail belong to a case: `demarc audit show --case` and `export` ask it.
// tools/cli_audit.cpp and tools/cli_audit_export.cpp feed it the trail.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "zones/audit/entry.h"

namespace demarc::tools {

/// What belongs to a case: entries that name it, and those that name a grant, change, service or
/// token which such an entry named.
class CaseFilter {
 public:
  explicit CaseFilter(std::string case_id) : case_(std::move(case_id)) {}

  void learn(const zones::AuditEntry& entry) {
    if (!names_case(entry)) return;
    for (const auto& [name, value] : entry.facts) {
      if (name == "grant" || name == "change") ids_.insert(value);
    }
  }
  [[nodiscard]] bool has(const zones::AuditEntry& entry) const {
    if (case_.empty() || names_case(entry)) return true;
    return std::ranges::any_of(entry.facts, [&](const auto& fact) {
      return std::ranges::any_of(ids_, [&](const std::string& id) {
        return fact.second == id || fact.second.starts_with(id + " ");
      });
    });
  }

 private:
  [[nodiscard]] bool names_case(const zones::AuditEntry& entry) const {
    return std::ranges::any_of(entry.facts, [&](const auto& fact) {
      return (fact.first == "case" && fact.second == case_) ||
             (fact.first.starts_with("signature-") &&
              fact.second.find(" case " + case_ + " ") != std::string::npos);
    });
  }

  std::string case_;
  std::set<std::string> ids_;
};

}  // namespace demarc::tools
