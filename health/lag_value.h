// A replica's lag, read from the JSON it publishes. Pure; health/lag_prober.h fetches the text.
#pragma once

#include <string>
#include <string_view>

#include "geo/base/result.h"

namespace demarc::health {

/// The finite number that `pointer` (RFC 6901) names in a JSON object. The error says what was
/// found, without quoting the document: no such member, a text, malformed JSON, a duplicate key.
/// Any bytes are fine.
[[nodiscard]] Result<double, std::string> read_lag(std::string_view body, std::string_view pointer);

}  // namespace demarc::health
