#include "zones/yaml/fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "geo/countries.h"

namespace demarc::zones::yaml {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array<Unit, 5> units{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::uint64_t duration_count_max = 1'000'000'000;  // far above any range, no overflow

void wrong_type(const Reading& reading, const Node& node, std::string_view what,
                std::string_view expected) {
  reading.error(node.at, "wrong-type", "{} is {}; expected {}", what, to_text(node.kind), expected);
}

void unknown_key(const Reading& reading, const Key& key, std::string_view what,
                 std::initializer_list<Field> fields) {
  std::vector<std::string> known;
  for (const Field& field : fields) known.emplace_back(field.key);
  reading.error(key.at, "unknown-key", "unknown key `{}` in {}; {}", key.text, what,
                suggest(key.text, known));
}

bool is_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}
bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

/// A scalar's text, or an empty one with a finding.
std::string_view scalar(const Reading& reading, const Node& node, std::string_view what,
                        std::string_view expected) {
  if (node.kind == NodeKind::scalar && !node.text.empty()) return node.text;
  if (node.kind == NodeKind::scalar) {
    reading.error(node.at, "wrong-type", "{} is empty; expected {}", what, expected);
  } else {
    wrong_type(reading, node, what, expected);
  }
  return {};
}

std::optional<double> parse_degrees(std::string_view text, double max) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value) || std::fabs(value) > max) return std::nullopt;
  return value;
}

}  // namespace

bool read_map(const Reading& reading, const Node& node, std::string_view what,
              std::initializer_list<Field> fields) {
  if (node.kind != NodeKind::map) {
    wrong_type(reading, node, what, "a map");
    return false;
  }
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const auto field = std::ranges::find(fields, node.keys[i].text, &Field::key);
    if (field == fields.end()) {
      unknown_key(reading, node.keys[i], what, fields);
    } else {
      field->read(node.items[i]);
    }
  }
  for (const Field& field : fields) {
    if (field.presence != Presence::required) continue;
    if (std::ranges::find(node.keys, field.key, &Key::text) != node.keys.end()) continue;
    reading.error(node.at, "missing-key", "{} without `{}`; expected that key", what, field.key);
  }
  return true;
}

bool read_named(const Reading& reading, const Node& node, std::string_view what,
                std::size_t entries_max,
                const std::function<void(const Key& key, const Node& value)>& read) {
  if (node.kind != NodeKind::map) {
    wrong_type(reading, node, what, "a map");
    return false;
  }
  if (node.keys.size() > entries_max) {
    reading.error(node.at, "too-many", "{} has {} entries; expected at most {}", what,
                  node.keys.size(), entries_max);
    return false;
  }
  for (std::size_t i = 0; i < node.keys.size(); ++i) read(node.keys[i], node.items[i]);
  return true;
}

bool read_list(const Reading& reading, const Node& node, std::string_view what,
               std::size_t items_max, const std::function<void(const Node& item)>& read) {
  if (node.kind != NodeKind::list) {
    wrong_type(reading, node, what, "a list");
    return false;
  }
  if (node.items.empty()) {
    reading.error(node.at, "empty-list", "{} is an empty list; expected at least one item", what);
    return false;
  }
  if (node.items.size() > items_max) {
    reading.error(node.at, "too-many", "{} has {} items; expected at most {}", what,
                  node.items.size(), items_max);
    return false;
  }
  std::ranges::for_each(node.items, read);
  return true;
}

bool read_one_or_list(const Reading& reading, const Node& node, std::string_view what,
                      std::size_t items_max, const std::function<void(const Node& item)>& read) {
  if (node.kind == NodeKind::list) return read_list(reading, node, what, items_max, read);
  read(node);
  return true;
}

std::optional<std::string> read_text(const Reading& reading, const Node& node,
                                     std::string_view what) {
  std::string_view text = scalar(reading, node, what, "text");
  if (text.empty()) return std::nullopt;
  if (text.ends_with('\n')) text.remove_suffix(1);  // a block scalar (| or >) ends in one
  if (text.size() > text_bytes_max) {
    reading.error(node.at, "text-length", "{} has {} bytes; expected at most {}", what, text.size(),
                  text_bytes_max);
    return std::nullopt;
  }
  if (text.find_first_of("\r\n") != std::string_view::npos) {
    reading.error(node.at, "text-lines", "{} has several lines; expected one", what);
    return std::nullopt;
  }
  return std::string(text);
}

