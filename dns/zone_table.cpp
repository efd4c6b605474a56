#include "dns/zone_table.h"

#include <algorithm>
#include <cstring>

#include "dns/rendered_layout.h"

namespace demarc::dns {

namespace {

// Where the second line of a tail of one entry, a short owner and an address is sure to be read.
constexpr std::size_t usual_tail_size = 48;

Answer answer_at(const std::uint8_t* head) noexcept {
  Answer answer;
  if ((head[0] & RenderedLayout::is_short) != 0) {
    answer.answer_count = head[0] & RenderedLayout::short_count_max;
    answer.required_size = get16(head + RenderedLayout::short_body_size_at);
    answer.body = {head + RenderedLayout::short_head_size, answer.required_size};
    return answer;
  }
  answer.answer_count = get16(head + RenderedLayout::answer_count_at);
  answer.authority_count = get16(head + RenderedLayout::authority_count_at);
  answer.additional_count = get16(head + RenderedLayout::additional_count_at);
  answer.required_additional_count = get16(head + RenderedLayout::required_additional_at);
  answer.next_owner = get16(head + RenderedLayout::next_owner_at);
  answer.required_size = get16(head + RenderedLayout::required_size_at);
  answer.soa_zone_plus_1 = get32(head + RenderedLayout::soa_zone_at);
  answer.fits = answer.required_size != RenderedLayout::never_fits;
  const std::size_t patches_size = 2 * std::size_t{get16(head + RenderedLayout::patch_count_at)};
  answer.patches = {head + RenderedLayout::head_size, patches_size};
  const std::size_t targets_size =
      RenderedLayout::target_size * get16(head + RenderedLayout::target_count_at);
  answer.targets = {head + RenderedLayout::head_size + patches_size, targets_size};
  answer.body = {answer.targets.data() + targets_size, get16(head + RenderedLayout::body_size_at)};
  return answer;
}

}  // namespace

/// ZoneTable as find_match() sees it.
struct NamesOfTable {
  const ZoneTable& table;

