#include "zones/diff/leash_text.h"

#include <fmt/format.h>

#include "zones/yaml/fields.h"

namespace demarc::zones::diff {

using yaml::to_text;

std::string leash_text(const LeashSettings& leash) {
  const std::string flap =
      leash.flap ? fmt::format("half-life {} suppress {} reuse {}", to_text(leash.flap->half_life),
                               leash.flap->suppress, leash.flap->reuse)
                 : std::string("none");
  return fmt::format(
      "removed-per-minute {}%, min-healthy {}%, failover-delay {}, failback-delay {}, slow-start "
      "{}, flap {}, failback {}",
      leash.removed_per_minute, leash.min_healthy, to_text(leash.failover_delay),
      to_text(leash.failback_delay), to_text(leash.slow_start), flap,
      leash.failback_by_hand ? "manual" : "auto");
}

std::string mass_failure_text(const MassFailureSettings& settings) {
  return fmt::format("share {}%, window {}", settings.share, to_text(settings.window));
}

}  // namespace demarc::zones::diff
