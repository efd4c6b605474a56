// Which entries of the trail belong to a case: `demarc audit show --case` and `export` ask it.
// tools/cli_audit.cpp and tools/cli_audit_export.cpp feed it the trail, twice.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "zones/audit/entry.h"

namespace demarc::tools {

/// What belongs to a case: entries that name it or a grant or change that such an entry named; and
/// what was told of the same services from the failure that made the pending change to the end of
/// the last grant, with the definitions that were in force when it began.
class CaseFilter {
 public:
  /// An empty case has every entry.
  explicit CaseFilter(std::string case_id) : case_(std::move(case_id)) {}

  /// The whole trail in its order, before the first has().
  void learn(const zones::ParsedEntry& parsed);
  [[nodiscard]] bool has(const zones::ParsedEntry& parsed) const;

 private:
  struct Point {
    std::uint64_t sequence = 0;
    WallTime time;
  };
  struct Wanted {
    Point begin;
    std::optional<WallTime> ended;
  };

  [[nodiscard]] bool names_case(const zones::AuditEntry& entry) const;
  [[nodiscard]] bool names_known(const zones::AuditEntry& entry) const;
  void remember(const zones::AuditEntry& entry, const Point& here);
  void take(const zones::AuditEntry& entry, const Point& here);

  std::string case_;
  std::set<std::string> ids_;                        // of grants and changes
  std::set<std::string> live_;                       // grants
  std::map<std::string, Wanted> wanted_;             // by service: its last failure
  std::map<std::string, std::uint64_t> definition_;  // by service: its last service-loaded
  std::optional<std::uint64_t> configuration_;       // the last configuration-loaded
  std::map<std::string, Point> begin_;               // by service of the case
  std::set<std::uint64_t> in_force_;                 // sequences of definitions at the beginning
  std::optional<Point> first_;
  Point last_;
};

}  // namespace demarc::tools
