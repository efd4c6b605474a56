// Reads a whole audit trail back and says whether anything was altered, removed, reordered or cut:
// what `demarc audit verify` and `demarc audit show` print. Needs nothing but the files.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "geo/base/result.h"
#include "zones/audit/entry.h"

namespace demarc::zones {

struct AuditReport {
  std::uint64_t entries = 0;          // in the index
  Sha256 root{};                      // of the tree over them
  std::vector<std::string> findings;  // `file:line: what`; empty: the trail is whole
};

/// Checks every line of every file in `folder`: each entry hashes to what it says and to what the
/// index says, names the root of all entries before it, and none is missing or twice. Fails only if
/// the folder cannot be read.
[[nodiscard]] Result<AuditReport, SystemError> verify_audit(const std::string& folder);

/// Calls `visit` for each readable entry of all logs in order of their sequence.
[[nodiscard]] Result<void, SystemError> visit_audit(
    const std::string& folder, const std::function<void(const ParsedEntry&)>& visit);

}  // namespace demarc::zones
