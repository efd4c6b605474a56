// One fact of the audit trail, and the line it becomes. zones/steering.h states facts,
// zones/audit/log.h writes them, zones/audit/verify.h reads them back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "zones/digest.h"

namespace demarc::zones {

/// The jurisdiction of facts that concern the node and no one's data: kept in a log of its own.
inline constexpr std::string_view node_jurisdiction = "-";

struct AuditEntry {
  WallTime time;
  std::string kind;          // "crossing-held"; DESIGN.md section 4 and tools/README.md list them
  std::string jurisdiction;  // whose log keeps it; node_jurisdiction if no one's
  std::vector<std::pair<std::string, std::string>> facts;  // who, why, evidence, before, after ...

  /// True for the fact that a crossing is made: if the trail cannot be written, it did not happen.
  bool tells_of_new_crossing = false;

  [[nodiscard]] std::string_view fact(std::string_view name) const noexcept {
    for (const auto& [known, value] : facts) {
      if (known == name) return value;
    }
    return {};
  }
  bool operator==(const AuditEntry&) const = default;
};

/// Where an entry stands, and the tree before it.
struct EntryPlace {
  std::uint64_t sequence = 0;  // from 0, over all jurisdictions
  std::string node;
  Sha256 tree_root{};  // of the `sequence` entries before it
};

/// One JSON line without its line end. Its last member is `hash`, the leaf hash of what precedes
/// it.
struct EntryLine {
  std::string text;
  Sha256 hash{};
};
[[nodiscard]] EntryLine render_entry(const AuditEntry& entry, const EntryPlace& place);

/// The index's line of an entry: sequence, time, kind, jurisdiction and hash; nothing else ever.
[[nodiscard]] std::string render_index_line(const AuditEntry& entry, std::uint64_t sequence,
                                            const Sha256& hash);

struct ParsedEntry {
  AuditEntry entry;
  EntryPlace place;
  Sha256 hash{};
};
/// Reads one line of a jurisdiction's log; fails unless it is, byte for byte, what render_entry
/// writes.
[[nodiscard]] Result<ParsedEntry, std::string> parse_entry(std::string_view line);

struct IndexLine {
  std::uint64_t sequence = 0;
  WallTime time;
  std::string kind;
  std::string jurisdiction;
  Sha256 hash{};
};
/// Reads one line of the index; fails unless it is, byte for byte, what render_index_line writes.
[[nodiscard]] Result<IndexLine, std::string> parse_index_line(std::string_view line);

/// The file of a jurisdiction's log inside the audit folder: `jurisdiction-EU.jsonl`, `node.jsonl`.
[[nodiscard]] std::string log_file_of(std::string_view jurisdiction);
inline constexpr std::string_view index_file = "index.jsonl";

}  // namespace demarc::zones
