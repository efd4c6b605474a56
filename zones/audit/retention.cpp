#include "zones/audit/retention.h"

#include <charconv>
#include <filesystem>

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

/// The last whole entry of a file; nothing if there is none.
std::optional<ParsedEntry> last_entry(const LogFile& file) {
  LogLines lines({file});
  std::string last;
  while (lines.next()) last = lines.text();
  auto parsed = parse_entry(last);
  return parsed ? std::optional(std::move(*parsed)) : std::nullopt;
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
      list.push_back(
          {log, file.path, *file.first, last->place.sequence, sha256_hex(read_small(file.path))});
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
