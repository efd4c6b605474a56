#include "zones/audit/retention.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/digest.h"
#include "zones/time_text.h"

namespace demarc::zones {
namespace {

/// "jurisdiction-EU.jsonl 122, node.jsonl 90".
std::string to_text(const Removed& removed) {
  std::vector<std::string> parts;
  for (const auto& [log, last] : removed) parts.push_back(fmt::format("{} {}", log, last));
  return fmt::format("{}", fmt::join(parts, ", "));
}

Removed parse_removed(std::string_view text) {
  Removed removed;
  while (!text.empty()) {
    const auto end = std::min(text.find(", "), text.size());
    const std::string_view part = text.substr(0, end);
    const auto space = part.rfind(' ');
    std::uint64_t last = 0;
    if (space != std::string_view::npos &&
        std::from_chars(part.data() + space + 1, part.data() + part.size(), last).ec ==
            std::errc{}) {
      removed[std::string(part.substr(0, space))] = last;
    }
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return removed;
}

constexpr std::uintmax_t tail_bytes = 16384;  // most entries are a few hundred bytes

/// The last entry of a file, read from its end: a segment is large, and asked about every hour.
/// Nothing if there is none, or its last line is not whole.
std::optional<ParsedEntry> last_entry(const LogFile& file) {
  std::ifstream in(file.path, std::ios::binary);
  for (std::uintmax_t size = std::min(tail_bytes, file.size);;
       size = std::min(size * 4, file.size)) {
    std::string tail(size, '\0');
    in.seekg(static_cast<std::streamoff>(file.size - size));
    if (!in.read(tail.data(), static_cast<std::streamsize>(size)) || !tail.ends_with('\n'))
      return {};
    tail.pop_back();
    const auto before = tail.rfind('\n');
    if (before == std::string::npos && size < file.size) continue;
    auto parsed = parse_entry(std::string_view(tail).substr(before + 1));  // npos + 1 is 0
    return parsed ? std::optional(std::move(*parsed)) : std::nullopt;
  }
}

std::string digest_of(const LogFile& file) {
  std::ifstream in(file.path, std::ios::binary);
  std::array<char, 65536> piece{};
  Sha256Stream digest;
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0) {
    digest.add({piece.data(), static_cast<std::size_t>(in.gcount())});
  }
  return to_hex(digest.finish());
}

}  // namespace

Removed removed_of(const LogFiles& logs) {
  const auto node = logs.find(log_file_of(node_jurisdiction));
  if (node == logs.end()) return {};
  // From the newest segment back: the entry is in the last one that has any.
  for (auto file = node->second.rbegin(); file != node->second.rend(); ++file) {
    LogLines lines({*file});
    std::optional<Removed> found;
    while (lines.next()) {
      if (lines.text().find(retention_kind) == std::string::npos) continue;
      const auto parsed = parse_entry(lines.text());
      if (parsed && parsed->entry.kind == retention_kind) {
        found = parse_removed(parsed->entry.fact("removed"));
      }
    }
    if (found) return *found;
  }
  return {};
}

std::vector<OldSegment> old_segments(const LogFiles& logs, WallTime before) {
  std::vector<OldSegment> list;
  for (const auto& [log, files] : logs) {
    for (const LogFile& file : files) {
      if (!file.first) break;
      const auto last = last_entry(file);
      if (!last || last->entry.time >= before) break;  // only a beginning is ever removed
      list.push_back({log, file.path, *file.first, last->place.sequence, digest_of(file)});
    }
  }
  return list;
}

AuditEntry retention_entry(const OldSegment& segment, const Removed& removed, WallTime now) {
  return {.time = now,
          .kind = std::string(retention_kind),
          .jurisdiction = std::string(node_jurisdiction),
          .facts = {{"file", std::filesystem::path(segment.path).filename().string()},
                    {"first", std::to_string(segment.first)},
                    {"last", std::to_string(segment.last)},
                    {"sha256", segment.digest},
                    {"removed", to_text(removed)}}};
}

}  // namespace demarc::zones
