// JSON from outside: read whole, with duplicate keys and deep nesting refused (RFC 8259 §4 leaves
// duplicates open, and two readers of one token must never see two different texts).
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "geo/base/result.h"

namespace demarc::zones {

/// One JSON object. The error says what is wrong, without quoting the text.
[[nodiscard]] Result<nlohmann::json, std::string> parse_json_object(std::string_view text);

}  // namespace demarc::zones
