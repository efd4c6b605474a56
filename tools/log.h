// The daemon's log: one event a line on standard error, `time level what key=value`. Control side
// only.
#pragma once

#include <string_view>

#include <fmt/format.h>

namespace demarc::tools {

enum class LogLevel : std::uint8_t { info, warning, alert };

/// Writes one line; line ends inside the text are written as spaces. Any thread.
void log_line(LogLevel level, std::string_view text);

template <typename... Args>
void log_info(fmt::format_string<Args...> text, Args&&... args) {
  log_line(LogLevel::info, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void log_warning(fmt::format_string<Args...> text, Args&&... args) {
  log_line(LogLevel::warning, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace demarc::tools
