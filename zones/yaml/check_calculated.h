// Calculated checks: as written, and what the names in them mean. zones/yaml/check_file.h reads the
// check around one, zones/yaml/check_model.h resolves it once all checks of the service are known.
#pragma once

#include <map>
#include <string>

#include "zones/yaml/check_file.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t calculated_from_max = 100;

/// `{ at-least: 2, checks: [a, b, c], inverted: true }`.
[[nodiscard]] std::optional<CalculatedEntry> read_calculated(const Reading& reading,
                                                             const Node& node);

/// What checks of one service are called -> their place in its list.
using CheckNames = std::map<std::string, std::size_t>;

/// Fills `checks[at].calculated`; findings for names of no check (unknown-check), one named twice
/// (check-named-twice), and more asked for than named (bad-calculation).
void resolve_calculated(const Reading& reading, const CalculatedEntry& entry,
                        const CheckNames& names, std::size_t at, std::vector<HealthCheck>& checks);

/// A finding (calculated-in-a-circle) for each calculated check that follows itself.
void find_circles(const Reading& reading, const std::vector<HealthCheck>& checks);

}  // namespace demarc::zones::yaml
