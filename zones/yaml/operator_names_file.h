// The part of zones/*.yaml below `operator-names:`: who may ask a zone's server what it sees, and
// what of it. zones/operator_texts.h has the words, dns/local_names.h the answers.
#pragma once

#include "zones/model.h"
#include "zones/yaml/fields.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t operator_networks_max = 64;

/// Reads what can be read; findings go to the reading.
[[nodiscard]] OperatorNames read_operator_names(const Reading& reading, const Node& node);

}  // namespace demarc::zones::yaml
