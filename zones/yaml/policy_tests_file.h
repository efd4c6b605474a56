// The values of policy-tests/*.yaml. zones/policy_tests.h runs them; the daemon leaves the folder
// alone.
#pragma once

#include <string>
#include <vector>

#include "zones/policy_tests.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t policy_tests_max = 10'000;       // of one file
inline constexpr std::size_t test_items_max = 1000;           // of one list in a test
inline constexpr std::size_t policy_test_files_max = 10'000;  // of one repository

/// Reads one file. Findings go to `diagnostics`; what could be read comes back.
[[nodiscard]] std::vector<PolicyTest> read_policy_tests(std::string_view text,
                                                        const std::string& file,
                                                        Diagnostics& diagnostics);

/// All of `policy-tests/*.yaml` below a repository's folder, in order of their names; without the
/// folder, none.
[[nodiscard]] std::vector<PolicyTest> load_policy_tests(const std::string& folder,
                                                        Diagnostics& diagnostics);

}  // namespace demarc::zones::yaml
