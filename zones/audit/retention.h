// Retention: whole rotated segments of details go when they are old enough, oldest first, and an
// entry says so before they do. The index keeps every hash, so the tree and all proofs go on.
// zones/audit/log.h states and finishes it, zones/audit/verify.h believes it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "geo/base/moment.h"
#include "zones/audit/entry.h"
#include "zones/audit/folders.h"

namespace demarc::zones {

inline constexpr std::string_view retention_kind = "retention-applied";

/// By log: the sequence of the last entry whose detail was removed. Removed is always a beginning.
using Removed = std::map<std::string, std::uint64_t>;

/// What the newest entry about retention says; each one repeats what the ones before it said.
[[nodiscard]] Removed removed_of(const LogFiles& logs);

/// A segment that may go: all its entries are older than `before`.
struct OldSegment {
  std::string log, path;
  std::uint64_t first = 0, last = 0;
  std::string digest;  // SHA-256 in hex of the file
};
[[nodiscard]] std::vector<OldSegment> old_segments(const LogFiles& logs, WallTime before);

/// The entry that must be on disk before the segment goes.
[[nodiscard]] AuditEntry retention_entry(const OldSegment& segment, const Removed& removed,
                                         WallTime now);

}  // namespace demarc::zones
