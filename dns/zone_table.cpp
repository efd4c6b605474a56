#include "dns/zone_table.h"

#include <algorithm>
#include <cstring>

#include "dns/rendered_layout.h"

namespace demarc::dns {

std::optional<NodeId> ZoneTable::find_node(std::uint64_t hash,
                                           std::span<const std::uint8_t> name) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  for (std::size_t at = hash & mask; slots_[at].node_plus_1 != 0; at = (at + 1) & mask) {
    if (slots_[at].tag != tag) continue;
    const NodeId id = slots_[at].node_plus_1 - 1;
    if (std::ranges::equal(owner(nodes_[id]), name)) return id;
  }
  return std::nullopt;
}

std::optional<NodeId> ZoneTable::find_wildcard(const NameKey& qname,
                                               std::size_t encloser) const noexcept {
  const auto suffix = qname.suffix(encloser);
  const std::uint64_t hash = qname.wildcard_hash(encloser);
  const std::size_t mask = slots_.size() - 1;
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  for (std::size_t at = hash & mask; slots_[at].node_plus_1 != 0; at = (at + 1) & mask) {
    if (slots_[at].tag != tag) continue;
    const NodeId id = slots_[at].node_plus_1 - 1;
    const auto name = owner(nodes_[id]);
    if (name.size() == suffix.size() + 2 && name[0] == 1 && name[1] == '*' &&
        std::ranges::equal(name.subspan(2), suffix)) {
      return id;
    }
  }
  return std::nullopt;
}

Match ZoneTable::find(const NameKey& qname) const noexcept {
  const std::size_t labels = qname.label_count();
  // No longer name is in the table: a QNAME of 127 labels costs no more steps than the deepest one.
  const std::size_t first = labels > label_count_max_ ? labels - label_count_max_ : 0;
  for (std::size_t label = first; label <= labels; ++label) {
    const auto id = find_node(qname.hash(label), qname.suffix(label));
    if (!id) continue;
    if (label == 0) return {MatchKind::exact, *id};
    const Node& encloser = nodes_[*id];
    if (encloser.has(Node::has_wildcard) && !encloser.has(Node::is_cut | Node::is_below_cut)) {
      if (const auto wildcard = find_wildcard(qname, label)) {
        return {MatchKind::wildcard, *wildcard};
      }
    }
    return {MatchKind::missing, *id};
  }
  return {};
}

void ZoneTable::fetch_slot(const NameKey& qname) const noexcept {
  __builtin_prefetch(slots_.data() + (qname.hash(0) & (slots_.size() - 1)));
}

ZoneTable::Hint ZoneTable::fetch_node(const NameKey& qname) const noexcept {
  const Slot& slot = slots_[qname.hash(0) & (slots_.size() - 1)];
  if (slot.node_plus_1 == 0) return {};
  __builtin_prefetch(nodes_.data() + slot.node_plus_1 - 1);
  return {slot.node_plus_1};
}

void ZoneTable::fetch_entries(Hint hint) const noexcept {
  if (hint.node_plus_1 == 0) return;
  const Node& node = nodes_[hint.node_plus_1 - 1];
  __builtin_prefetch(owners_.data() + node.owner_at);
  if (node.entry_count != 0) __builtin_prefetch(entries_.data() + node.first_entry);
}

void ZoneTable::fetch_answer(Hint hint) const noexcept {
  if (hint.node_plus_1 == 0) return;
  const Node& node = nodes_[hint.node_plus_1 - 1];
  if (node.entry_count == 0) return;
  const std::uint8_t* const answer = answers_.data() + entries_[node.first_entry].answer_at;
  __builtin_prefetch(answer);
}

std::optional<NodeId> ZoneTable::find_suffix(const NameKey& qname,
                                             std::size_t label) const noexcept {
  const auto id = find_node(qname.hash(label), qname.suffix(label));
  if (!id || nodes_[*id].has(Node::is_cut | Node::is_below_cut)) return std::nullopt;
  return id;
}

std::optional<Answer> ZoneTable::find_answer(const Node& node, std::uint16_t qtype) const noexcept {
  std::optional<Answer> found;
  for (std::uint32_t index = 0; index < node.entry_count; ++index) {
    const Entry& entry = entries_[node.first_entry + index];
    if (entry.type != qtype && entry.type != any_other_type) continue;
    found = answer_at(entry.answer_at);
    found->rcode = entry.rcode;
    found->is_authoritative = entry.is_authoritative != 0;
    found->is_for_other_types = entry.type == any_other_type;
    if (entry.type == qtype) break;  // the entry for all other types comes first
  }
  return found;
}

std::optional<Answer> ZoneTable::find_any(const Node& node) const noexcept {
  const std::uint16_t type = node.has(Node::is_cname) ? rrtype::cname : any_other_type;
  for (std::uint32_t index = 0; index < node.entry_count; ++index) {
    const Entry& entry = entries_[node.first_entry + index];
    if (entry.type == any_other_type) continue;
    if (type == any_other_type || entry.type == type) return answer_at(entry.answer_at);
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
  return answer_at(zones_[zone].negative_at);
}

Answer ZoneTable::plain_negative(std::uint32_t zone) const noexcept {
  return answer_at(zones_[zone].plain_negative_at);
}

ZoneTable::ParentSide ZoneTable::parent_side(const Node& apex) const noexcept {
  const ZoneEntry& zone = zones_[apex.zone];
  ParentSide parent;
  parent.is_hosted = zone.parent_zone_plus_1 != 0;
  if (parent.is_hosted) parent.zone = zone.parent_zone_plus_1 - 1;
  if (zone.parent_node_plus_1 != 0) parent.node = zone.parent_node_plus_1 - 1;
  return parent;
}

Answer ZoneTable::answer_at(std::uint32_t at) const noexcept {
  const std::uint8_t* const head = answers_.data() + at;
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

std::size_t ZoneTable::size_bytes() const noexcept {
  return slots_.size() * sizeof(Slot) + nodes_.size() * sizeof(Node) +
         entries_.size() * sizeof(Entry) + owners_.size() + answers_.size() +
         zones_.size() * sizeof(ZoneEntry);
}

}  // namespace demarc::dns
