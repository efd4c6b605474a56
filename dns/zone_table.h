// Every zone of a repository as flat tables: from a QNAME to the node that answers it, and from a
// node to bytes that need only be copied. dns/zone_compiler.h fills them, dns/table_part.h says how
// they lie, dns/responder.cpp asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dns/name_key.h"
#include "dns/name_search.h"
#include "dns/table_part.h"
#include "geo/base/result.h"
#include "zones/model.h"

namespace demarc::dns {

/// The part of an answer after the question, as AnswerWriter rendered it. Points into the table.
struct Answer {
  Rcode rcode = Rcode::noerror;
  bool is_authoritative = true;
  bool fits = true;  // false: longer than any message
  std::uint16_t answer_count = 0;
  std::uint16_t authority_count = 0;
  std::uint16_t additional_count = 0;  // of the whole body
  std::uint16_t required_additional_count = 0;
  std::uint16_t next_owner = 0;       // where the message has the target of the last CNAME
  std::size_t required_size = 0;      // without additional records that may be left out
  bool is_for_other_types = false;    // from the entry any_other_type
  std::uint32_t soa_zone_plus_1 = 0;  // the body ends with this zone's SOA; 0: with none
  std::span<const std::uint8_t> body;
  std::span<const std::uint8_t> targets;  // steered ones, as dns/rendered_layout.h has them
  std::span<const std::uint8_t> patches;  // 16 bits each, high byte first: pointers that move
};

/// What ZONEVERSION tells of a zone (RFC 9660 §2.1).
struct ZoneVersion {
  std::uint8_t label_count = 0;  // of the apex, without the root
  std::uint32_t serial = 0;
};

/// A whole table: far more than any machine that serves names should spend on it.
inline constexpr std::size_t table_bytes_max = std::size_t{4} << 30U;

/// Immutable once built; any number of threads may read it, without allocation or exceptions.
///
///   hash -> part; its lower half -> slot -> node -> entries, owner, answers
///
/// About 80 bytes for a name with one address. The parts that a reload would make again byte for
/// byte are shared with the table before it.
class ZoneTable {
 public:
  /// The entry of a node that answers every type without one: a referral at a cut, the bare chain
  /// at a CNAME. No RRset has this type.
  static constexpr std::uint16_t any_other_type = 0;

  struct BuildOptions {
    const ZoneTable* last = nullptr;  // whose parts are kept where they are the same
    std::size_t threads = 1;
    std::size_t part_count = 0;  // a power of two; 0: as many as suit the number of names
    std::size_t bytes_max = table_bytes_max;
  };
  /// Renders all zones. Control side; half a second for a million names. Fails when they
  /// need more than `bytes_max` or a zone has no SOA; the table refers to `repository` by ids
  /// alone.
  [[nodiscard]] static Result<ZoneTable, SystemError> build(const zones::Repository& repository,
                                                            const BuildOptions& options);
  [[nodiscard]] static Result<ZoneTable, SystemError> build(const zones::Repository& repository) {
    return build(repository, BuildOptions{});
  }

  /// The zone with the longest apex decides, in it the name itself, else the closest encloser.
  [[nodiscard]] Match find(const NameKey& qname) const noexcept;

  /// Four steps that bring what find() and find_answer() will read for an exact name into the
  /// cache. Each reads what the one before fetched: done for a batch of names, step by step, their
  /// waits for memory run side by side. A hint, nothing else: it may name another node, or none.
  struct Hint {
    const Node* node = nullptr;
  };
  void fetch_slot(const NameKey& qname) const noexcept;
  [[nodiscard]] Hint fetch_node(const NameKey& qname) const noexcept;
  static void fetch_entries(Hint hint) noexcept;
  static void fetch_answer(Hint hint) noexcept;
  /// After fetch_node().
  [[nodiscard]] static bool may_be_service(Hint hint) noexcept {
    return hint.node != nullptr && hint.node->has(Node::is_service | Node::leads_to_service);
  }

