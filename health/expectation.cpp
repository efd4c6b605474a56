#include "health/expectation.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "health/json_pointer.h"
#include "health/printable.h"
#include "health/query_values.h"
#include "zones/comparison.h"
#include "zones/strict_json.h"

namespace demarc::health {
namespace {

using nlohmann::json;
using zones::ExpectedAnswer;

constexpr std::size_t quoted_max = 60;  // of somebody else's text in a line of ours

std::string in_quotes(std::string_view text) {
  return "`" + printable(text, quoted_max) + (text.size() > quoted_max ? "...`" : "`");
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

std::optional<Unmet> find_unmet_header(const ExpectedAnswer& expected, const HeardAnswer& heard) {
  for (const auto& [name, value] : expected.headers) {
    const std::string* found = nullptr;
    bool is_met = false;
    for (const auto& [heard_name, heard_value] : heard.headers) {
      if (heard_name != name) continue;
      found = &heard_value;
      is_met |= heard_value == value;
    }
    if (is_met) continue;
    if (found == nullptr) return Unmet{fmt::format("no header {}", name)};
    return Unmet{
        fmt::format("header {} is {}, expected {}", name, in_quotes(*found), in_quotes(value))};
  }
  return std::nullopt;
}

Unmet silence(std::string why) { return {std::move(why), true}; }

std::string text_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// One value against what was written: a text, or a comparison with a number.
std::optional<Unmet> find_unmet_text(std::string_view what, const std::string& heard,
                                     const std::string& expected) {
  const auto comparison = zones::parse_comparison(expected);
  if (!comparison) {
    if (heard == expected) return std::nullopt;
    return Unmet{fmt::format("{} is {}, expected {}", what, in_quotes(heard), in_quotes(expected))};
  }
  const auto number = zones::parse_number(heard);
  if (!number) return silence(fmt::format("{} is {}, which is no number", what, in_quotes(heard)));
  if (comparison->holds(*number)) return std::nullopt;
  return Unmet{fmt::format("{} is {}, expected {}", what, heard, expected)};
}

std::optional<Unmet> find_unmet_value(const ExpectedAnswer& expected, const HeardAnswer& heard) {
  if (expected.values.empty() && expected.query_value.empty()) return std::nullopt;
  if (heard.is_body_cut) return silence("the JSON is too long");
  const auto document = zones::parse_json_object(heard.body);
  if (!document) return silence("the JSON: " + document.error());
  if (!expected.query_value.empty()) {
    const auto values = read_query_values(*document);
    if (!values) return silence(values.error());
    for (const std::string& value : *values) {
      if (auto unmet = find_unmet_text("the value", value, expected.query_value)) return unmet;
    }
  }
  for (const auto& [pointer, text] : expected.values) {
    const auto value = find_at(*document, pointer);
    if (!value) return silence("the JSON: " + value.error());
    if (auto unmet = find_unmet_text("JSON " + pointer, text_of(**value), text)) return unmet;
  }
  return std::nullopt;
}

std::optional<Unmet> find_unmet_certificate(const ExpectedAnswer& expected,
                                            const HeardAnswer& heard, WallTime now) {
  // As a whole handshake finds it, and a resumed one does not: the server's own failure.
  if (heard.certificate_end && now >= *heard.certificate_end) {
    return Unmet{"the certificate has expired", true};
  }
  if (expected.certificate_left.count() == 0) return std::nullopt;
  if (!heard.certificate_end) return Unmet{"when the certificate ends cannot be told"};
  const auto left = *heard.certificate_end - now;
  if (left >= expected.certificate_left) return std::nullopt;
  using Hours = std::chrono::hours;
  return Unmet{fmt::format("the certificate is good for {} h, expected {} h at least",
                           std::chrono::duration_cast<Hours>(left).count(),
                           std::chrono::duration_cast<Hours>(expected.certificate_left).count())};
}

}  // namespace

std::optional<Unmet> find_unmet(const ExpectedAnswer& expected, const HeardAnswer& heard,
                                WallTime now) {
  if (auto unmet = find_unmet_header(expected, heard)) return unmet;
  if (!heard.body.contains(expected.body)) {
    return Unmet{fmt::format("{} is not in the {}", in_quotes(expected.body),
                             heard.is_body_cut ? "body's beginning" : "body")};
  }
  if (auto unmet = find_unmet_value(expected, heard)) return unmet;
  return find_unmet_certificate(expected, heard, now);
}

std::optional<std::pair<std::string, std::string>> read_header_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 || line.starts_with("HTTP/")) {
    return std::nullopt;
  }
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return std::pair(std::move(name), std::string(trimmed(line.substr(colon + 1))));
}

}  // namespace demarc::health
