// A Merkle tree over audit entries, as RFC 9162 §2.1 hashes it, kept as its right edge alone:
// adding a leaf and telling the root take O(log n). zones/audit/log.h grows it,
// zones/audit/verify.h regrows it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "zones/digest.h"

namespace demarc::zones {

/// SHA-256(0x00 || entry): a leaf can never be taken for an inner node (RFC 9162 §2.1.1).
[[nodiscard]] Sha256 leaf_hash(std::string_view entry);

/// SHA-256(0x01 || left || right).
[[nodiscard]] Sha256 node_hash(const Sha256& left, const Sha256& right);

class MerkleTree {
 public:
  void add(const Sha256& leaf);

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// The root of all leaves so far; of none: the hash of nothing.
  [[nodiscard]] Sha256 root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Sha256>
      edge_;  // roots of the full subtrees, one for each bit of size_, largest first
};

}  // namespace demarc::zones
