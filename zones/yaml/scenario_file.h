// drills/*.yaml: one scenario a file. It names services and regions only by text, so values and
// model are one step here; zones/drill/scenario_rules.h holds the names against a repository.
// zones/yaml/fields.h reads the values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "geo/base/diagnostics.h"
#include "zones/drill/scenario.h"
#include "zones/yaml/fields.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t drill_actions_max = 1000;
inline constexpr std::size_t drill_names_max = 1000;  // services, clients, participants ...

/// Reads the tree of one scenario; findings go to `reading`. The result is whole only if there is
/// no error among them.
[[nodiscard]] drill::Scenario read_scenario_file(const Reading& reading, const Node& root);

/// From the file's text; nothing if a finding is an error. Pure; any bytes are fine.
[[nodiscard]] std::optional<drill::Scenario> parse_scenario(std::string_view text,
                                                            const std::string& file,
                                                            Diagnostics& diagnostics);

}  // namespace demarc::zones::yaml