std::optional<std::uint64_t> parse_integer(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return value;
}

std::optional<std::uint64_t> read_integer(const Reading& reading, const Node& node,
                                          std::string_view what, IntegerRange range) {
  const auto expected = fmt::format("an integer from {} to {}", range.min, range.max);
  const std::string_view text = scalar(reading, node, what, expected);
  if (text.empty()) return std::nullopt;
  const auto value = parse_integer(text);
  if (value && *value >= range.min && *value <= range.max) return value;
  reading.error(node.at, "bad-integer", "{} is `{}`; expected {}", what, text, expected);
  return std::nullopt;
}

std::optional<Milliseconds> parse_duration(std::string_view text) noexcept {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = parse_integer(text.substr(0, digits));
  const auto unit = std::ranges::find(units, text.substr(digits), &Unit::name);
  if (!count || *count > duration_count_max || unit == units.end()) return std::nullopt;
  return Milliseconds{static_cast<std::int64_t>(*count) * unit->milliseconds};
}

std::string to_text(Milliseconds duration) {
  const auto unit = std::ranges::find_if(units, [duration](const Unit& candidate) {
    return duration.count() % candidate.milliseconds == 0;
  });
  if (duration.count() == 0) return "0s";
  return fmt::format("{}{}", duration.count() / unit->milliseconds, unit->name);
}

std::optional<Milliseconds> read_duration(const Reading& reading, const Node& node,
                                          std::string_view what, DurationRange range) {
  const auto expected = fmt::format("an integer and ms, s, m, h or d, from {} to {}",
                                    to_text(range.min), to_text(range.max));
  const std::string_view text = scalar(reading, node, what, expected);
  if (text.empty()) return std::nullopt;
  const auto value = parse_duration(text);
  if (value && *value >= range.min && *value <= range.max) return value;
  reading.error(node.at, "bad-duration", "{} is `{}`; expected {}", what, text, expected);
  return std::nullopt;
}

std::optional<std::uint32_t> read_ttl(const Reading& reading, const Node& node,
                                      std::string_view what) {
  static constexpr std::string_view expected =
      "seconds from 0 to 2147483647, or an integer and s, m, h or d";
  const std::string_view text = scalar(reading, node, what, expected);
  if (text.empty()) return std::nullopt;
  if (const auto seconds = parse_integer(text); seconds && *seconds <= ttl_max) {
    return static_cast<std::uint32_t>(*seconds);
  }
  const auto duration = parse_duration(text);
  if (duration && duration->count() % 1000 == 0 && duration->count() / 1000 <= ttl_max) {
    return static_cast<std::uint32_t>(duration->count() / 1000);
  }
  reading.error(node.at, "bad-ttl", "{} is `{}`; expected {}", what, text, expected);
  return std::nullopt;
}

std::optional<geo::Address> read_address(const Reading& reading, const Node& node) {
  static constexpr std::string_view expected =
      "an IPv4 or IPv6 address, as 192.0.2.10 or \"2001:db8::10\"";
  const std::string_view text = scalar(reading, node, "address", expected);
  if (text.empty()) return std::nullopt;
  auto address = geo::parse_address(text);
  if (!address) {
    reading.error(node.at, "bad-address", "address is `{}`; expected {}", text, expected);
  }
  return address;
}

std::optional<geo::Prefix> read_network(const Reading& reading, const Node& node) {
  static constexpr std::string_view expected =
      "a network with no bits set after its length, as 203.0.113.0/24 or \"2001:db8::/32\"";
  const std::string_view text = scalar(reading, node, "network", expected);
  if (text.empty()) return std::nullopt;
  auto prefix = geo::parse_prefix(text);
  if (!prefix) {
    reading.error(node.at, "bad-network", "network is `{}`; expected {}", text, expected);
  }
  return prefix;
}

std::optional<geo::Code2> read_country(const Reading& reading, const Node& node) {
  static constexpr std::string_view expected = "a two-letter country code of ISO 3166-1, as DE";
  const std::string_view text = scalar(reading, node, "country", expected);
  if (text.empty()) return std::nullopt;
  const auto code = geo::parse_code2(text);
  if (code && code->text() == text && geo::find_country(*code) != nullptr) return code;
  const bool is_wrong_case = code && geo::find_country(*code) != nullptr;
  reading.error(node.at, "bad-country", "country is `{}`; {}", text,
                is_wrong_case  ? fmt::format("did you mean `{}`?", code->text())
                : text == "UK" ? std::string("did you mean `GB`?")
                               : fmt::format("expected {}", expected));
  return std::nullopt;
}

