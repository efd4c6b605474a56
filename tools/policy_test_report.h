// What came of policy tests, for people, for machines and for CI servers.
// zones/policy_tests.h ran them, tools/cli_check.cpp is the verb.
#pragma once

#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include "zones/policy_tests.h"

namespace demarc::tools {

[[nodiscard]] nlohmann::json policy_tests_json(std::span<const zones::PolicyTestResult> results);
/// One line a test, with what was expected and observed below those that failed.
[[nodiscard]] std::string policy_tests_text(std::span<const zones::PolicyTestResult> results);
/// JUnit's XML, as CI servers read it.
[[nodiscard]] std::string policy_tests_junit(std::span<const zones::PolicyTestResult> results);

}  // namespace demarc::tools
