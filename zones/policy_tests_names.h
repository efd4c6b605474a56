// The names that policy tests use, looked up in the repository: each that is not there is a
// finding. zones/policy_tests.h runs nothing before all of them exist.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "zones/policy_tests.h"

namespace demarc::zones {

/// Whether a target, a region's or an endpoint's name, means this record.
[[nodiscard]] bool is_meant(const Policy& policy, const Record& record, const std::string& target);

/// The service of an expectation; of a tenant, its class.
[[nodiscard]] std::optional<ServiceId> find_tested(const Repository& repository,
                                                   const TestExpectation& expect);

void check_test_names(const Repository& repository, const std::vector<PolicyTest>& tests,
                      Diagnostics& diagnostics);

}  // namespace demarc::zones