std::optional<geo::Code2> read_continent(const Reading& reading, const Node& node) {
  static constexpr std::string_view expected = "one of AF, AN, AS, EU, NA, OC, SA";
  const std::string_view text = scalar(reading, node, "continent", expected);
  if (text.empty()) return std::nullopt;
  const auto code = geo::parse_code2(text);
  if (code && code->text() == text && geo::is_continent(*code)) return code;
  reading.error(node.at, "bad-continent", "continent is `{}`; expected {}", text, expected);
  return std::nullopt;
}

std::optional<std::string> read_subdivision(const Reading& reading, const Node& node) {
  static constexpr std::string_view expected =
      "an ISO 3166-2 code with its country, as US-CA or DE-BE";
  const std::string_view text = scalar(reading, node, "subdivision", expected);
  if (text.empty()) return std::nullopt;
  const auto country = geo::parse_code2(text.substr(0, 2));
  const std::string_view rest = text.size() > 3 && text[2] == '-' ? text.substr(3) : "";
  const bool is_good = country && country->text() == text.substr(0, 2) &&
                       geo::find_country(*country) != nullptr && !rest.empty() &&
                       rest.size() <= 3 && std::ranges::all_of(rest, [](char letter) {
                         return is_digit(letter) || (letter >= 'A' && letter <= 'Z');
                       });
  if (is_good) return std::string(text);
  reading.error(node.at, "bad-subdivision", "subdivision is `{}`; expected {}", text, expected);
  return std::nullopt;
}

std::optional<std::uint32_t> read_asn(const Reading& reading, const Node& node) {
  const auto asn = read_integer(reading, node, "asn", {1, 0xffffffff});
  if (!asn) return std::nullopt;
  return static_cast<std::uint32_t>(*asn);
}

bool check_pointer(const Reading& reading, Position at, std::string_view what,
                   std::string_view text) {
  bool is_good = text.starts_with('/');
  for (std::size_t i = text.find('~'); i != text.npos; i = text.find('~', i + 1)) {
    const std::string_view escaped = text.substr(i + 1, 1);
    is_good &= escaped == "0" || escaped == "1";
  }
  if (is_good) return true;
  reading.error(at, "bad-pointer",
                "{} is `{}`; expected it to begin with /, and ~ as ~0 (RFC 6901)", what, text);
  return false;
}

std::optional<std::string> read_pointer(const Reading& reading, const Node& node,
                                        std::string_view what) {
  auto text = read_text(reading, node, what);
  if (!text || !check_pointer(reading, node.at, what, *text)) return std::nullopt;
  return text;
}

std::optional<geo::Coordinates> read_coordinates(const Reading& reading, const Node& node) {
  const bool is_pair = node.kind == NodeKind::list && node.items.size() == 2;
  const auto latitude = is_pair ? parse_degrees(node.items[0].text, 90) : std::nullopt;
  const auto longitude = is_pair ? parse_degrees(node.items[1].text, 180) : std::nullopt;
  if (latitude && longitude) return geo::Coordinates{*latitude, *longitude};
  reading.error(node.at, "bad-location",
                "location is not two numbers; expected [latitude, longitude] in degrees, "
                "-90 to 90 and -180 to 180");
  return std::nullopt;
}

bool check_identifier(const Reading& reading, Position at, std::string_view what,
                      std::string_view text) {
  const bool is_good = !text.empty() && text.size() <= identifier_bytes_max &&
                       std::ranges::all_of(text, [](char letter) {
                         return is_letter(letter) || is_digit(letter) || letter == '-' ||
                                letter == '_' || letter == '.';
                       });
  if (!is_good) {
    reading.error(at, "bad-name", "{} is `{}`; expected 1 to {} letters, digits, `-`, `_` or `.`",
                  what, text, identifier_bytes_max);
  }
  return is_good;
}

std::optional<TextAt> read_identifier(const Reading& reading, const Node& node,
                                      std::string_view what) {
  auto text = read_text(reading, node, what);
  if (!text || !check_identifier(reading, node.at, what, *text)) return std::nullopt;
  return TextAt{std::move(*text), node.at};
}

}  // namespace demarc::zones::yaml
