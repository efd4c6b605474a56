// A comparison with a number, as checks write what they expect: `< 0.05`, `>= 3`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace demarc::zones {

struct Comparison {
  enum class Kind : std::uint8_t { below, at_most, above, at_least };
  Kind kind = Kind::below;
  double number = 0;  // finite

  /// False for every `value` that is no number.
  [[nodiscard]] bool holds(double value) const noexcept;
};

/// Whether a text wants to be a comparison: it begins with `<` or `>`.
[[nodiscard]] constexpr bool begins_comparison(std::string_view text) noexcept {
  return text.starts_with('<') || text.starts_with('>');
}

/// `<`, `<=`, `>` or `>=`, blanks, and a decimal number (`-1.5`, `2e-3`); nothing for other text.
[[nodiscard]] std::optional<Comparison> parse_comparison(std::string_view text) noexcept;

/// The whole text as a decimal number; nothing for other text, "NaN" and "Inf" among it.
[[nodiscard]] std::optional<double> parse_number(std::string_view text) noexcept;

}  // namespace demarc::zones
