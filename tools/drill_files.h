// A drill's files: the scenario with the repository and tokens it names, and the reports it leaves.
// tools/cli_drill.cpp calls this; what the files mean is in zones/drill/scenario.h and report.h.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "geo/base/result.h"
#include "zones/drill/report.h"
#include "zones/drill/scenario.h"
#include "zones/model.h"

namespace demarc::tools {

struct DrillFiles {
  zones::drill::Scenario scenario;
  std::string scenario_digest;
  std::unique_ptr<zones::Repository> repository;
  std::map<std::string, std::string> token_files;  // as the scenario names them -> content
  std::vector<std::string> warnings;
};

/// One line for each thing that is wrong.
[[nodiscard]] Result<DrillFiles, std::vector<std::string>> load_drill(
    const std::string& scenario_path, const std::string& repository, bool is_live);

/// Writes NAME-HOW-TIME.json, .md and .html into the folder, which is made if it is missing; the
/// paths, the JSON first.
[[nodiscard]] Result<std::vector<std::string>, SystemError> write_reports(
    const zones::drill::Report& report, const std::string& folder);

/// The lines that `demarc drill run` prints.
[[nodiscard]] std::string summary_text(const zones::drill::Report& report);

}  // namespace demarc::tools
