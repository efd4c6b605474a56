#include "zones/audit/proof.h"

#include <bit>

namespace demarc::zones {
namespace {

/// Where a tree of `size` > 1 leaves splits: the largest power of two below it.
std::uint64_t split_of(std::uint64_t size) { return std::bit_floor(size - 1); }

/// Walks the bits of a leaf's index and the last leaf's (RFC 9162 §2.1.3.2): what is left of them
/// says on which side the next hash stands.
struct Way {
  std::uint64_t node, last;

  void up() {
    node >>= 1;
    last >>= 1;
  }
  void skip_levels_without_sibling() {
    while ((node & 1) == 0 && node != 0) up();
  }
  [[nodiscard]] bool is_right() const { return (node & 1) != 0 || node == last; }
};

}  // namespace

Sha256 root_of(std::span<const Sha256> leaves) {
  MerkleTree tree;
  for (const Sha256& leaf : leaves) tree.add(leaf);
  return tree.root();
}

std::vector<Sha256> prove_inclusion(std::span<const Sha256> leaves, std::uint64_t index) {
  std::vector<Sha256> proof;
  while (leaves.size() > 1) {
    const std::uint64_t left = split_of(leaves.size());
    if (index < left) {
      proof.push_back(root_of(leaves.subspan(left)));
      leaves = leaves.first(left);
    } else {
      proof.push_back(root_of(leaves.first(left)));
      leaves = leaves.subspan(left);
      index -= left;
    }
  }
  return {proof.rbegin(), proof.rend()};
}

std::vector<Sha256> prove_consistency(std::span<const Sha256> leaves, std::uint64_t first) {
  std::vector<Sha256> proof;
  bool is_whole = true;  // the old tree is the whole of a subtree of the new one, and known
  while (first != leaves.size()) {
    const std::uint64_t left = split_of(leaves.size());
    if (first <= left) {
      proof.push_back(root_of(leaves.subspan(left)));
      leaves = leaves.first(left);
    } else {
      proof.push_back(root_of(leaves.first(left)));
      leaves = leaves.subspan(left);
      first -= left;
      is_whole = false;
    }
  }
  if (!is_whole) proof.push_back(root_of(leaves));
  return {proof.rbegin(), proof.rend()};
}

bool is_included(const Sha256& leaf, std::uint64_t index, std::uint64_t size,
                 std::span<const Sha256> proof, const Sha256& root) {
  if (index >= size) return false;
  Way way{index, size - 1};
  Sha256 hash = leaf;
  for (const Sha256& beside : proof) {
    if (way.last == 0) return false;
    if (way.is_right()) {
      hash = node_hash(beside, hash);
      if ((way.node & 1) == 0) way.skip_levels_without_sibling();
    } else {
      hash = node_hash(hash, beside);
    }
    way.up();
  }
  return way.last == 0 && hash == root;
}

bool is_consistent(std::uint64_t first, const Sha256& first_root, std::uint64_t second,
                   const Sha256& second_root, std::span<const Sha256> proof) {
  if (first == 0 || first > second) return false;
  if (first == second) return proof.empty() && first_root == second_root;
  std::vector<Sha256> hashes(proof.begin(), proof.end());
  if (std::has_single_bit(first)) hashes.insert(hashes.begin(), first_root);
  if (hashes.empty()) return false;
  Way way{first - 1, second - 1};
  while ((way.node & 1) != 0) way.up();
  Sha256 old_hash = hashes.front(), new_hash = hashes.front();
  for (const Sha256& beside : std::span(hashes).subspan(1)) {
    if (way.last == 0) return false;
    if (way.is_right()) {
      old_hash = node_hash(beside, old_hash);
      new_hash = node_hash(beside, new_hash);
      if ((way.node & 1) == 0) way.skip_levels_without_sibling();
    } else {
      new_hash = node_hash(new_hash, beside);
    }
    way.up();
  }
  return way.last == 0 && old_hash == first_root && new_hash == second_root;
}

}  // namespace demarc::zones
