// networks.yaml: the operator's own word about networks, which wins over every GeoIP database.
// It names nothing of other files, so values and model are one step here.
// zones/yaml/fields.h reads the values; geo/database.h applies them.
#pragma once

#include <vector>

#include "geo/database.h"
#include "zones/yaml/fields.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t override_lines_max = 100'000;
inline constexpr std::size_t networks_per_line_max = 10'000;

/// Reads the list. The continent comes from the country where it is left out; a network that is
/// named twice is a finding.
[[nodiscard]] std::vector<geo::Override> read_networks_file(const Reading& reading,
                                                            const Node& root);

}  // namespace demarc::zones::yaml
