// Merkle proofs: that an entry is in a tree (RFC 9162 §2.1.3), and that a tree only grew (§2.1.4).
// Pure; zones/audit/proof_file.h writes and reads them as files for a third party.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "zones/audit/tree.h"

namespace demarc::zones {

/// The root of the tree of these leaves.
[[nodiscard]] Sha256 root_of(std::span<const Sha256> leaves);

/// The hashes beside the way from leaf `index` to the root, from the leaf up. Precondition:
/// `index` < leaves.size().
[[nodiscard]] std::vector<Sha256> prove_inclusion(std::span<const Sha256> leaves,
                                                  std::uint64_t index);

/// That the tree of the first `first` leaves is the beginning of the tree of all. Precondition:
/// 0 < first <= leaves.size().
[[nodiscard]] std::vector<Sha256> prove_consistency(std::span<const Sha256> leaves,
                                                    std::uint64_t first);

/// Any values are fine; true only for a proof of exactly this.
[[nodiscard]] bool is_included(const Sha256& leaf, std::uint64_t index, std::uint64_t size,
                               std::span<const Sha256> proof, const Sha256& root);
[[nodiscard]] bool is_consistent(std::uint64_t first, const Sha256& first_root,
                                 std::uint64_t second, const Sha256& second_root,
                                 std::span<const Sha256> proof);

}  // namespace demarc::zones
