// Was this name ever answered outside home? From the trail's entries alone, in their order.
// zones/steering_definitions.cpp and zones/steering_services.cpp state what this reads;
// tools/cli_audit_history.cpp verifies the trail first and prints it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "zones/audit/entry.h"

namespace demarc::zones {

struct Interval {
  WallTime from, to;
  std::string what;  // for people
  bool is_outside = false;
  bool is_unknown = false;  // no server ran, the trail was broken, or nothing was told of the name
  std::vector<std::uint64_t> entries;  // sequences of what says so at its beginning
};

class History {
 public:
  /// `name` without the last dot; with `tenant`, crossings for other tenants do not count.
  History(std::string name, std::string tenant, WallTime from, WallTime to);

  /// Entries come in the order of the trail, from its beginning.
  void add(const ParsedEntry& parsed);
  /// The intervals from the first moment asked for to the last, without gaps.
  [[nodiscard]] std::vector<Interval> finish();

 private:
  void turn(WallTime at, std::uint64_t sequence);
  [[nodiscard]] Interval state() const;
  void take_definition(const AuditEntry& entry);

  std::string name_, tenant_;
  WallTime from_, to_;
  std::vector<Interval> intervals_;
  WallTime since_;
  std::vector<std::uint64_t> why_;
  bool is_loaded_ = false, is_stopped_ = true, is_broken_ = false;
  bool is_after_trail_ = false;
  bool is_silent_ = false;  // after the last entry before a start that follows no stop
  WallTime last_;           // of the trail's entries so far, and its sequence
  std::uint64_t last_sequence_ = 0;
  std::string definition_;
  std::set<std::string> crossings_;            // "GRANT to REGION"
  std::string soft_;                           // regions
  std::map<std::string, std::string> grants_;  // id -> who signed, case and reason
};

}  // namespace demarc::zones
