// A value in a JSON document that somebody else wrote. health/lag_value.h and
// health/expectation.h look into documents with it.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "geo/base/result.h"

namespace demarc::health {

/// What `pointer` (RFC 6901) names in `document`, never null; the error says why there is nothing,
/// without quoting the document.
[[nodiscard]] Result<const nlohmann::json*, std::string> find_at(const nlohmann::json& document,
                                                                 std::string_view pointer);

}  // namespace demarc::health
