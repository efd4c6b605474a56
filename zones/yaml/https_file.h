// The part of a service below `https:`: what its HTTPS records say beside the addresses (RFC 9460
// §7). zones/https_binding.h has it as text.
#pragma once

#include <optional>

#include "zones/model.h"
#include "zones/yaml/fields.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t alpn_ids_max = 16;  // more than HTTP will ever have
inline constexpr std::size_t alpn_id_bytes_max =
    32;  // a list is told in one line; a wire id has 255

/// Reads what can be read, findings go to the reading; nothing if it is no map.
[[nodiscard]] std::optional<At<HttpsBinding>> read_https(const Reading& reading, const Node& node);

}  // namespace demarc::zones::yaml