  [[nodiscard]] std::optional<FoundName> find(std::uint64_t hash,
                                              std::span<const std::uint8_t> name) const noexcept {
    return table.find_node(hash, name);
  }
  [[nodiscard]] std::optional<FoundName> find_wildcard(const NameKey& qname,
                                                       std::size_t encloser) const noexcept {
    return table.find_wildcard(qname, encloser);
  }
};

inline std::optional<FoundName> ZoneTable::find_node(
    std::uint64_t hash, std::span<const std::uint8_t> name) const noexcept {
  const TablePart& part = part_of(hash);
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  for (std::size_t at = hash & part.slot_mask; part.slots[at].place_plus_1 != 0;
       at = (at + 1) & part.slot_mask) {
    if (part.slots[at].tag != tag) continue;
    const std::uint32_t place = part.slots[at].place_plus_1 - 1;
    const Node& node = part.nodes()[place];
    if (std::ranges::equal(owner_of(node), name)) return FoundName{id_of(hash, place), node.flags};
  }
  return std::nullopt;
}

std::optional<FoundName> ZoneTable::find_wildcard(const NameKey& qname,
                                                  std::size_t encloser) const noexcept {
  const auto suffix = qname.suffix(encloser);
  const std::uint64_t hash = qname.wildcard_hash(encloser);
  const TablePart& part = part_of(hash);
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  for (std::size_t at = hash & part.slot_mask; part.slots[at].place_plus_1 != 0;
       at = (at + 1) & part.slot_mask) {
    if (part.slots[at].tag != tag) continue;
    const std::uint32_t place = part.slots[at].place_plus_1 - 1;
    const Node& node = part.nodes()[place];
    const auto name = owner_of(node);
    if (name.size() == suffix.size() + 2 && name[0] == 1 && name[1] == '*' &&
        std::ranges::equal(name.subspan(2), suffix)) {
      return FoundName{id_of(hash, place), node.flags};
    }
  }
  return std::nullopt;
}

Match ZoneTable::find(const NameKey& qname) const noexcept {
  return find_match(NamesOfTable{*this}, qname, label_count_max_);
}

void ZoneTable::fetch_slot(const NameKey& qname) const noexcept {
  const TablePart& part = part_of(qname.hash(0));
  __builtin_prefetch(part.slots + (qname.hash(0) & part.slot_mask));
}

ZoneTable::Hint ZoneTable::fetch_node(const NameKey& qname) const noexcept {
  const TablePart& part = part_of(qname.hash(0));
  const TableSlot& slot = part.slots[qname.hash(0) & part.slot_mask];
  if (slot.place_plus_1 == 0) return {};
  const Node* const node = part.nodes() + slot.place_plus_1 - 1;
  __builtin_prefetch(node);
  return {node};
}

// Entries, owner and a short answer are a line or two.
void ZoneTable::fetch_entries(Hint hint) noexcept {
  if (hint.node == nullptr) return;
  __builtin_prefetch(tail_of(*hint.node));
  __builtin_prefetch(tail_of(*hint.node) + usual_tail_size);
}

void ZoneTable::fetch_answer(Hint hint) noexcept {
  if (hint.node == nullptr || hint.node->entry_count == 0) return;
  __builtin_prefetch(tail_of(*hint.node) + entry_of(*hint.node, 0).answer_at);
}

std::optional<NodeId> ZoneTable::find_suffix(const NameKey& qname,
                                             std::size_t label) const noexcept {
  const auto found = find_node(qname.hash(label), qname.suffix(label));
  if (!found || (found->flags & (Node::is_cut | Node::is_below_cut)) != 0) return std::nullopt;
  return found->id;
}

std::optional<Answer> ZoneTable::find_answer(const Node& node, std::uint16_t qtype) noexcept {
  std::optional<Answer> found;
  for (std::uint32_t index = 0; index < node.entry_count; ++index) {
    const TableEntry entry = entry_of(node, index);
    if (entry.type != qtype && entry.type != any_other_type) continue;
    found = answer_at(tail_of(node) + entry.answer_at);
    found->rcode = entry.rcode;
    found->is_authoritative = entry.is_authoritative != 0;
    found->is_for_other_types = entry.type == any_other_type;
    if (entry.type == qtype) break;  // the entry for all other types comes first
  }
  return found;
}

std::optional<Answer> ZoneTable::find_any(const Node& node) noexcept {
  const std::uint16_t type = node.has(Node::is_cname) ? rrtype::cname : any_other_type;
  for (std::uint32_t index = 0; index < node.entry_count; ++index) {
    const TableEntry entry = entry_of(node, index);
    if (entry.type == any_other_type) continue;
    if (type == any_other_type || entry.type == type) {
      return answer_at(tail_of(node) + entry.answer_at);
    }
  }
  return std::nullopt;
}

std::optional<Answer> ZoneTable::find_dname(const Node& node) const noexcept {
  // A CNAME's node has the DNAME that its chain ends at, if it does; that is not its own.
  if (!has_dnames_ || node.has(Node::is_cname)) return std::nullopt;
  auto dname = find_answer(node, rrtype::dname);
  if (dname && dname->is_for_other_types) return std::nullopt;
  return dname;
}

Answer ZoneTable::negative(std::uint32_t zone) const noexcept {
  return answer_at(negatives_.data() + zones_[zone].negative_at);
}

Answer ZoneTable::plain_negative(std::uint32_t zone) const noexcept {
  return answer_at(negatives_.data() + zones_[zone].plain_negative_at);
}

ZoneTable::ParentSide ZoneTable::parent_side(const Node& apex) const noexcept {
  const ZoneEntry& zone = zones_[apex.zone];
  ParentSide parent;
  parent.is_hosted = zone.parent_zone_plus_1 != 0;
  if (parent.is_hosted) parent.zone = zone.parent_zone_plus_1 - 1;
  if (zone.parent_node_plus_1 != 0) parent.node = zone.parent_node_plus_1 - 1;
  return parent;
}

std::size_t ZoneTable::node_count() const noexcept {
  std::size_t count = 0;
  for (const TablePart& part : parts_) count += part.node_count;
  return count;
}

std::size_t ZoneTable::size_bytes() const noexcept {
  std::size_t size =
      negatives_.size() + zones_.size() * sizeof(ZoneEntry) + parts_.size() * sizeof(TablePart);
  for (const PartBlock& block : blocks_) size += block->size() * sizeof(std::uint64_t);
  return size;
}

std::size_t ZoneTable::shared_parts(const ZoneTable& other) const noexcept {
  if (blocks_.size() != other.blocks_.size()) return 0;
  std::size_t count = 0;
  for (std::size_t part = 0; part < blocks_.size(); ++part) {
    if (blocks_[part] == other.blocks_[part]) ++count;
  }
  return count;
}

}  // namespace demarc::dns
