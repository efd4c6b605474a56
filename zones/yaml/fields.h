// The second step's tools: values out of a syntax tree, with a finding for each that is wrong.
// A reader returns nothing after adding a finding and its caller goes on, so one run shows all.
// zones/yaml/syntax.h makes the tree; the readers of each file are zones/yaml/policy_file.h,
// zones/yaml/zone_file.h and zones/yaml/networks_file.h.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "geo/base/address.h"
#include "geo/base/diagnostics.h"
#include "geo/base/moment.h"
#include "geo/location.h"
#include "zones/yaml/spelling.h"
#include "zones/yaml/syntax.h"

namespace demarc::zones::yaml {

/// The file that is being read and where its findings go.
struct Reading {
  std::string file;
  Diagnostics& diagnostics;

  [[nodiscard]] Place place(Position at) const { return {file, at.line, at.column}; }
  template <typename... Args>
  void error(Position at, std::string_view rule, fmt::format_string<Args...> text,
             Args&&... args) const {
    diagnostics.error(place(at), rule, text, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void warning(Position at, std::string_view rule, fmt::format_string<Args...> text,
               Args&&... args) const {
    diagnostics.warning(place(at), rule, text, std::forward<Args>(args)...);
  }
};

/// A value and where it was written.
template <typename T>
struct At {
  T value{};
  Position at;
};
using TextAt = At<std::string>;

enum class Presence : std::uint8_t { optional, required };

/// One key of a map: how its value is read.
struct Field {
  std::string_view key;
  Presence presence = Presence::optional;
  std::function<void(const Node&)> read;
};

/// Reads a map by a table of its keys; `what` names it in findings. Unknown keys and missing
/// required ones are findings (unknown-key, missing-key). False: it is no map at all (wrong-type).
bool read_map(const Reading& reading, const Node& node, std::string_view what,
              std::initializer_list<Field> fields);

/// A map whose keys are names of the editor's own choice, at most `entries_max` of them.
bool read_named(const Reading& reading, const Node& node, std::string_view what,
                std::size_t entries_max,
                const std::function<void(const Key& key, const Node& value)>& read);

/// A list of at least one item, at most `items_max`.
bool read_list(const Reading& reading, const Node& node, std::string_view what,
               std::size_t items_max, const std::function<void(const Node& item)>& read);

/// As read_list(), and a single value counts as a list of one.
bool read_one_or_list(const Reading& reading, const Node& node, std::string_view what,
                      std::size_t items_max, const std::function<void(const Node& item)>& read);

/// Text that is not empty, without line breaks, of at most text_bytes_max bytes.
inline constexpr std::size_t text_bytes_max = 8192;
[[nodiscard]] std::optional<std::string> read_text(const Reading& reading, const Node& node,
                                                   std::string_view what);

/// A decimal integer without sign or leading zeros. Not yaml-cpp's conversion: that reads 010 as
/// eight and 0x1f as 31.
struct IntegerRange {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};
[[nodiscard]] std::optional<std::uint64_t> parse_integer(std::string_view text) noexcept;
[[nodiscard]] std::optional<std::uint64_t> read_integer(const Reading& reading, const Node& node,
                                                        std::string_view what, IntegerRange range);

/// An integer and `ms`, `s`, `m`, `h` or `d`.
[[nodiscard]] std::optional<Milliseconds> parse_duration(std::string_view text) noexcept;
/// The largest unit that needs no fraction: "90s", "2h".
[[nodiscard]] std::string to_text(Milliseconds duration);
struct DurationRange {
  Milliseconds min;
  Milliseconds max;
};
[[nodiscard]] std::optional<Milliseconds> read_duration(const Reading& reading, const Node& node,
                                                        std::string_view what, DurationRange range);

/// Whole seconds, 0 to 2^31-1 (RFC 2181 §8): a bare integer, or a duration.
inline constexpr std::uint32_t ttl_max = 0x7fffffff;
[[nodiscard]] std::optional<std::uint32_t> read_ttl(const Reading& reading, const Node& node,
                                                    std::string_view what);

[[nodiscard]] std::optional<geo::Address> read_address(const Reading& reading, const Node& node);
[[nodiscard]] std::optional<geo::Prefix> read_network(const Reading& reading, const Node& node);
/// A country that exists. YAML 1.1 tools take an unquoted NO for false; here it is Norway.
[[nodiscard]] std::optional<geo::Code2> read_country(const Reading& reading, const Node& node);
[[nodiscard]] std::optional<geo::Code2> read_continent(const Reading& reading, const Node& node);
/// ISO 3166-2 with its country: "US-CA".
[[nodiscard]] std::optional<std::string> read_subdivision(const Reading& reading, const Node& node);
[[nodiscard]] std::optional<std::uint32_t> read_asn(const Reading& reading, const Node& node);
/// A JSON pointer (RFC 6901 §3), not to the whole document.
bool check_pointer(const Reading& reading, Position at, std::string_view what,
                   std::string_view text);
[[nodiscard]] std::optional<std::string> read_pointer(const Reading& reading, const Node& node,
                                                      std::string_view what);
/// [latitude, longitude] in degrees.
[[nodiscard]] std::optional<geo::Coordinates> read_coordinates(const Reading& reading,
                                                               const Node& node);

/// A name of the editor's choice (a region, a role, a key): letters, digits, `-`, `_` and `.`, at
/// most identifier_bytes_max.
inline constexpr std::size_t identifier_bytes_max = 63;
bool check_identifier(const Reading& reading, Position at, std::string_view what,
                      std::string_view text);
[[nodiscard]] std::optional<TextAt> read_identifier(const Reading& reading, const Node& node,
                                                    std::string_view what);

/// One word of a small table.
template <typename T>
std::optional<T> read_choice(const Reading& reading, const Node& node, std::string_view what,
                             std::initializer_list<std::pair<std::string_view, T>> choices) {
  const auto text = read_text(reading, node, what);
  if (!text) return std::nullopt;
  std::vector<std::string> words;
  for (const auto& [word, value] : choices) {
    if (word == *text) return value;
    words.emplace_back(word);
  }
  reading.error(node.at, "bad-choice", "{} is `{}`; {}", what, *text, suggest(*text, words));
  return std::nullopt;
}

/// Assigns a value that was read; what could not be read leaves the target as it is.
template <typename T, typename U>
void assign(T& target, std::optional<U> value) {
  if (value) target = static_cast<T>(std::move(*value));
}

}  // namespace demarc::zones::yaml
