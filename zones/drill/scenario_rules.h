// A scenario against a repository: which services, records and checks its names mean, and a finding
// for each name that means none. zones/drill/shadow.h and tools/drill_live.h ask it afterwards.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "geo/base/diagnostics.h"
#include "zones/drill/scenario.h"
#include "zones/model.h"

namespace demarc::zones::drill {

/// By label (if one service alone has it) or absolute name.
[[nodiscard]] std::optional<ServiceId> find_service(const Repository& repository,
                                                    std::string_view text);

/// The services of the scenario, ascending. Names that mean nothing are left out.
[[nodiscard]] std::vector<ServiceId> services_in_scope(const Scenario& scenario,
                                                       const Repository& repository);

/// The records that an endpoint's host name or a region's name means, of all services.
[[nodiscard]] std::vector<std::pair<ServiceId, RecordId>> records_named(
    const Repository& repository, const std::string& target);

/// The keys of the checks of those records, sorted.
[[nodiscard]] std::vector<std::string> checks_named(const Repository& repository,
                                                    const std::vector<std::string>& targets);

/// Findings: unknown services, endpoints, keys and roles (errors), an endpoint that nothing checks
/// (a warning: its failure is not seen).
void check_scenario(const Scenario& scenario, const Repository& repository,
                    Diagnostics& diagnostics);

/// A live drill holds its endpoints down from one moment to one other: several times of failing or
/// recovering, or another failure's name in a recovery, are findings.
void check_live(const Scenario& scenario, Diagnostics& diagnostics);

}  // namespace demarc::zones::drill
