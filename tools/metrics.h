// The daemon's numbers as Prometheus text (exposition format 0.0.4).
#pragma once

#include <string>

namespace demarc::tools {

class Daemon;

[[nodiscard]] std::string metrics_of(Daemon& daemon);

}  // namespace demarc::tools
