// Every zone of a repository as flat tables: from a QNAME to the node that answers it, and from a
// node to bytes that need only be copied. dns/zone_compiler.cpp fills them, dns/responder.cpp asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dns/answer_writer.h"
#include "dns/name_key.h"
#include "geo/base/result.h"
#include "zones/model.h"

namespace demarc::dns {

using NodeId = std::uint32_t;

/// A name that exists: an owner of records, or an empty non-terminal above one.
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

  std::uint32_t owner_at = 0;
  std::uint32_t first_entry = 0;
  std::uint32_t special = 0;
  std::uint32_t zone = 0;  // index into Repository::zones
  std::uint16_t entry_count = 0;
  std::uint8_t owner_size = 0;
  std::uint8_t flags = 0;

  [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
  [[nodiscard]] bool is_mode() const noexcept {
    return (flags & (is_cname | leads_to_service)) == leads_to_service;
  }
};

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

enum class MatchKind : std::uint8_t {
  outside,   // no zone of ours
  exact,     // `node` is the QNAME
  wildcard,  // `node` is the wildcard that covers it
  missing,   // `node` is the closest encloser (RFC 4592 §3.3.1)
};

struct Match {
  MatchKind kind = MatchKind::outside;
  NodeId node = 0;
};

/// Immutable once built; any number of threads may read it, without allocation or exceptions.
///
///   slots: hash -> node      nodes: owner, flags, entries      entries: type -> answer bytes
///
/// About 80 bytes for a name with one address.
class ZoneTable {
 public:
  /// The entry of a node that answers every type without one: a referral at a cut, the bare chain
  /// at a CNAME. No RRset has this type.
  static constexpr std::uint16_t any_other_type = 0;

  /// Renders all zones. Control thread; about a second for a million names. Fails when the answers
  /// need more than 4 GiB or a zone has no SOA; the table refers to `repository` by ids alone.
  [[nodiscard]] static Result<ZoneTable, SystemError> build(const zones::Repository& repository);

  /// The zone with the longest apex decides, in it the name itself, else the closest encloser.
  [[nodiscard]] Match find(const NameKey& qname) const noexcept;

  /// Four steps that bring what find() and find_answer() will read for an exact name into the
  /// cache. Each reads what the one before fetched: done for a batch of names, step by step, their
  /// waits for memory run side by side. A hint, nothing else: it may name another node, or none.
  struct Hint {
    std::uint32_t node_plus_1 = 0;
  };
  void fetch_slot(const NameKey& qname) const noexcept;
  [[nodiscard]] Hint fetch_node(const NameKey& qname) const noexcept;
  void fetch_entries(Hint hint) const noexcept;
  void fetch_answer(Hint hint) const noexcept;
  /// After fetch_node().
  [[nodiscard]] bool may_be_service(Hint hint) const noexcept {
    return hint.node_plus_1 != 0 &&
           nodes_[hint.node_plus_1 - 1].has(Node::is_service | Node::leads_to_service);
  }

  /// The node at the QNAME without its first `label` labels; nothing if no name is there, or it is
  /// at or below a delegation. Precondition: `label` <= qname.label_count().
  [[nodiscard]] std::optional<NodeId> find_suffix(const NameKey& qname,
                                                  std::size_t label) const noexcept;

  [[nodiscard]] const Node& node(NodeId id) const noexcept { return nodes_[id]; }
  [[nodiscard]] std::span<const std::uint8_t> owner(const Node& node) const noexcept {
    return {owners_.data() + node.owner_at, node.owner_size};
  }

  /// The node's answer for `qtype`; at a node without an entry for it, nothing.
  [[nodiscard]] std::optional<Answer> find_answer(const Node& node,
                                                  std::uint16_t qtype) const noexcept;
  /// One RRset of the node for a query of type ANY (RFC 8482); nothing if it has none.
  [[nodiscard]] std::optional<Answer> find_any(const Node& node) const noexcept;

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

  [[nodiscard]] std::size_t node_count() const noexcept { return nodes_.size(); }
  [[nodiscard]] std::size_t size_bytes() const noexcept;

 private:
  friend class ZoneCompiler;

  struct Slot {
    std::uint32_t tag = 0;          // the hash's upper half
    std::uint32_t node_plus_1 = 0;  // 0: empty
  };
  struct Entry {
    std::uint32_t answer_at = 0;
    std::uint16_t type = 0;
    Rcode rcode = Rcode::noerror;
    std::uint8_t is_authoritative = 1;
  };
  struct ZoneEntry {
    std::uint32_t negative_at = 0;
    std::uint32_t plain_negative_at = 0;
    std::uint32_t apex_size = 0;
    std::uint32_t parent_zone_plus_1 = 0;
    std::uint32_t parent_node_plus_1 = 0;
    ZoneVersion version;
  };

  ZoneTable() = default;
  [[nodiscard]] std::optional<NodeId> find_node(std::uint64_t hash,
                                                std::span<const std::uint8_t> name) const noexcept;
  [[nodiscard]] std::optional<NodeId> find_wildcard(const NameKey& qname,
                                                    std::size_t encloser) const noexcept;
  [[nodiscard]] Answer answer_at(std::uint32_t at) const noexcept;

  std::vector<Slot> slots_;  // a power of two of them; linear probing
  std::vector<Node> nodes_;
  std::vector<Entry> entries_;
  std::vector<std::uint8_t> owners_;
  std::vector<std::uint8_t> answers_;
  std::vector<ZoneEntry> zones_;
  std::size_t label_count_max_ = 0;  // of the names in the table
  bool has_dnames_ = false;          // in any zone
};

}  // namespace demarc::dns
