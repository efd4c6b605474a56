// Views: what the routes make of a location. Services with equal routes and homes share a view, and
// a location class is one row of variants, one variant for each view.
// geo/location_table.h calls classify() while it is built; zones/plan.h and dns/ read the variants.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "geo/base/address.h"
#include "geo/location.h"
#include "geo/location_table.h"
#include "zones/model.h"

namespace demarc::zones {

using VariantId = std::uint16_t;

/// What one view says to one kind of client.
struct Variant {
  std::vector<RegionId> order;         // regions by preference; empty with `weighted`
  bool weighted = false;               // no route: all records are one set
  std::optional<JurisdictionId> home;  // `home: client`: the client's, or the default home

  auto operator<=>(const Variant&) const = default;
};

/// Evaluates one route for one location. `marks` are the networks of Views::marks().
/// Pure; reads nothing but its arguments.
[[nodiscard]] Variant evaluate_route(const Policy& policy, const Service& service,
                                     const geo::Location& location,
                                     std::span<const geo::Prefix> marks);

/// All views of a repository. Filled once: the constructor finds the views, classify() finds the
/// variants while the location table is built; immutable afterwards, any thread may read it.
class Views {
 public:
  /// Sets `view` of every service. Keeps a pointer to `repository`, which must outlive it.
  explicit Views(Repository& repository);

  /// Every network that a route names, without duplicates, in a fixed order.
  [[nodiscard]] std::span<const geo::Prefix> marks() const noexcept { return marks_; }

  /// The class of a location, for geo::LocationTable::build; nothing when there are too many.
  [[nodiscard]] std::optional<geo::ClassId> classify(const geo::Location& location);

  /// Whether any view tells clients apart at all: else no database is needed.
  [[nodiscard]] bool needs_geo() const noexcept;

  [[nodiscard]] std::size_t view_count() const noexcept { return views_.size(); }
  [[nodiscard]] std::span<const Variant> variants(ViewId view) const;
  /// Indexed by class; as many entries as classes were made.
  [[nodiscard]] const std::vector<VariantId>& variant_of_class(ViewId view) const;
  [[nodiscard]] std::size_t class_count() const noexcept { return class_count_; }

  /// One service of each view.
  [[nodiscard]] ServiceId example_of(ViewId view) const {
    return views_.at(index_of(view)).example;
  }

 private:
  struct View {
    ServiceId example{};
    bool is_same_for_all = false;  // one variant, known at once
    std::vector<Variant> variants;
    std::map<Variant, VariantId> ids;
    std::vector<VariantId> variant_of_class;
  };
  const Repository* repository_;
  std::vector<geo::Prefix> marks_;
  std::vector<View> views_;
  // By the variants of the views that tell clients apart.
  std::map<std::vector<VariantId>, geo::ClassId> classes_;
  std::size_t class_count_ = 0;
};

}  // namespace demarc::zones
