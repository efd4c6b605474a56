#include "tools/policy_test_report.h"

#include <algorithm>

#include <fmt/format.h>

namespace demarc::tools {

using nlohmann::json;

namespace {

std::size_t failed_count(std::span<const zones::PolicyTestResult> results) {
  return static_cast<std::size_t>(
      std::ranges::count_if(results, [](const auto& result) { return !result.failed.empty(); }));
}

std::string place_text(const Place& place) {
  return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

std::string failure_text(const zones::FailedExpectation& failed) {
  return fmt::format("{}: [policy-test] {}: observed {}; expected {}", place_text(failed.place),
                     failed.what, failed.observed, failed.expected);
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += letter;
    }
  }
  return out;
}

}  // namespace

json policy_tests_json(std::span<const zones::PolicyTestResult> results) {
  json list = json::array();
  for (const zones::PolicyTestResult& result : results) {
    json failed = json::array();
    for (const zones::FailedExpectation& one : result.failed) {
      failed.push_back({{"file", one.place.file},
                        {"line", one.place.line},
                        {"column", one.place.column},
                        {"what", one.what},
                        {"expected", one.expected},
                        {"observed", one.observed}});
    }
    list.push_back({{"name", result.name},
                    {"file", result.place.file},
                    {"line", result.place.line},
                    {"passed", result.failed.empty()},
                    {"checked", result.checked},
                    {"failed", failed}});
  }
  return list;
}

std::string policy_tests_text(std::span<const zones::PolicyTestResult> results) {
  std::string out;
  for (const zones::PolicyTestResult& result : results) {
    out += fmt::format("{}  {}\n", result.failed.empty() ? "pass" : "FAIL", result.name);
    for (const zones::FailedExpectation& one : result.failed) {
      out += fmt::format("      {}\n", failure_text(one));
    }
  }
  return out + fmt::format("{} policy tests, {} failed\n", results.size(), failed_count(results));
}

std::string policy_tests_junit(std::span<const zones::PolicyTestResult> results) {
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"demarc policy tests\" tests=\"{}\" failures=\"{}\">\n",
      results.size(), failed_count(results));
  for (const zones::PolicyTestResult& result : results) {
    out += fmt::format("  <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\"",
                       escaped(result.place.file), escaped(result.name), escaped(result.place.file),
                       result.place.line);
    if (result.failed.empty()) {
      out += "/>\n";
      continue;
    }
    out += ">\n";
    for (const zones::FailedExpectation& one : result.failed) {
      out += fmt::format("    <failure message=\"{}\"/>\n", escaped(failure_text(one)));
    }
    out += "  </testcase>\n";
  }
  return out + "</testsuite>\n";
}

}  // namespace demarc::tools
