#include "zones/comparison.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

namespace demarc::zones {

bool Comparison::holds(double value) const noexcept {
  switch (kind) {
    case Kind::below:
      return value < number;
    case Kind::at_most:
      return value <= number;
    case Kind::above:
      return value > number;
    case Kind::at_least:
      return value >= number;
  }
  return false;
}

std::optional<double> parse_number(std::string_view text) noexcept {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<Comparison> parse_comparison(std::string_view text) noexcept {
  if (!begins_comparison(text)) return std::nullopt;
  Comparison comparison;
  const bool has_equal = text.substr(1).starts_with('=');
  if (text.front() == '<') {
    comparison.kind = has_equal ? Comparison::Kind::at_most : Comparison::Kind::below;
  } else {
    comparison.kind = has_equal ? Comparison::Kind::at_least : Comparison::Kind::above;
  }
  text.remove_prefix(has_equal ? 2 : 1);
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const auto number = parse_number(text);
  if (!number) return std::nullopt;
  comparison.number = *number;
  return comparison;
}

}  // namespace demarc::zones
