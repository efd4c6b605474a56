// One look at what is served and why, as JSON, and the same for people.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace demarc::tools {

class Daemon;

[[nodiscard]] nlohmann::json status_of(Daemon& daemon);
[[nodiscard]] nlohmann::json pending_of(Daemon& daemon);

[[nodiscard]] std::string status_text(const nlohmann::json& status);
[[nodiscard]] std::string pending_text(const nlohmann::json& pending);

}  // namespace demarc::tools
