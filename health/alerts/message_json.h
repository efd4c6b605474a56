// An alert's details as JSON, the same in a webhook, in the spool (health/alerts/message.h) and in
// what `demarc alerts` shows (tools/alerts_status.h).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "zones/events.h"

namespace demarc::health {

[[nodiscard]] nlohmann::json details_json(const zones::AlertDetails& details);

}  // namespace demarc::health
