// One part of the table of names: those whose hashes begin alike, with their answers, in one block
// of bytes. dns/part_writer.h makes it, dns/zone_table.h asks it. A reload keeps the blocks that
// would be made again byte for byte, so that two tables of a million names need little more than
// one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "dns/page_allocator.h"
#include "dns/wire.h"

namespace demarc::dns {

/// A node of a table: its part above, its place there below. The same name has another one after a
/// reload, unless its part was kept.
using NodeId = std::uint32_t;

inline constexpr unsigned node_place_bits = 22;
inline constexpr std::uint32_t node_place_max = (1U << node_place_bits) - 2;  // id + 1 fits, too
inline constexpr std::size_t table_parts_max = std::size_t{1} << (32 - node_place_bits);

/// A name that exists: an owner of records, or an empty non-terminal above one. What belongs to it
/// is found from where it lies, so it is never copied:
///
///   node + tail_at -> entries, owner, answers
struct Node {
  static constexpr std::uint8_t is_apex = 1;
  static constexpr std::uint8_t is_cut = 2;        // a delegation; `special` is the node itself
  static constexpr std::uint8_t is_below_cut = 4;  // glue and the occluded; `special`: its cut
  static constexpr std::uint8_t has_wildcard = 8;  // there is a `*` directly below
  static constexpr std::uint8_t is_service = 16;   // `special` is the ServiceId
  /// With is_cname: its chain ends at service `special`. Without: it tells that service's mode.
  static constexpr std::uint8_t leads_to_service = 32;
  static constexpr std::uint8_t is_cname = 64;
  static constexpr std::uint8_t has_tenants = 128;  // with is_service: names below are tenants'

  std::uint32_t tail_at = 0;  // in bytes from the node itself
  std::uint32_t special = 0;
  std::uint32_t zone = 0;  // index into Repository::zones
  std::uint16_t entry_count = 0;
  std::uint8_t owner_size = 0;
  std::uint8_t flags = 0;

  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
  [[nodiscard]] bool is_mode() const noexcept {
    return (flags & (is_cname | leads_to_service)) == leads_to_service;
  }
};

/// One answer of a node.
struct TableEntry {
  std::uint32_t answer_at = 0;  // in bytes from the node's tail, as dns/rendered_layout.h has it
  std::uint16_t type = 0;
  Rcode rcode = Rcode::noerror;
  std::uint8_t is_authoritative = 1;
};

struct TableSlot {
  std::uint32_t tag = 0;           // the hash's upper half
  std::uint32_t place_plus_1 = 0;  // of the node; 0: empty
};

[[nodiscard]] inline const std::uint8_t* tail_of(const Node& node) noexcept {
  return reinterpret_cast<const std::uint8_t*>(&node) + node.tail_at;
}

/// Precondition: `index` < node.entry_count.
[[nodiscard]] inline TableEntry entry_of(const Node& node, std::uint32_t index) noexcept {
  TableEntry entry;
  std::memcpy(&entry, tail_of(node) + index * sizeof(TableEntry), sizeof(entry));
  return entry;
}

[[nodiscard]] inline std::span<const std::uint8_t> owner_of(const Node& node) noexcept {
  return {tail_of(node) + node.entry_count * sizeof(TableEntry), node.owner_size};
}

/// What a query thread reads of a part. The nodes lie behind the slots.
struct TablePart {
  const TableSlot* slots = nullptr;  // a power of two of them; linear probing by the lower half
  std::uint32_t slot_mask = 0;
  std::uint32_t node_count = 0;

  [[nodiscard]] const Node* nodes() const noexcept {
    return reinterpret_cast<const Node*>(slots + slot_mask + 1);
  }
};

/// The block of a part: slots, nodes, tails. The control side alone counts its references.
using PartBytes = std::vector<std::uint64_t, PageAllocator<std::uint64_t>>;
using PartBlock = std::shared_ptr<const PartBytes>;

}  // namespace demarc::dns
