#include "health/json_pointer.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace demarc::health {
namespace {

using nlohmann::json;

/// One reference token with `~1` and `~0` undone (RFC 6901 §4); nothing for another `~`.
std::optional<std::string> unescaped(std::string_view token) {
  std::string text;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      text += token[i];
      continue;
    }
    if (++i == token.size() || (token[i] != '0' && token[i] != '1')) return std::nullopt;
    text += token[i] == '0' ? '~' : '/';
  }
  return text;
}

/// An array's index: digits without a leading zero (RFC 6901 §4).
std::optional<std::size_t> index_of(std::string_view text) {
  std::size_t index = 0;
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return index;
}

const json* find_member(const json& value, const std::string& token) {
  if (value.is_object()) {
    const auto found = value.find(token);
    return found == value.end() ? nullptr : &*found;
  }
  if (!value.is_array()) return nullptr;
  const auto index = index_of(token);
  return index && *index < value.size() ? &value[*index] : nullptr;
}

}  // namespace

Result<const json*, std::string> find_at(const json& document, std::string_view pointer) {
  const json* value = &document;
  std::string_view rest = pointer;
  while (!rest.empty()) {
    if (rest.front() != '/') return std::unexpected("the pointer does not begin with /");
    rest.remove_prefix(1);
    const auto end = rest.find('/');
    const auto token = unescaped(rest.substr(0, end));
    if (!token) return std::unexpected("the pointer has a ~ without 0 or 1 after it");
    value = find_member(*value, *token);
    if (value == nullptr) return std::unexpected(fmt::format("nothing is at {}", pointer));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
  }
  return value;
}

}  // namespace demarc::health
