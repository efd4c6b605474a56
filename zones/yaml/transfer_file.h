// `transfer:` of a zone file: who may have the whole zone, and which secondaries are told of
// changes.
// zones/yaml/zone_file.h calls it, zones/yaml/transfer_rules.h checks what it means for the
// services.
#pragma once

#include <cstddef>

#include "zones/model.h"
#include "zones/yaml/fields.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t transfer_allow_max = 64;
inline constexpr std::size_t transfer_notify_max = 16;  // each is sent to whenever the zone changes

/// Reads what can be read; findings go to the reading. Where there is one, the value is partial.
[[nodiscard]] Transfer read_transfer(const Reading& reading, const Node& node);

}  // namespace demarc::zones::yaml
