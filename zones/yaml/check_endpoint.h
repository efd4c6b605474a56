// The endpoint of one health check as written, taken apart: what is asked, and of whom.
// zones/yaml/check_file.h reads the check around it.
#pragma once

#include <optional>
#include <string_view>

#include "zones/yaml/check_file.h"

namespace demarc::zones::yaml {

/// Fills scheme, host, port and path from `check.endpoint`, or adds a finding (bad-check-endpoint)
/// and leaves it unreadable. With `of` the host may be an address.
void read_check_endpoint(const Reading& reading, CheckEntry& check);

/// 1 to 65535; nothing for any other text.
[[nodiscard]] std::optional<std::uint16_t> parse_port(std::string_view text);

}  // namespace demarc::zones::yaml
