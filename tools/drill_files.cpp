#include "tools/drill_files.h"

#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/cli.h"
#include "zones/digest.h"
#include "zones/drill/report_html.h"
#include "zones/drill/report_json.h"
#include "zones/drill/report_markdown.h"
#include "zones/drill/scenario_rules.h"
#include "zones/jws.h"
#include "zones/repository.h"
#include "zones/state_store.h"
#include "zones/time_text.h"
#include "zones/yaml/scenario_file.h"

namespace demarc::tools {
namespace {

using namespace zones::drill;

std::vector<std::string> lines_of(const Diagnostics& diagnostics) {
  std::vector<std::string> lines;
  for (const Diagnostic& d : diagnostics.list()) lines.push_back(d.line());
  return lines;
}

std::string maybe(const std::optional<Milliseconds>& time) {
  return time ? duration_text(*time) : "-";
}

}  // namespace

Result<DrillFiles, std::vector<std::string>> load_drill(const std::string& scenario_path,
                                                        const std::string& repository,
                                                        bool is_live) {
  const auto text = read_input(scenario_path, zones::yaml::file_bytes_max);
  if (!text) return std::unexpected(std::vector{"cannot read " + scenario_path});
  Diagnostics diagnostics;
  auto scenario = zones::yaml::parse_scenario(*text, scenario_path, diagnostics);
  Diagnostics of_repository;
  DrillFiles files;
  files.repository = zones::load_repository(repository, of_repository);
  if (scenario && files.repository) {
    check_scenario(*scenario, *files.repository, diagnostics);
    if (is_live) check_live(*scenario, diagnostics);
  }
  if (scenario) {
    const auto folder = std::filesystem::path(scenario_path).parent_path();
    for (const Action& action : scenario->timeline) {
      if (action.kind != ActionKind::token || action.token.file.empty()) continue;
      const auto token = read_input((folder / action.token.file).string(), zones::token_bytes_max);
      if (token) {
        files.token_files[action.token.file] = *token;
      } else {
        diagnostics.error(action.place, "no-token-file", "cannot read `{}` in {}; expected a token",
                          action.token.file, folder.string());
      }
    }
  }
  auto lines = lines_of(diagnostics);
  if (!files.repository) {
    for (const std::string& line : lines_of(of_repository)) lines.push_back(line);
  }
  if (!scenario || !files.repository || diagnostics.has_errors()) return std::unexpected(lines);
  files.scenario = std::move(*scenario);
  files.scenario_digest = zones::sha256_hex(*text);
  files.warnings = std::move(lines);
  return files;
}

Result<std::vector<std::string>, SystemError> write_reports(const Report& report,
                                                            const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::string when = zones::to_rfc3339(report.started).substr(0, 19);
  std::erase_if(when, [](char c) { return c == '-' || c == ':'; });
  const std::string base = fmt::format("{}/{}-{}-{}Z", folder, report.scenario, report.how, when);
  std::vector<std::string> paths;
  for (const auto& [ending, content] :
       {std::pair{".json", write_report(report)}, std::pair{".md", render_markdown(report)},
        std::pair{".html", render_html(report)}}) {
    paths.push_back(base + ending);
    if (auto written = zones::replace_file(paths.back(), content); !written) {
      return std::unexpected(written.error());
    }
  }
  return paths;
}

std::string summary_text(const Report& r) {
  std::string out =
      fmt::format("drill {} in {}: {}\n", r.scenario, r.how, r.passed ? "PASSED" : "FAILED");
  if (!r.aborted.empty()) out += fmt::format("aborted: {}\n", r.aborted);
  out += fmt::format("\n{:<24} {:<12} {:>9} {:>9} {:>9} {:>6} {:>10} {:>10} {:>9} {:<6} {}\n",
                     "SERVICE", "ACCESS", "DETECTED", "DECIDED", "PUBLISHED", "TTL", "RTO", "WORST",
                     "OBJECTIVE", "", "HOW");
  for (const Recovery& one : r.recoveries) {
    out += fmt::format("{:<24} {:<12} {:>9} {:>9} {:>9} {:>6} {:>10} {:>10} {:>9} {:<6} {}\n",
                       one.service, one.access, maybe(one.detected), maybe(one.decided),
                       maybe(one.published), duration_text(one.ttl), maybe(one.measured),
                       maybe(one.worst), duration_text(one.objective), one.met ? "met" : "MISSED",
                       one.how);
  }
  out += '\n';
  for (const Expected& one : r.expected) {
    out += fmt::format("{:<7} {:<8} {:<24} {}; found: {}\n", one.met ? "met" : "MISSED",
                       moment_text(one.at), one.service, one.wanted, one.found);
  }
  out += fmt::format("\n{} decisions, {} violations\n", r.decisions.size(), r.violations.size());
  for (const std::string& violation : r.violations) out += "  " + violation + "\n";
  out += fmt::format("to sign it off: demarc token issue --type drill --drill {} ...\n",
                     sign_off_subject(r.scenario, report_digest(r)));
  return out;
}

}  // namespace demarc::tools
