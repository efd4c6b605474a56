// Questions to a trail on disk: its keys, its checkpoints, proofs from it. What is believed is
// decided by zones/audit/verify.h and by who checks the proof (zones/audit/proof_file.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zones/audit/folders.h"
#include "zones/audit/note.h"
#include "zones/audit/proof_file.h"

namespace demarc::zones {

/// One vkey a line; empty text has none.
[[nodiscard]] Result<std::vector<NoteVerifier>, std::string> read_verifiers(std::string_view text);

/// The checkpoint of exactly `size` entries, or without a size the newest; a signed note.
[[nodiscard]] std::optional<std::string> find_checkpoint(const TrailFiles& files,
                                                         std::optional<std::uint64_t> size);

/// That entry `sequence` is in the tree of a checkpoint; without `size`, the newest one's. The
/// error says what is missing. Holds the hashes of that tree in memory, 32 bytes an entry.
[[nodiscard]] Result<InclusionProof, std::string> make_inclusion_proof(
    const AuditFolders& folders, std::uint64_t sequence, std::optional<std::uint64_t> size);

/// That the tree of one checkpoint grew out of another's; without `to`, the newest one's.
[[nodiscard]] Result<ConsistencyProof, std::string> make_consistency_proof(
    const AuditFolders& folders, std::uint64_t from, std::optional<std::uint64_t> to);

}  // namespace demarc::zones
