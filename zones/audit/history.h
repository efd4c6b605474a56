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
  bool is_removed = false;  // not known because retention removed what was told
  std::vector<std::uint64_t> entries;  // sequences of what says so at its beginning
};

class History {
 public:
  /// `name` without the last dot; with `tenant`, crossings for other tenants do not count.
  /// `removed` is the last entry of any log whose detail retention removed: until the service's
  /// state is told after it, only what is told to be outside home is known.
  History(std::string name, std::string tenant, WallTime from, WallTime to,
          std::optional<std::uint64_t> removed = std::nullopt);

  /// Entries come in the order of the trail, from its beginning.
  void add(const ParsedEntry& parsed);
  /// The intervals from the first moment asked for to the last, without gaps.
  [[nodiscard]] std::vector<Interval> finish();

 private:
  void turn(WallTime at, std::uint64_t sequence);
  [[nodiscard]] Interval state() const;
  void take_definition(const ParsedEntry& parsed);
  [[nodiscard]] std::vector<std::string> outside() const;

  std::string name_, tenant_;
  WallTime from_, to_;
  std::vector<Interval> intervals_;
  WallTime since_;
  std::vector<std::uint64_t> why_;
  bool is_loaded_ = false, is_stopped_ = true, is_broken_ = false;
  bool is_after_trail_ = false;
  std::optional<std::uint64_t> removed_;  // reset once what it took is told again
  bool is_silent_ = false;  // after the last entry before a start that follows no stop
  WallTime last_;           // of the trail's entries so far, and its sequence
  std::uint64_t last_sequence_ = 0;
  std::string definition_;
  struct Abroad {
    std::set<std::string> crossings;  // "GRANT to REGION"
    std::string soft;                 // regions
  };
  std::map<std::string, Abroad> abroad_;       // by class of tenants; "": the service itself
  std::map<std::string, std::string> grants_;  // id -> who signed, case and reason
};

}  // namespace demarc::zones
