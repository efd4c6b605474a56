// Leash settings as one line, for differences (zones/diff/text.h has the other parts).
#pragma once

#include <string>

#include "zones/leash_settings.h"

namespace demarc::zones::diff {

/// "removed-per-minute 34%, ...": every setting, so that two that differ read differently.
[[nodiscard]] std::string leash_text(const LeashSettings& leash);
[[nodiscard]] std::string mass_failure_text(const MassFailureSettings& settings);

}  // namespace demarc::zones::diff
