#include "zones/audit/tree.h"

#include <string>

namespace demarc::zones {
namespace {

std::string_view view_of(const Sha256& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

}  // namespace

Sha256 leaf_hash(std::string_view entry) {
  std::string bytes(1, '\0');
  bytes += entry;
  return sha256(bytes);
}

Sha256 node_hash(const Sha256& left, const Sha256& right) {
  std::string bytes(1, '\1');
  bytes += view_of(left);
  bytes += view_of(right);
  return sha256(bytes);
}

void MerkleTree::add(const Sha256& leaf) {
  Sha256 subtree = leaf;
  for (std::uint64_t full = size_; (full & 1) != 0; full >>= 1) {
    subtree = node_hash(edge_.back(), subtree);
    edge_.pop_back();
  }
  edge_.push_back(subtree);
  ++size_;
}

Sha256 MerkleTree::root() const {
  if (edge_.empty()) return sha256({});
  Sha256 root = edge_.back();
  for (auto left = edge_.rbegin() + 1; left != edge_.rend(); ++left) root = node_hash(*left, root);
  return root;
}

}  // namespace demarc::zones
