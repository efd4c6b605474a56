// The parts of a difference, each for its part of the model, and the list they all add to.
// zones/diff/difference.h calls them; zones/diff/text.h has their words.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "zones/diff/change.h"
#include "zones/diff/difference.h"

namespace demarc::zones::diff {

/// Both sides, and the changes found between them.
class Changes {
 public:
  Changes(const DiffSide& from, const DiffSide& to) : from_(from), to_(to) {}

  /// Adds a change whose two texts differ, with the place of a path in a file; else does nothing.
  void add(Change change, const std::string& file, const std::string& path);
  /// Likewise, with a place that the model knows.
  void add(Change change, const Place& old_place, const Place& new_place);

  [[nodiscard]] const Repository& from() const noexcept { return *from_.repository; }
  [[nodiscard]] const Repository& to() const noexcept { return *to_.repository; }
  [[nodiscard]] std::vector<Change> take() { return std::move(list_); }

 private:
  const DiffSide& from_;
  const DiffSide& to_;
  std::vector<Change> list_;
};

/// Jurisdictions, regions, assertions, advisor, due dates.
void diff_policy(Changes& changes, const std::set<std::string>& shifted);
/// Keys, rules and what else decides who may approve.
void diff_approvals(Changes& changes);
/// Residency rules and templates.
void diff_residency_rules(Changes& changes);
/// `shifted`: owners of services whose clients are answered differently.
void diff_services(Changes& changes, const std::set<std::string>& shifted);
/// Zones, static RRsets, networks.yaml.
void diff_zones(Changes& changes);
void diff_tenants(Changes& changes);

/// Whether fewer persons, or others, satisfy `after` than `before`.
[[nodiscard]] bool requires_less(const Required& before, const Required& after);

/// The risk, the way back and the reviewers of a change whose other fields are set.
void explain_change(Change& change, const Policy& from, const Policy& to);

}  // namespace demarc::zones::diff
