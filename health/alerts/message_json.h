// An alert's details as JSON, shared by the files of health/alerts/message.h. Of this room alone.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "zones/events.h"

namespace demarc::health {

[[nodiscard]] nlohmann::json details_json(const zones::AlertDetails& details);

}  // namespace demarc::health
