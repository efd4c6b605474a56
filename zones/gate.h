// The gate: no weight becomes an answer but through here. It removes what is not eligible before
// any weight is looked at, holds crossings back, and makes the only ClearedWeights there are.
// zones/plan.h feeds it, zones/steering.h publishes what it clears and reports what it held.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "zones/cleared_weights.h"
#include "zones/model.h"
#include "zones/plan.h"
#include "zones/view.h"

namespace demarc::zones {

/// A live permission, as far as the gate needs it: records of `service` in `to` may answer once all
/// records of a home region in `from` have lost their weight. Alive until `end`, exclusive.
struct Permission {
  std::string grant_id;
  ServiceId service{};
  std::vector<RegionId> from;
  std::vector<RegionId> to;
  Mode mode = Mode::read_only;
  WallTime end;
  unsigned max_share = 100;  // percent of answers that may cross
  std::string tenant;        // empty: the whole service
  std::string case_id;
  /// Set: it covers nothing where another home region than these has failed too. For crossings that
  /// are made already and must not widen.
  std::optional<std::vector<RegionId>> only_failed;
};

/// A crossing that the plan wanted and the gate did not make.
struct Held {
  std::vector<RegionId> from;  // home regions without weight, ascending; never empty
  std::vector<RegionId> to;    // foreign regions that would have answered, ascending; never empty
  auto operator<=>(const Held&) const = default;
};

/// A crossing that is made, with the grant that covers it. Another failed region of home is another
/// crossing: it has an entry of its own in the trail.
struct Made {
  std::string grant_id;
  RegionId to{};
  std::vector<RegionId> from;  // all failed home regions, ascending
  std::string tenant;          // the grant's; empty: all
  auto operator<=>(const Made&) const = default;
};

struct Ruling {
  ClearedWeights cleared;
  std::optional<Held> held;               // over all kinds of clients
  std::vector<Made> made;                 // ordered, no duplicates
  std::vector<RegionId> soft_abroad;      // regions outside a soft home that answer, though base
                                          // weights would not: to be audited and alerted
  std::string held_rule;                  // id of the residency rule behind `held`
  bool held_by_rule = false;              // that rule denies it: no grant would help
  std::map<RegionId, std::string> rules;  // of `made` and `soft_abroad`: the rule that allowed it
};

/// Whose law an answer falls under: the declared one of a CNAME's target, else the region's.
[[nodiscard]] JurisdictionId place_of(const Policy& policy, const Record& record);
/// Whether a record lies in `home` or in a standby approved for it: its region, and what it
/// declares as well, for one that contradicts its region is foreign.
[[nodiscard]] bool lies_inside(const Policy& policy, const Record& record,
                               JurisdictionId home) noexcept;

/// Whether a record may answer clients whose home is `home` without any grant. Residency none and
/// soft: always. Hard: the record lies inside the home; no home: never.
[[nodiscard]] bool is_eligible(const Policy& policy, const Service& service, const Record& record,
                               std::optional<JurisdictionId> home) noexcept;

/// The same with the residency rules: a record abroad that a rule denies a soft service by name is
/// not eligible either.
[[nodiscard]] bool is_eligible(const Repository& repository, const Service& service,
                               const Record& record, std::optional<JurisdictionId> home);

/// The home that applies to a variant of a service's view.
[[nodiscard]] std::optional<JurisdictionId> home_of(const Service& service,
                                                    const Variant& variant) noexcept;

/// The records that answer a variant by the plan's weights alone, as if there were no borders:
/// those with weight in the first region that has any. Empty if no record has weight.
[[nodiscard]] std::vector<WeightedRecord> answered_first(const Service& service,
                                                         const Variant& variant, const Plan& plan);

class Gate {
 public:
  /// Decides one service. `permissions` are the live ones; those of other services are ignored, and
  /// so is one that does not cover the service's access, or that a residency rule denies. With a
  /// `tenant` of the class, that tenant's permissions count too, and the weights are for it alone.
  /// Pure and deterministic; control thread.
  [[nodiscard]] static Ruling rule(const Repository& repository, const Views& views,
                                   const Plan& plan, std::span<const Permission> permissions,
                                   const std::string& tenant = {});
};

}  // namespace demarc::zones
