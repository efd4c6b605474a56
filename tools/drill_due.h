// Whether it is time to practise again: a failover that nobody drills does not work when it has to.
// Pure; tools/outside_world.h asks once an hour. DESIGN.md section 4 and zones/steering_state.h.
#pragma once

#include <optional>

#include "geo/base/moment.h"
#include "zones/events.h"

namespace demarc::tools {

inline constexpr const char* drill_due_key = "drill-due";

struct DrillRecord {
  std::optional<WallTime> passed;  // the last drill that did
  WallTime serving_since;          // when this node first served
};

/// An alert once `policy.drill_due` has gone by since the last passed drill, or since the node
/// first served when none ever passed. Nothing before, and nothing while no service can ever be
/// held at a border: then there is nothing to practise.
[[nodiscard]] std::optional<zones::Alert> find_drill_due(const zones::Repository& repository,
                                                         const DrillRecord& record, WallTime now);

}  // namespace demarc::tools
