// What the leash holds back (zones/leash.h), for `demarc status` and `demarc explain`.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "zones/model.h"

namespace demarc::zones {
class Steering;
}

namespace demarc::tools {

/// A list of `endpoint`, `setting` and `until`, which is null where no clock ends it.
[[nodiscard]] nlohmann::json leash_of(const zones::Steering& steering, zones::ServiceId service);

/// The same for people, a line each.
[[nodiscard]] std::string leash_text(const nlohmann::json& leash);

}  // namespace demarc::tools