  /// The node at the QNAME without its first `label` labels; nothing if no name is there, or it is
  /// at or below a delegation. Precondition: `label` <= qname.label_count().
  [[nodiscard]] std::optional<NodeId> find_suffix(const NameKey& qname,
                                                  std::size_t label) const noexcept;

  [[nodiscard]] const Node& node(NodeId id) const noexcept {
    return parts_[id >> node_place_bits].nodes()[id & ((1U << node_place_bits) - 1)];
  }
  [[nodiscard]] static std::span<const std::uint8_t> owner(const Node& node) noexcept {
    return owner_of(node);
  }

  /// The node's answer for `qtype`; at a node without an entry for it, nothing.
  [[nodiscard]] static std::optional<Answer> find_answer(const Node& node,
                                                         std::uint16_t qtype) noexcept;
  /// One RRset of the node for a query of type ANY (RFC 8482); nothing if it has none.
  [[nodiscard]] static std::optional<Answer> find_any(const Node& node) noexcept;

  /// The node's DNAME (RFC 6672): one record, with no name compressed in its RDATA.
  [[nodiscard]] std::optional<Answer> find_dname(const Node& node) const noexcept;

  /// The SOA for NXDOMAIN and NODATA of a zone (RFC 2308), rendered for its apex as the QNAME.
  [[nodiscard]] Answer negative(std::uint32_t zone) const noexcept;
  /// The same without compression, to follow other records.
  [[nodiscard]] Answer plain_negative(std::uint32_t zone) const noexcept;
  [[nodiscard]] std::size_t apex_size(std::uint32_t zone) const noexcept {
    return zones_[zone].apex_size;
  }

  [[nodiscard]] ZoneVersion version(std::uint32_t zone) const noexcept {
    return zones_[zone].version;
  }

  /// For DS at an apex: the node of the same name in the zone above, if we serve that as well; it
  /// is the parent that answers DS (RFC 4035 §3.1.4.1). `is_hosted` without a node: it has none
  /// there.
  struct ParentSide {
    bool is_hosted = false;
    std::uint32_t zone = 0;
    std::optional<NodeId> node;
  };
  [[nodiscard]] ParentSide parent_side(const Node& apex) const noexcept;

  [[nodiscard]] std::size_t node_count() const noexcept;
  [[nodiscard]] std::size_t size_bytes() const noexcept;
  [[nodiscard]] std::size_t part_count() const noexcept { return parts_.size(); }
  /// Parts that are those of `other`, not copies of them.
  [[nodiscard]] std::size_t shared_parts(const ZoneTable& other) const noexcept;

 private:
  class Builder;
  friend struct NamesOfTable;  // for find_match() of dns/name_search.h

  struct ZoneEntry {
    std::uint32_t negative_at = 0;  // in negatives_
    std::uint32_t plain_negative_at = 0;
    std::uint32_t apex_size = 0;
    std::uint32_t parent_zone_plus_1 = 0;
    std::uint32_t parent_node_plus_1 = 0;
    ZoneVersion version;
  };

  ZoneTable() = default;
  [[nodiscard]] const TablePart& part_of(std::uint64_t hash) const noexcept {
    return parts_[hash >> 32 >> part_shift_];
  }
  [[nodiscard]] NodeId id_of(std::uint64_t hash, std::uint32_t place) const noexcept {
    return static_cast<NodeId>(hash >> 32 >> part_shift_ << node_place_bits) | place;
  }
  [[nodiscard]] std::optional<FoundName> find_node(
      std::uint64_t hash, std::span<const std::uint8_t> name) const noexcept;
  [[nodiscard]] std::optional<FoundName> find_wildcard(const NameKey& qname,
                                                       std::size_t encloser) const noexcept;

  std::vector<TablePart> parts_;  // by the first bits of the hash: a power of two of them
  std::vector<PartBlock> blocks_;
  unsigned part_shift_ = 32;  // of the hash's upper half
  std::vector<std::uint8_t> negatives_;
  std::vector<ZoneEntry> zones_;
  std::size_t label_count_max_ = 0;  // of the names in the table
  bool has_dnames_ = false;          // in any zone
};

}  // namespace demarc::dns
