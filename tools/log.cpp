#include "tools/log.h"

#include <algorithm>
#include <chrono>
#include <string>

#include <unistd.h>

#include "zones/time_text.h"

namespace demarc::tools {
namespace {

constexpr std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::alert:
      return "ALERT";
  }
  return "info";
}

}  // namespace

void log_line(LogLevel level, std::string_view text) {
  const auto now = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
  std::string line = fmt::format("{} {} {}", zones::to_rfc3339(now), name_of(level), text);
  std::ranges::replace(line, '\n', ' ');
  line += '\n';
  // One write a line, so that lines of several threads do not mix; a full pipe loses the line.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace demarc::tools
