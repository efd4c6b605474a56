#include "zones/yaml/utf8.h"

#include <algorithm>
#include <cstdint>

namespace demarc::zones::yaml {
namespace {

/// Bytes of the sequence that begins `text`; 0 if it is not valid UTF-8 (overlong, surrogate, too
/// large or cut off).
std::size_t sequence_size(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto continues = [&byte](std::size_t count) {
    for (std::size_t i = 1; i <= count; ++i) {
      if ((byte(i) & 0xc0U) != 0x80U) return false;
    }
    return true;
  };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!continues(2)) return 0;
    const bool is_overlong = first == 0xe0 && byte(1) < 0xa0;
    const bool is_surrogate = first == 0xed && byte(1) > 0x9f;
    return is_overlong || is_surrogate ? 0 : 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (!continues(3)) return 0;
    const bool is_overlong = first == 0xf0 && byte(1) < 0x90;
    const bool is_too_large = first == 0xf4 && byte(1) > 0x8f;
    return is_overlong || is_too_large ? 0 : 4;
  }
  return 0;
}

BadText bad_at(std::string_view text, std::size_t at, std::string_view what) noexcept {
  const std::string_view before = text.substr(0, at);
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1, at - line_start + 1,
          what};
}

}  // namespace

std::optional<BadText> find_bad_text(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_control(text[at])) return bad_at(text, at, "a control character");
    const std::size_t size = sequence_size(text.substr(at));
    if (size == 0) return bad_at(text, at, "a byte that is not UTF-8");
    at += size;
  }
  return std::nullopt;
}

}  // namespace demarc::zones::yaml
