// How far automation may go without a person: the settings of DESIGN section 4 rule 11.
// zones/yaml/leash_file.h reads them; zones/leash.h, zones/flap.h and zones/steering_guard.cpp
// obey.
#pragma once

#include <compare>
#include <optional>

#include "geo/base/moment.h"

namespace demarc::zones {

/// A check that keeps changing its mind: each change adds flap_change to its penalty
/// (zones/flap.h).
struct FlapSettings {
  Milliseconds half_life{600'000};  // of the penalty
  unsigned suppress = 2500;         // above it a check that is well again is not believed
  unsigned reuse = 800;             // until the penalty is below this
  auto operator<=>(const FlapSettings&) const = default;
};

/// Of one service, which is the pool that percentages are of.
struct LeashSettings {
  unsigned removed_per_minute = 34;      // percent of its base weight, 1 to 100; 100: no limit
  unsigned min_healthy = 0;              // percent of its base weight that stays; 0: no such limit
  Milliseconds failover_delay{0};        // a check is down for so long before that moves anything
  Milliseconds failback_delay{300'000};  // a check is well for so long before its record is back,
                                         // while others at home answer
  Milliseconds slow_start{0};            // how long a returning record takes to its whole weight
  std::optional<FlapSettings> flap;      // nothing: no penalty
  bool failback_by_hand = false;  // once a grant led away, home waits for an order or its end
  auto operator<=>(const LeashSettings&) const = default;
};

/// Of the whole repository: when so many fail at once that it is rather our own fault.
struct MassFailureSettings {
  unsigned share = 50;  // percent of checked endpoints, 1 to 100; 100: never
  Milliseconds window{60'000};
  auto operator<=>(const MassFailureSettings&) const = default;
};
/// With fewer checked endpoints than this a share says nothing.
inline constexpr std::size_t mass_failure_endpoints_min = 4;

}  // namespace demarc::zones
