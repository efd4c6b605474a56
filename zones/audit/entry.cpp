#include "zones/audit/entry.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "zones/audit/tree.h"
#include "zones/strict_json.h"
#include "zones/time_text.h"

namespace demarc::zones {
namespace {

using nlohmann::ordered_json;

std::string dump(const ordered_json& json) {
  // Text from outside (a token's reason) may be no valid UTF-8; the trail must be written all the
  // same.
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

/// `{...}` with one more member at its end.
std::string with_hash(const std::string& object, const Sha256& hash) {
  return object.substr(0, object.size() - 1) + ",\"hash\":\"" + to_hex(hash) + "\"}";
}

std::optional<Sha256> parse_hash_text(std::string_view text) {
  Sha256 hash{};
  if (text.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    unsigned byte = 0;
    const char* const end = text.data() + 2 * i + 2;
    if (std::from_chars(text.data() + 2 * i, end, byte, 16).ptr != end) return std::nullopt;
    hash[i] = static_cast<std::uint8_t>(byte);
  }
  return hash;
}

std::optional<Sha256> parse_hash(const nlohmann::json& value) {
  if (!value.is_string()) return std::nullopt;
  return parse_hash_text(value.get_ref<const std::string&>());
}

std::optional<std::string> text_of(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<std::uint64_t> number_of(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

/// What stands between `before` and the next quote; `rest` goes on behind it. Only text that JSON
/// writes as it is.
std::optional<std::string_view> take_plain(std::string_view& rest, std::string_view before) {
  if (!rest.starts_with(before)) return std::nullopt;
  rest.remove_prefix(before.size());
  const std::string_view text = rest.substr(0, rest.find('"'));
  const bool is_plain =
      std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7f && c != '\\'; });
  if (!is_plain || text.size() == rest.size()) return std::nullopt;
  rest.remove_prefix(text.size() + 1);
  return text;
}

/// The same as the reading through JSON below, for lines without escapes: a trail of a million
/// entries is opened at each start. Nothing means: read it the slow way, which has the errors.
std::optional<IndexLine> parse_plain_index_line(std::string_view line) {
  constexpr std::string_view begin = "{\"seq\":";
  if (!line.starts_with(begin)) return std::nullopt;
  line.remove_prefix(begin.size());
  IndexLine read;
  const auto number = std::from_chars(line.data(), line.data() + line.size(), read.sequence);
  const auto digits = static_cast<std::size_t>(number.ptr - line.data());
  if (number.ec != std::errc{} || (digits > 1 && line.front() == '0')) return std::nullopt;
  line.remove_prefix(digits);
  const auto time_text = take_plain(line, ",\"time\":\"");
  const auto kind = time_text ? take_plain(line, ",\"kind\":\"") : std::nullopt;
  const auto jurisdiction = kind ? take_plain(line, ",\"jurisdiction\":\"") : std::nullopt;
  const auto hash_text = jurisdiction ? take_plain(line, ",\"hash\":\"") : std::nullopt;
  if (!hash_text || line != "}") return std::nullopt;
  const auto time = parse_rfc3339(*time_text);
  const auto hash = parse_hash_text(*hash_text);
  if (!time || !hash || to_rfc3339(*time) != *time_text || to_hex(*hash) != *hash_text) {
    return std::nullopt;
  }
  read.time = *time;
  read.kind = *kind;
  read.jurisdiction = *jurisdiction;
  read.hash = *hash;
  return read;
}

std::unexpected<std::string> wrong(std::string what) { return std::unexpected(std::move(what)); }

}  // namespace

EntryLine render_entry(const AuditEntry& entry, const EntryPlace& place) {
  ordered_json facts = ordered_json::object();
  for (const auto& [name, value] : entry.facts) facts[name] = value;
  const ordered_json json = {{"seq", place.sequence},
                             {"time", to_rfc3339(entry.time)},
                             {"node", place.node},
                             {"kind", entry.kind},
                             {"jurisdiction", entry.jurisdiction},
                             {"facts", facts},
                             {"tree-root", to_hex(place.tree_root)}};
  const std::string body = dump(json);
  const Sha256 hash = leaf_hash(body);
  return {with_hash(body, hash), hash};
}

std::string render_index_line(const AuditEntry& entry, std::uint64_t sequence, const Sha256& hash) {
  const ordered_json json = {{"seq", sequence},
                             {"time", to_rfc3339(entry.time)},
                             {"kind", entry.kind},
                             {"jurisdiction", entry.jurisdiction}};
  return with_hash(dump(json), hash);
}

Result<ParsedEntry, std::string> parse_entry(std::string_view line) {
  const auto json = parse_json_object(line);
  if (!json) return wrong(json.error());
  const auto sequence = number_of(*json, "seq");
  const auto time_text = text_of(*json, "time");
  const auto time = time_text ? parse_rfc3339(*time_text) : std::nullopt;
  const auto node = text_of(*json, "node"), kind = text_of(*json, "kind");
  const auto jurisdiction = text_of(*json, "jurisdiction");
  const auto root = json->contains("tree-root") ? parse_hash((*json)["tree-root"]) : std::nullopt;
  const auto hash = json->contains("hash") ? parse_hash((*json)["hash"]) : std::nullopt;
  if (!sequence || !time || !node || !kind || !jurisdiction || !root || !hash ||
      !json->contains("facts") || !(*json)["facts"].is_object()) {
    return wrong("a member is missing or has the wrong type");
  }
  ParsedEntry parsed{{*time, *kind, *jurisdiction, {}}, {*sequence, *node, *root}, *hash};
  // The order of the facts is part of the line; only an ordered parser keeps it.
  const auto ordered = ordered_json::parse(line, nullptr, false);
  for (const auto& [name, value] : ordered["facts"].items()) {
    if (!value.is_string()) return wrong("fact `" + name + "` is no text");
    parsed.entry.facts.emplace_back(name, value.get<std::string>());
  }
  const EntryLine again = render_entry(parsed.entry, parsed.place);
  if (again.hash != *hash) return wrong("its content does not match its hash");
  if (again.text != line) return wrong("it is not written as entries are");
  return parsed;
}

Result<IndexLine, std::string> parse_index_line(std::string_view line) {
  if (auto plain = parse_plain_index_line(line)) return std::move(*plain);
  const auto json = parse_json_object(line);
  if (!json) return wrong(json.error());
  const auto sequence = number_of(*json, "seq");
  const auto time_text = text_of(*json, "time");
  const auto time = time_text ? parse_rfc3339(*time_text) : std::nullopt;
  const auto kind = text_of(*json, "kind"), jurisdiction = text_of(*json, "jurisdiction");
  const auto hash = json->contains("hash") ? parse_hash((*json)["hash"]) : std::nullopt;
  if (!sequence || !time || !kind || !jurisdiction || !hash) {
    return wrong("a member is missing or has the wrong type");
  }
  const AuditEntry entry{*time, *kind, *jurisdiction, {}};
  if (render_index_line(entry, *sequence, *hash) != line) {
    return wrong("it is not written as index lines are");
  }
  return IndexLine{*sequence, *time, *kind, *jurisdiction, *hash};
}

std::string log_file_of(std::string_view jurisdiction) {
  if (jurisdiction == node_jurisdiction) return "node.jsonl";
  std::string name = "jurisdiction-";
  for (const char c : jurisdiction) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    if (plain) {
      name += c;
    } else {
      name += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return name + ".jsonl";
}

}  // namespace demarc::zones
