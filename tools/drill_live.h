// Runs a live drill from outside the server: begins it with its tokens, drives the timeline in real
// time, watches what is published and what is really answered over DNS, and always ends it.
// tools/drill_verbs.h is the server's side; steering (zones/steering.h) ends the drill by itself if
// this program dies.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "geo/base/result.h"
#include "tools/drill_files.h"
#include "zones/drill/report.h"

namespace demarc::tools {

/// Asks the server; nothing if it failed or said no, which was told to the person then.
using AskServer = std::function<std::optional<nlohmann::json>(const nlohmann::json& request)>;

struct LiveRequest {
  const DrillFiles& files;          // checked for a live run
  std::vector<std::string> tokens;  // of type drill
  AskServer ask;
  std::function<void(const std::string& line)> say;  // for the person who watches
};

/// Returns after the scenario's end, or when it was aborted: by SIGINT or SIGTERM, by an endpoint
/// that must stay up, by somebody else ending the drill. The error says why it could not begin.
[[nodiscard]] Result<zones::drill::Report, std::string> run_live(LiveRequest request);

}  // namespace demarc::tools
