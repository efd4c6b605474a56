// One look at what is served and why, as JSON, and the same for people.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace demarc::zones {
class Steering;
}

namespace demarc::tools {

class Daemon;

[[nodiscard]] nlohmann::json status_of(Daemon& daemon);
/// Changes that the gate holds back, with the command that would allow each; and, with a null `id`,
/// covered crossings that wait for their steps where no change is held.
[[nodiscard]] nlohmann::json pending_of(const zones::Steering& steering);

/// The mode of the hard service `name`, as `_mode.NAME` tells it: mode, case, until, grant,
/// generation. Nothing if there is no such service.
[[nodiscard]] std::optional<nlohmann::json> mode_of(Daemon& daemon, const std::string& name);

[[nodiscard]] std::string status_text(const nlohmann::json& status);
[[nodiscard]] std::string pending_text(const nlohmann::json& pending);

}  // namespace demarc::tools
