// The values of a service's route as written: `nearest`, its longer form, or lines of matches.
// zones/yaml/service_file.h holds them; zones/view.h evaluates what becomes of them.
#pragma once

#include "zones/yaml/service_file.h"

namespace demarc::zones::yaml {

[[nodiscard]] RouteEntry read_route(const Reading& reading, const Node& node);

}  // namespace demarc::zones::yaml
