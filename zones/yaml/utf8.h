// Whether bytes are text that a file may have: valid UTF-8 (RFC 3629) without control characters.
// zones/yaml/syntax.h and zones/master_file.h ask before they parse.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace demarc::zones::yaml {

struct BadText {
  std::size_t line = 0;  // from 1
  std::size_t column = 0;
  std::string_view what;
};

/// Any control character but tab, line feed and carriage return.
[[nodiscard]] constexpr bool is_control(char letter) noexcept {
  const auto byte = static_cast<unsigned char>(letter);
  return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
}

/// The first byte that is no part of good text; nothing if there is none.
[[nodiscard]] std::optional<BadText> find_bad_text(std::string_view text) noexcept;

}  // namespace demarc::zones::yaml
