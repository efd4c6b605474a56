// Somebody else's text in a line of ours.
#pragma once

#include <string>
#include <string_view>

namespace demarc::health {

inline constexpr std::size_t printable_max = 160;

/// One short printable line, whatever it was: `?` for each other byte.
[[nodiscard]] inline std::string printable(std::string_view text,
                                           std::size_t most = printable_max) {
  std::string line;
  for (const char c : text.substr(0, most)) line += c >= ' ' && c <= '~' ? c : '?';
  return line;
}

}  // namespace demarc::health
