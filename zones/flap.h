// The flap penalty: what changes its mind often is believed again only after a while of peace
// (the shape of route flap damping, RFC 2439). zones/steering_health.cpp keeps it by check.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "zones/leash_settings.h"

namespace demarc::zones {

/// Each change from down to well, or back, adds this.
inline constexpr std::uint32_t flap_change = 1000;
/// The penalty grows no further than this many times `reuse`: four half-lives of peace suffice.
inline constexpr std::uint32_t flap_penalty_limit = 16;

/// What is left of a penalty after `passed`; time that goes backwards leaves it as it is.
[[nodiscard]] inline std::uint32_t decayed(std::uint32_t penalty, Milliseconds passed,
                                           const FlapSettings& settings) {
  if (passed <= Milliseconds::zero()) return penalty;
  const double half_lives =
      static_cast<double>(passed.count()) / static_cast<double>(settings.half_life.count());
  return static_cast<std::uint32_t>(static_cast<double>(penalty) * std::exp2(-half_lives));
}

[[nodiscard]] inline std::uint32_t penalty_after_change(std::uint32_t penalty,
                                                        const FlapSettings& settings) {
  return std::min(penalty + flap_change, settings.reuse * flap_penalty_limit);
}

/// How long until the penalty is below `reuse`; zero if it does not suppress.
[[nodiscard]] inline Milliseconds suppressed_for(std::uint32_t penalty,
                                                 const FlapSettings& settings) {
  if (penalty <= settings.suppress) return Milliseconds::zero();
  const double half_lives =
      std::log2(static_cast<double>(penalty) / static_cast<double>(settings.reuse));
  return Milliseconds(static_cast<std::int64_t>(
      std::ceil(half_lives * static_cast<double>(settings.half_life.count()))));
}

}  // namespace demarc::zones
