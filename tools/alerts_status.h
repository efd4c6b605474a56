// Which alerts stand and whether their receivers know, as JSON, and the same for people.
// tools/control_verbs.h hands it out; tools/status.h is everything else.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace demarc::tools {

class Daemon;

/// {"alerts": [...], "receivers": [...], "left-out": N}.
[[nodiscard]] nlohmann::json alerts_of(Daemon& daemon);

[[nodiscard]] std::string alerts_text(const nlohmann::json& alerts);

}  // namespace demarc::tools
