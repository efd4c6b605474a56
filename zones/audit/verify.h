// Reads a whole audit trail back and says whether anything was altered, removed, reordered or cut:
// what `demarc audit verify` prints. Needs nothing but the files, and believes only what hashes and
// signatures say. zones/audit/trail.h is for who wants to read entries.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "geo/base/result.h"
#include "zones/audit/entry.h"
#include "zones/audit/folders.h"
#include "zones/audit/note.h"

namespace demarc::zones {

struct VerifyOptions {
  std::vector<NoteVerifier> verifiers;  // empty: those that the trail itself names
  std::vector<std::string> outside;     // checkpoints that were kept elsewhere, signed notes
};

struct AuditReport {
  std::uint64_t entries = 0;          // in the index
  Sha256 root{};                      // of the tree over them
  std::size_t checkpoints = 0;        // in the trail and from outside, that were compared
  std::uint64_t covered = 0;          // entries under the newest of them
  std::uint64_t removed = 0;          // entries whose detail retention removed
  std::vector<std::string> findings;  // `file:line: what`; empty: the trail is whole
};

/// More findings than these are counted, not told.
inline constexpr std::size_t findings_max = 1000;

/// Checks every line of every file: each entry hashes to what it says and to what the index says,
/// names the root of all entries before it, and none is missing or twice; each checkpoint is signed
/// and is the tree's at its size. Memory does not grow with the trail. Fails only if the folder
/// cannot be read.
[[nodiscard]] Result<AuditReport, SystemError> verify_audit(const AuditFolders& folders,
                                                            const VerifyOptions& options = {});
[[nodiscard]] inline Result<AuditReport, SystemError> verify_audit(const std::string& folder) {
  return verify_audit(AuditFolders{folder, {}});
}

/// Calls `visit` for each readable entry of all logs in order of their sequence.
[[nodiscard]] Result<void, SystemError> visit_audit(
    const AuditFolders& folders, const std::function<void(const ParsedEntry&)>& visit);
[[nodiscard]] inline Result<void, SystemError> visit_audit(
    const std::string& folder, const std::function<void(const ParsedEntry&)>& visit) {
  return visit_audit(AuditFolders{folder, {}}, visit);
}

}  // namespace demarc::zones
