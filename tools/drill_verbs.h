// The server's side of live drills: begin, end, status, due, record, and one look at what is
// answered right now. tools/control_verbs.h calls it; steering (zones/steering.h) decides.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace demarc::tools {

class Daemon;

/// The request's verb is one of `drill-begin`, `drill-end`, `drill-status`, `drill-due`,
/// `drill-look` and `drill-record`; any other members are checked here.
[[nodiscard]] nlohmann::json answer_drill_verb(Daemon& daemon, const nlohmann::json& request,
                                               const std::string& who);

}  // namespace demarc::tools
