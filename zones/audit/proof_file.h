// Proofs as files that need nothing beside them but the log's vkey: JSON, and the text form of
// c2sp.org/tlog-proof. zones/audit/proof.h is the arithmetic, zones/audit/note.h the checkpoint.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "geo/base/result.h"
#include "zones/audit/note.h"

namespace demarc::zones {

struct InclusionProof {
  std::string entry;  // the log's line, without its end
  std::uint64_t index = 0;
  std::vector<Sha256> hashes;
  std::string checkpoint;  // a signed note
};
struct ConsistencyProof {
  std::string first, second;  // checkpoints, signed notes
  std::vector<Sha256> hashes;
};
using Proof = std::variant<InclusionProof, ConsistencyProof>;

[[nodiscard]] std::string write_json(const Proof& proof);
/// The entry goes into the `extra` line, base64; its record is the line without its `hash` member.
[[nodiscard]] std::string write_tlog_proof(const InclusionProof& proof);

/// Reads both forms; the error says what is wrong.
[[nodiscard]] Result<Proof, std::string> parse_proof(std::string_view text);

/// What a proof that holds says, as a sentence; otherwise why it does not hold.
[[nodiscard]] Result<std::string, std::string> check_proof(const Proof& proof,
                                                           std::span<const NoteVerifier> verifiers);

}  // namespace demarc::zones
