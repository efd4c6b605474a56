// Wall time as text: RFC 3339, UTC, always with Z. For files, logs and people.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "geo/base/moment.h"

namespace demarc::zones {

/// "2026-11-23T02:10:00.250Z".
[[nodiscard]] std::string to_rfc3339(WallTime time);

/// A date and time with Z, with or without a fraction of up to three digits; nothing for other
/// text.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace demarc::zones
