// The first of three steps: YAML text to a syntax tree in which every node knows its place.
// zones/yaml/fields.h reads values out of the tree; zones/repository.h is the way in.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "geo/base/diagnostics.h"

namespace demarc::zones::yaml {

/// A hundred times the largest policy we know; static data of that size belongs in a master file.
inline constexpr std::size_t file_bytes_max = std::size_t{8} << 20U;
/// Lists and maps inside each other; our deepest file has 7. yaml-cpp itself gives up at 500.
inline constexpr std::size_t depth_max = 16;
/// Findings a file may have in this step before the rest is left out.
inline constexpr std::size_t syntax_findings_max = 20;

/// Line and column from 1; both 0: the file as a whole.
struct Position {
  std::size_t line = 0;
  std::size_t column = 0;
  auto operator<=>(const Position&) const = default;
};

enum class NodeKind : std::uint8_t { null, scalar, list, map };

struct Key {
  std::string text;
  Position at;
};

/// A piece of the file. A scalar is text and nothing else: what `NO` or `010` mean is decided by
/// the field that reads it, never by YAML.
struct Node {
  NodeKind kind = NodeKind::null;
  Position at;  // of a null: where its key or its list is
  std::string text;
  std::vector<Key> keys;    // of a map; no duplicates
  std::vector<Node> items;  // of a list; of a map the value of each key
};

/// The entries of large maps, handed over one by one while the text is read instead of kept: those
/// of each map `OUTER: { BELOW: { key: value } }`. Equal keys in such a map are the taker's matter.
struct EntryStream {
  std::string_view below;
  std::function<void(const Key& outer, const Key& key, const Node& value)> take;
};

/// Reads one YAML document. Refused, each with its place: anchors, aliases, merge keys, tags, a
/// second document, duplicate keys, keys that are no text, depth over depth_max, size over
/// file_bytes_max, invalid UTF-8, control characters. Adds findings for `file` and returns nothing
/// unless the whole text is good. An empty document is a null node.
[[nodiscard]] std::optional<Node> parse_syntax(std::string_view text, const std::string& file,
                                               Diagnostics& diagnostics);

/// The same with the entries of some maps taken out of it, and with a size limit of its own. What
/// was taken counts for nothing if the text turns out not to be good.
[[nodiscard]] std::optional<Node> parse_syntax(std::string_view text, const std::string& file,
                                               Diagnostics& diagnostics, const EntryStream& stream,
                                               std::size_t bytes_max);

/// The name of a kind in findings: "a map", "a list", "text", "nothing".
[[nodiscard]] std::string_view to_text(NodeKind kind) noexcept;

}  // namespace demarc::zones::yaml
