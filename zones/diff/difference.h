// The difference of two states of a repository, by meaning and not by text: order, comments and
// style of the files do not count. zones/diff/change.h says what a change is; the parts are
// zones/diff/parts.h, the clients' side zones/diff/traffic.h. Pure; `demarc plan` prints it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "zones/diff/change.h"
#include "zones/diff/places.h"
#include "zones/model.h"

namespace demarc::zones {

/// One state: a loaded repository with the places of its files.
struct DiffSide {
  std::unique_ptr<Repository> repository;
  PlaceIndex places;
};

struct Difference {
  std::vector<Change> changes;        // by class (legal first), then subject, then kind
  std::vector<TrafficShift> traffic;  // by service
  /// Clients whose answers `traffic` does not compare, though the repositories tell them apart:
  /// "single tenants". Their changes are among `changes`.
  std::vector<std::string> not_walked;
  /// Nothing differs, or the class of the gravest change.
  [[nodiscard]] bool empty() const noexcept { return changes.empty() && traffic.empty(); }
  [[nodiscard]] ChangeClass gravest() const noexcept;
};

/// Both sides are loaded without errors. Equal repositories give an empty difference; the same two
/// give the same one every time.
[[nodiscard]] Difference build_difference(DiffSide& from, DiffSide& to);

}  // namespace demarc::zones
