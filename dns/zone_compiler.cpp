#include "dns/zone_compiler.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "zones/mode_signal.h"

namespace demarc::dns {

namespace {

// Above this share of used slots the table doubles: a miss then still ends after a few steps.
constexpr std::size_t load_percent_max = 60;
constexpr std::size_t slot_count_min = 16;

bool comes_before(const zones::RRset* left, const zones::RRset* right) {
  const int order = left->owner.wire().compare(right->owner.wire());
  return order != 0 ? order < 0 : left->type < right->type;
}

bool is_wildcard(std::span<const std::uint8_t> owner) {
  return owner.size() > 2 && owner[0] == 1 && owner[1] == '*';
}

}  // namespace

Result<ZoneTable, SystemError> ZoneTable::build(const zones::Repository& repository) {
  return ZoneCompiler(repository).build();
}

Result<ZoneTable, SystemError> ZoneCompiler::build() {
  const auto zone_count = repository_.zones.size();
  table_.zones_.resize(zone_count);
  has_child_zone_.resize(zone_count);
  has_cut_.resize(zone_count);
  reserve();
  add_apexes();
  add_parents();
  for (std::uint32_t zone = 0; zone < zone_count; ++zone) add_zone(zone);
  mark_cuts();

  if (auto error = render_negatives()) return std::unexpected(std::move(*error));
  for (NodeId id = 0; id < table_.nodes_.size(); ++id) render_node(id);
  if (is_too_large_) return failure("the answers of all zones need more than 4 GiB");
  table_.nodes_.shrink_to_fit();
  table_.entries_.shrink_to_fit();
  table_.owners_.shrink_to_fit();
  table_.answers_.shrink_to_fit();
  return std::move(table_);
}

// Owners stand together in a loaded zone: so many nodes at least. What names lie between them, and
// the services, make the tables grow beyond it.
void ZoneCompiler::reserve() {
  std::size_t owners = 0, owner_bytes = 0, rrsets = 0;
  for (const zones::Zone& zone : repository_.zones) {
    const zones::Name* last = nullptr;
    rrsets += zone.rrsets.size();
    for (const zones::RRset& rrset : zone.rrsets) {
      if (last != nullptr && *last == rrset.owner) continue;
      last = &rrset.owner;
      owners += 1;
      owner_bytes += rrset.owner.wire().size();
    }
  }
  const std::size_t nodes = owners + owners / 64 + slot_count_min;  // and some names between
  table_.nodes_.reserve(nodes);
  sources_.reserve(nodes);
  table_.owners_.reserve(owner_bytes + owner_bytes / 64);
  table_.entries_.reserve(rrsets);
  rrsets_.reserve(rrsets);
  grow_slots(std::bit_ceil(nodes * 100 / load_percent_max));
}

void ZoneCompiler::add_apexes() {
  for (std::uint32_t zone = 0; zone < repository_.zones.size(); ++zone) {
    const zones::Name& apex = repository_.zones[zone].apex;
    apexes_.emplace(apex.wire(), zone);
    NameKey key;
    key.read(apex.bytes());
    const NodeId id = add_node(key, 0, zone);
    table_.nodes_[id].flags |= Node::is_apex;
    table_.zones_[zone].apex_size = static_cast<std::uint32_t>(apex.wire().size());
  }
}

// A zone below another of ours: what lies between the two apexes exists (RFC 8020).
void ZoneCompiler::add_parents() {
  for (std::uint32_t zone = 0; zone < repository_.zones.size(); ++zone) {
    const zones::Name& apex = repository_.zones[zone].apex;
    if (apex.is_root()) continue;
    const std::uint32_t parent = zone_of(apex.parent(), zone);
    if (parent == zone) continue;
    has_child_zone_[parent] = true;
    table_.zones_[zone].parent_zone_plus_1 = parent + 1;
    NameKey key;
    key.read(apex.parent().bytes());
    ensure_node(key, parent);
  }
}

void ZoneCompiler::add_zone(std::uint32_t zone) {
  const zones::Zone& source = repository_.zones[zone];
  const auto begin = rrsets_.size();
  for (const zones::RRset& rrset : source.rrsets) {
    if (!rrset.owner.is_at_or_below(source.apex)) continue;
    rrsets_.push_back(&rrset);
    if (rrset.type == rrtype::dname) table_.has_dnames_ = true;
  }
  const auto first = rrsets_.begin() + static_cast<std::ptrdiff_t>(begin);
  if (!std::is_sorted(first, rrsets_.end(), comes_before)) {
    std::sort(first, rrsets_.end(), comes_before);
  }
  for (std::size_t at = begin; at < rrsets_.size();) {
    std::size_t end = at + 1;
    const zones::Name& owner = rrsets_[at]->owner;
    while (end < rrsets_.size() && rrsets_[end]->owner == owner) ++end;
    add_owner(zone, owner, {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(end - at)});
    at = end;
  }
  for (const zones::ServiceId service : source.services) {
    const zones::Name& owner = repository_.service(service).owner;
    if (!owner.is_at_or_below(source.apex) || zone_of(owner, zone) != zone) continue;
    NameKey key;
    key.read(owner.bytes());
    Node& node = table_.nodes_[ensure_node(key, zone)];
    node.flags |= Node::is_service;
    if (repository_.service(service).home_kind == zones::HomeKind::tenant) {
      node.flags |= Node::has_tenants;
    }
    node.special = static_cast<std::uint32_t>(zones::index_of(service));
    add_mode_name(zone, service);
  }
}

void ZoneCompiler::add_mode_name(std::uint32_t zone, zones::ServiceId service) {
  const auto owner = zones::mode_owner(repository_.service(service));
  if (!owner || zone_of(*owner, zone) != zone) return;
  NameKey key;
  key.read(owner->bytes());
  Node& node = table_.nodes_[ensure_node(key, zone)];
  node.flags |= Node::leads_to_service;
  node.special = static_cast<std::uint32_t>(zones::index_of(service));
}

void ZoneCompiler::add_owner(std::uint32_t zone, const zones::Name& owner, Source source) {
  if (has_child_zone_[zone]) {
    const std::uint32_t owning_zone = zone_of(owner, zone);
    if (owning_zone != zone) {
      if (owner == repository_.zones[owning_zone].apex) {
        add_parent_side(owning_zone, zone, owner, source);
      }
      return;  // what a zone has below the apex of another is hidden by it
    }
  }
  NameKey key;
  key.read(owner.bytes());
  sources_[ensure_node(key, zone)] = source;
}

// Not in the hash table: only DS queries for the child's apex come here.
void ZoneCompiler::add_parent_side(std::uint32_t child, std::uint32_t parent,
                                   const zones::Name& owner, Source source) {
  if (table_.zones_[child].parent_zone_plus_1 != parent + 1) return;
  const auto id = static_cast<NodeId>(table_.nodes_.size());
  Node& node = table_.nodes_.emplace_back();
  node.owner_at = static_cast<std::uint32_t>(table_.owners_.size());
  node.owner_size = static_cast<std::uint8_t>(owner.wire().size());
  node.zone = parent;
  node.special = id;
  const auto bytes = owner.bytes();
  table_.owners_.insert(table_.owners_.end(), bytes.begin(), bytes.end());
  sources_.push_back(source);
  table_.zones_[child].parent_node_plus_1 = id + 1;
}

// The zone with the longest apex that `name` is at or below; `zone` if there is none.
std::uint32_t ZoneCompiler::zone_of(const zones::Name& name, std::uint32_t zone) const {
  std::string_view suffix = name.wire();
  while (true) {
    if (const auto found = apexes_.find(suffix); found != apexes_.end()) return found->second;
    if (suffix.size() <= 1) return zone;
    suffix.remove_prefix(static_cast<std::uint8_t>(suffix[0]) + 1U);
  }
}

// The node of a name at or below its zone's apex, with the empty non-terminals above it.
NodeId ZoneCompiler::ensure_node(const NameKey& key, std::uint32_t zone) {
  std::size_t label = 0;
  std::optional<NodeId> id;
  while (!(id = table_.find_node(key.hash(label), key.suffix(label)))) {
    assert(label < key.label_count());
    ++label;
  }
  while (label > 0) {
    --label;
    const NodeId parent = *id;
    id = add_node(key, label, zone);
    if (is_wildcard(key.suffix(label))) table_.nodes_[parent].flags |= Node::has_wildcard;
  }
  return *id;
}

NodeId ZoneCompiler::add_node(const NameKey& key, std::size_t label, std::uint32_t zone) {
  const auto owner = key.suffix(label);
  const auto id = static_cast<NodeId>(table_.nodes_.size());
  Node& node = table_.nodes_.emplace_back();
  if (table_.owners_.size() + owner.size() > 0xffff'ffffU) is_too_large_ = true;
  node.owner_at = static_cast<std::uint32_t>(table_.owners_.size());
  node.owner_size = static_cast<std::uint8_t>(owner.size());
  node.zone = zone;
  table_.owners_.insert(table_.owners_.end(), owner.begin(), owner.end());
  table_.label_count_max_ = std::max(table_.label_count_max_, key.label_count() - label);
  sources_.emplace_back();
  if (table_.nodes_.size() * 100 > table_.slots_.size() * load_percent_max) {
    grow_slots(table_.slots_.size() * 2);  // takes the new node along
  } else {
    insert_slot(key.hash(label), id);
  }
  return id;
}

void ZoneCompiler::insert_slot(std::uint64_t hash, NodeId id) {
  const std::size_t mask = table_.slots_.size() - 1;
  std::size_t at = hash & mask;
  while (table_.slots_[at].node_plus_1 != 0) at = (at + 1) & mask;
  table_.slots_[at] = {static_cast<std::uint32_t>(hash >> 32), id + 1};
}

void ZoneCompiler::grow_slots(std::size_t slot_count) {
  assert(std::has_single_bit(slot_count));
  table_.slots_.assign(slot_count, {});
  NameKey key;
  for (NodeId id = 0; id < table_.nodes_.size(); ++id) {
    key.read(table_.owner(table_.nodes_[id]));
    insert_slot(key.hash(0), id);
  }
}

// NS below an apex makes a delegation (RFC 1034 §4.2.1); at a wildcard it is mere data, as RFC 4592
// §4.2 leaves it undefined.
void ZoneCompiler::mark_cuts() {
  for (NodeId id = 0; id < table_.nodes_.size(); ++id) {
    Node& node = table_.nodes_[id];
    if (node.has(Node::is_apex) || is_wildcard(table_.owner(node))) continue;
    if (find_rrset(id, rrtype::ns) == nullptr) continue;
    node.flags =
        static_cast<std::uint8_t>((node.flags | Node::is_cut) &
                                  ~(Node::is_service | Node::has_tenants | Node::leads_to_service));
    node.special = id;
    has_cut_[node.zone] = true;
  }
  for (NodeId id = 0; id < table_.nodes_.size(); ++id) {
    if (has_cut_[table_.nodes_[id].zone]) mark_below_cut(id);
  }
}

void ZoneCompiler::mark_below_cut(NodeId id) {
  NameKey key;
  key.read(table_.owner(table_.nodes_[id]));
  std::optional<NodeId> cut;  // the one nearest to the apex: what it hides, it hides whole
  for (std::size_t label = 1; label <= key.label_count(); ++label) {
    const auto above = table_.find_node(key.hash(label), key.suffix(label));
    if (!above || table_.nodes_[*above].zone != table_.nodes_[id].zone) break;
    const Node& ancestor = table_.nodes_[*above];
    if (ancestor.has(Node::is_below_cut)) cut = ancestor.special;
    if (ancestor.has(Node::is_cut)) cut = above;
  }
  Node& node = table_.nodes_[id];
  if (!cut || node.has(Node::is_apex)) return;
  constexpr std::uint8_t lost = Node::is_cut | Node::is_service | Node::has_tenants |
                                Node::leads_to_service | Node::has_wildcard;
  node.flags = static_cast<std::uint8_t>((node.flags | Node::is_below_cut) & ~lost);
  node.special = *cut;
}

}  // namespace demarc::dns
