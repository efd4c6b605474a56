// The second half of dns/zone_compiler.h: which records make up each answer of a node.

#include <algorithm>
#include <array>

#include "dns/local_names.h"
#include "dns/rendered_layout.h"
#include "dns/steered_answers.h"
#include "dns/zone_compiler.h"

namespace demarc::dns {

namespace {

bool is_at_or_below(std::string_view name, std::string_view ancestor) {
  while (name.size() > ancestor.size()) name.remove_prefix(static_cast<std::uint8_t>(name[0]) + 1U);
  return name == ancestor;
}

bool is_binding(std::uint16_t type) { return type == rrtype::svcb || type == rrtype::https; }

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// RFC 2308 §5: the lesser of the SOA's own TTL and its MINIMUM, the last number of the RDATA.
std::uint32_t negative_ttl(const zones::RRset& soa) {
  const zones::Rdata& rdata = soa.rdata.front();
  if (rdata.size() < 4) return 0;
  return std::min(soa.ttl, get32(as_bytes(rdata).data() + rdata.size() - 4));
}

// The first of the five numbers that end the RDATA.
std::uint32_t serial_of(const zones::Rdata& soa) {
  return soa.size() < 20 ? 0 : get32(as_bytes(soa).data() + soa.size() - 20);
}

std::uint8_t label_count(std::string_view name) {
  std::uint8_t count = 0;
  for (; name.size() > 1; ++count) {
    name.remove_prefix(static_cast<std::uint8_t>(name[0]) + std::size_t{1});
  }
  return count;
}

// The CNAME that a DNAME above `owner` makes, with its TTL (RFC 6672 §3.1); nothing if the target
// would be too long.
std::optional<zones::RRset> cname_by(const zones::RRset& dname, const std::string& owner) {
  const std::size_t kept = owner.size() - dname.owner.wire().size();
  std::string target = owner.substr(0, kept) + dname.rdata.front();
  if (target.size() > name_size_max) return std::nullopt;
  return zones::RRset{{}, rrtype::cname, dname.ttl, {std::move(target)}};
}

bool has_short_head(const Rendered& rendered) {
  return rendered.fits && rendered.counts[0] <= RenderedLayout::short_count_max &&
         rendered.counts[1] == 0 && rendered.counts[2] == 0 && rendered.next_owner == 0 &&
         rendered.required_additional_count == 0 && rendered.patches.empty() &&
         rendered.targets.empty() && rendered.soa_zone_plus_1 == 0 &&
         rendered.required_size == rendered.body.size();
}

// With the patches and the targets.
void store_long_head(const Rendered& rendered, std::vector<std::uint8_t>& bytes) {
  const std::size_t at = bytes.size();
  bytes.resize(at + RenderedLayout::head_size);
  std::uint8_t* const head = bytes.data() + at;
  put16(head + RenderedLayout::answer_count_at, rendered.counts[0]);
  put16(head + RenderedLayout::authority_count_at, rendered.counts[1]);
  put16(head + RenderedLayout::additional_count_at, rendered.counts[2]);
  put16(head + RenderedLayout::required_additional_at, rendered.required_additional_count);
  put16(head + RenderedLayout::next_owner_at, rendered.next_owner);
  put16(head + RenderedLayout::required_size_at,
        rendered.fits ? rendered.required_size : RenderedLayout::never_fits);
  put16(head + RenderedLayout::body_size_at, rendered.body.size());
  put16(head + RenderedLayout::patch_count_at, rendered.patches.size());
  put16(head + RenderedLayout::target_count_at, rendered.targets.size());
  put32(head + RenderedLayout::soa_zone_at, rendered.soa_zone_plus_1);
  for (const std::uint16_t patch : rendered.patches) {
    bytes.push_back(static_cast<std::uint8_t>(patch >> 8));
    bytes.push_back(static_cast<std::uint8_t>(patch));
  }
  for (const SteeredTarget& target : rendered.targets) {
    std::array<std::uint8_t, RenderedLayout::target_size> place{};
    put16(place.data(), target.name_at);
    put32(place.data() + 2, target.node);
    bytes.insert(bytes.end(), place.begin(), place.end());
  }
}

}  // namespace

Rcode ZoneCompiler::rcode_of(ChainEnd::Kind kind) {
  switch (kind) {
    case ChainEnd::Kind::missing:
      return Rcode::nxdomain;
    case ChainEnd::Kind::too_long:
      return Rcode::yxdomain;
    case ChainEnd::Kind::outside:
    case ChainEnd::Kind::records:
    case ChainEnd::Kind::service:
    case ChainEnd::Kind::delegation:
      break;
  }
  return Rcode::noerror;
}

std::optional<SystemError> ZoneCompiler::render_negatives() {
  for (std::uint32_t zone = 0; zone < repository_.zones.size(); ++zone) {
    const zones::Name& apex = repository_.zones[zone].apex;
    const zones::RRset* const soa = soa_of(zone);
    if (soa == nullptr || soa->rdata.empty()) {
      return SystemError{"zone " + apex.text() + " has no SOA", 0};
    }
    writer_.begin(apex.wire(), Shift::all);
    add_soa(zone);
    table_.zones_[zone].negative_at = store(writer_.finish());
    writer_.begin(apex.wire(), Shift::all);
    writer_.without_compression();
    add_soa(zone);
    table_.zones_[zone].plain_negative_at = store(writer_.finish());
    table_.zones_[zone].version = {label_count(apex.wire()), serial_of(soa->rdata.front())};
  }
  return std::nullopt;
}

void ZoneCompiler::render_node(NodeId id) {
  table_.nodes_[id].first_entry = static_cast<std::uint32_t>(table_.entries_.size());
  const Node node = table_.nodes_[id];
  if (node.has(Node::is_below_cut)) return;  // its cut's referral answers
  if (node.has(Node::is_cut)) return render_cut(id);
  if (const auto* const cname = find_rrset(id, rrtype::cname);
      cname != nullptr && !node.has(Node::is_service)) {
    return render_cname(id, *cname);
  }
  for (const zones::RRset* const rrset : rrsets_of(id)) render_rrset(id, *rrset);
}

void ZoneCompiler::render_cut(NodeId id) {
  writer_.begin(owner_of(id), Shift::all);
  add_referral(id);
  add_entry(id, ZoneTable::any_other_type, Rcode::noerror, false);
  if (const auto* const ds = find_rrset(id, rrtype::ds)) render_rrset(id, *ds);
}

void ZoneCompiler::render_rrset(NodeId id, const zones::RRset& rrset) {
  const std::string_view owner = owner_of(id);
  writer_.begin(owner, owner.starts_with("\1*") ? Shift::below_owner : Shift::none);
  writer_.add(Section::answer, owner, rrset, rrset.ttl);
  if (rrset.type == rrtype::soa) writer_.ends_with_soa_of(table_.nodes_[id].zone);
  writer_.optional_from_here();
  add_addresses(rrset);
  add_entry(id, rrset.type, Rcode::noerror, true);
}

void ZoneCompiler::render_cname(NodeId id, const zones::RRset& cname) {
  table_.nodes_[id].flags |= Node::is_cname;
  std::vector<Hop> hops;
  const ChainEnd end = follow(std::string(owner_of(id)), cname, hops);
  const bool has_end = end.kind == ChainEnd::Kind::records || end.kind == ChainEnd::Kind::service;

  begin_chain(id, hops);
  if (end.kind == ChainEnd::Kind::records || end.kind == ChainEnd::Kind::missing) {
    add_soa(end.zone);
  }
  if (end.kind == ChainEnd::Kind::delegation) add_referral(end.node);
  add_entry(id, ZoneTable::any_other_type, rcode_of(end.kind), true);

  begin_chain(id, std::span(hops).first(1));
  add_entry(id, rrtype::cname, Rcode::noerror, true);
  if (end.kind == ChainEnd::Kind::delegation) return render_chain_to_cut(id, end, hops);
  if (!has_end) return;
  if (table_.nodes_[end.node].has(Node::is_apex)) render_chain_to_apex(id, end, hops);
  if (end.kind == ChainEnd::Kind::service) {
    Node& node = table_.nodes_[id];
    node.flags |= Node::leads_to_service;
    node.special = table_.nodes_[end.node].special;
  }
  for (const zones::RRset* const rrset : rrsets_of(end.node)) {
    const bool is_steered = end.kind == ChainEnd::Kind::service && is_steered_type(rrset->type);
    if (is_steered) continue;
    begin_chain(id, hops);
    if (std::ranges::find(hops, rrset, &Hop::dname) == hops.end()) {
      writer_.add(Section::answer, end.owner, *rrset, rrset->ttl);
    }
    if (rrset->type == rrtype::soa) writer_.ends_with_soa_of(end.zone);
    writer_.optional_from_here();
    add_addresses(*rrset);
    add_entry(id, rrset->type, Rcode::noerror, true);
  }
}

// DS at the cut itself belongs to this side of it (RFC 4035 §3.1.4.1).
void ZoneCompiler::render_chain_to_cut(NodeId id, const ChainEnd& end,
                                       const std::vector<Hop>& hops) {
  if (end.owner != owner_of(end.node)) return;
  begin_chain(id, hops);
  if (const auto* const ds = find_rrset(end.node, rrtype::ds)) {
    writer_.add(Section::answer, end.owner, *ds, ds->ttl);
  } else {
    add_soa(end.zone);
  }
  add_entry(id, rrtype::ds, Rcode::noerror, true);
}

// DS at the apex of a zone whose parent is ours as well belongs to the parent.
void ZoneCompiler::render_chain_to_apex(NodeId id, const ChainEnd& end,
                                        const std::vector<Hop>& hops) {
  const ZoneTable::ParentSide parent = table_.parent_side(table_.nodes_[end.node]);
  if (!parent.is_hosted) return;
  begin_chain(id, hops);
  const auto* const ds = parent.node ? find_rrset(*parent.node, rrtype::ds) : nullptr;
  if (ds != nullptr) {
    writer_.add(Section::answer, end.owner, *ds, ds->ttl);
  } else {
    add_soa(parent.zone);
  }
  add_entry(id, rrtype::ds, Rcode::noerror, true);
}

// Collects the CNAMEs from `owner` on, until a name has none or the chain is too long.
ZoneCompiler::ChainEnd ZoneCompiler::follow(const std::string& owner, const zones::RRset& cname,
                                            std::vector<Hop>& hops) const {
  hops.push_back({.owner = owner, .record = &cname});
  while (true) {
    std::string target = to_lower(hops.back().cname()->rdata.front());
    NameKey key;
    if (key.read(as_bytes(target)) == 0) return {};
    const Match match = table_.find(key);
    if (match.kind == MatchKind::outside || may_be_challenge(match, key)) return {};
    const Node& node = table_.node(match.node);
    const bool is_cut = node.has(Node::is_cut | Node::is_below_cut);
    const bool is_missing = match.kind == MatchKind::missing;
    const auto* const next = is_cut || is_missing || node.has(Node::is_service)
                                 ? nullptr
                                 : find_rrset(match.node, rrtype::cname);
    const auto* const dname =
        is_cut || !is_missing ? nullptr : find_rrset(match.node, rrtype::dname);
    if (next == nullptr && dname == nullptr) return end_without_cname(match, std::move(target));

    const bool is_loop =
        std::ranges::any_of(hops, [&](const Hop& hop) { return hop.owner == target; });
    if (is_loop || hops.size() == cname_chain_max) return {};
    hops.push_back({.owner = std::move(target), .record = next, .dname = dname});
    if (dname == nullptr) continue;
    hops.back().made = cname_by(*dname, hops.back().owner);
    if (!hops.back().made) return {.kind = ChainEnd::Kind::too_long};
    // It makes a longer name each time, and no other.
    if (is_at_or_below(to_lower(dname->rdata.front()), dname->owner.wire())) return {};
  }
}

ZoneCompiler::ChainEnd ZoneCompiler::end_without_cname(const Match& match,
                                                       std::string target) const {
  const Node& node = table_.node(match.node);
  if (node.has(Node::is_cut | Node::is_below_cut)) {
    return {ChainEnd::Kind::delegation, node.special, node.zone, std::move(target)};
  }
  if (node.is_mode()) return {};  // changes with time: the client asks for it
  if (match.kind == MatchKind::missing) {
    // A tenant's name may be one: the client asks for the target by itself, which answers it.
    if (node.has(Node::has_tenants)) return {};
    return {ChainEnd::Kind::missing, match.node, node.zone, std::move(target)};
  }
  const auto kind = node.has(Node::is_service) ? ChainEnd::Kind::service : ChainEnd::Kind::records;
  return {kind, match.node, node.zone, std::move(target)};
}

// Its values come and go without the zone (dns/local_names.h): the client asks for it.
bool ZoneCompiler::may_be_challenge(const Match& match, const NameKey& name) const {
  const Node& node = table_.node(match.node);
  if (!is_challenge_name(name.suffix(0)) || node.has(Node::is_cut | Node::is_below_cut)) {
    return false;
  }
  return match.kind != MatchKind::exact ||
         (sources_[match.node].count == 0 && !node.has(Node::is_service) && !node.is_mode());
}

void ZoneCompiler::begin_chain(NodeId id, std::span<const Hop> hops) {
  const std::string_view owner = owner_of(id);
  writer_.begin(owner, owner.starts_with("\1*") ? Shift::below_owner : Shift::none);
  for (const Hop& hop : hops) {
    const auto first = std::ranges::find(hops, hop.dname, &Hop::dname);
    if (hop.dname != nullptr && &*first == &hop) {
      writer_.add(Section::answer, hop.dname->owner.wire(), *hop.dname, hop.dname->ttl);
    }
    if (const auto* const cname = hop.cname()) {
      writer_.add(Section::answer, hop.owner, *cname, cname->ttl);
    }
  }
}

void ZoneCompiler::add_soa(std::uint32_t zone) {
  const zones::RRset& soa = *soa_of(zone);
  writer_.add(Section::authority, repository_.zones[zone].apex.wire(), soa, negative_ttl(soa));
  writer_.ends_with_soa_of(zone);
}

void ZoneCompiler::add_referral(NodeId cut) {
  const std::string_view owner = owner_of(cut);
  const zones::RRset& ns = *find_rrset(cut, rrtype::ns);
  writer_.add(Section::authority, owner, ns, ns.ttl);
  add_glue(owner, ns);
}

void ZoneCompiler::add_addresses(const zones::RRset& rrset) {
  std::vector<std::string> seen;
  for (const zones::Rdata& rdata : rrset.rdata) {
    const std::string_view target = target_of(rrset.type, rdata);
    if (target.empty()) continue;
    const bool means_owner = target.size() == 1 && is_binding(rrset.type);
    if (means_owner && rrset.owner.is_wildcard()) continue;
    const std::string name = means_owner ? std::string(rrset.owner.wire()) : to_lower(target);
    if (std::ranges::count(seen, name) != 0) continue;
    seen.push_back(name);
    if (is_binding(rrset.type) && rrset.owner.wire() != name) add_bindings_of(name, rrset.type);
    add_addresses_of(name);
  }
}

// What an alias leads to, as far as it is static: the client would ask for it next (RFC 9460 §4.1).
void ZoneCompiler::add_bindings_of(std::string_view target, std::uint16_t type) {
  NameKey key;
  if (key.read(as_bytes(target)) == 0) return;
  const Match match = table_.find(key);
  if (match.kind != MatchKind::exact) return;
  const Node& node = table_.node(match.node);
  const bool is_elsewhere = node.has(Node::is_cut | Node::is_below_cut);
  const bool is_drawn = node.has(Node::is_service) && is_steered_type(type);
  if (is_elsewhere || is_drawn) return;
  if (const auto* const bindings = find_rrset(match.node, type)) {
    writer_.add(Section::additional, target, *bindings, bindings->ttl);
  }
}

// Static addresses are rendered; those of a service are drawn per query.
void ZoneCompiler::add_addresses_of(std::string_view target) {
  NameKey key;
  if (key.read(as_bytes(target)) == 0) return;
  const Match match = table_.find(key);
  if (match.kind != MatchKind::exact) return;
  if (table_.node(match.node).has(Node::is_service)) {
    return writer_.add_target(target, match.node);
  }
  for (const std::uint16_t type : {rrtype::a, rrtype::aaaa}) {
    if (const auto* const addresses = find_rrset(match.node, type)) {
      writer_.add(Section::additional, target, *addresses, addresses->ttl);
    }
  }
}

// Without the addresses of name servers inside the delegation nobody could follow it: those have to
// fit (RFC 9471), the others may be left out.
void ZoneCompiler::add_glue(std::string_view cut, const zones::RRset& ns) {
  const auto add_those = [&](bool inside) {
    for (const zones::Rdata& rdata : ns.rdata) {
      const std::string target = to_lower(target_of(rrtype::ns, rdata));
      if (!target.empty() && is_at_or_below(target, cut) == inside) add_addresses_of(target);
    }
  };
  add_those(true);
  writer_.optional_from_here();
  add_those(false);
}

void ZoneCompiler::add_entry(NodeId id, std::uint16_t type, Rcode rcode, bool is_authoritative) {
  ZoneTable::Entry entry;
  entry.answer_at = store(writer_.finish());
  entry.type = type;
  entry.rcode = rcode;
  entry.is_authoritative = is_authoritative ? 1 : 0;
  table_.entries_.push_back(entry);
  ++table_.nodes_[id].entry_count;
}

std::uint32_t ZoneCompiler::store(const Rendered& rendered) {
  auto& bytes = table_.answers_;
  const std::size_t at = bytes.size();
  const std::size_t size = RenderedLayout::head_size + 2 * rendered.patches.size() +
                           RenderedLayout::target_size * rendered.targets.size() +
                           rendered.body.size();
  if (is_too_large_ || at + size > 0xffff'ffffU) {
    is_too_large_ = true;
    return 0;
  }
  if (has_short_head(rendered)) {
    bytes.push_back(static_cast<std::uint8_t>(RenderedLayout::is_short | rendered.counts[0]));
    bytes.push_back(static_cast<std::uint8_t>(rendered.body.size() >> 8));
    bytes.push_back(static_cast<std::uint8_t>(rendered.body.size()));
  } else {
    store_long_head(rendered, bytes);
  }
  bytes.insert(bytes.end(), rendered.body.begin(), rendered.body.end());
  return static_cast<std::uint32_t>(at);
}

ZoneCompiler::RRsets ZoneCompiler::rrsets_of(NodeId id) const {
  return RRsets(rrsets_).subspan(sources_[id].first, sources_[id].count);
}

const zones::RRset* ZoneCompiler::find_rrset(NodeId id, std::uint16_t type) const {
  for (const zones::RRset* const rrset : rrsets_of(id)) {
    if (rrset->type == type && !rrset->rdata.empty()) return rrset;
  }
  return nullptr;
}

const zones::RRset* ZoneCompiler::soa_of(std::uint32_t zone) const {
  const auto apex = repository_.zones[zone].apex.bytes();
  NameKey key;
  key.read(apex);
  const auto id = table_.find_node(key.hash(0), key.suffix(0));
  return id ? find_rrset(*id, rrtype::soa) : nullptr;
}

std::string_view ZoneCompiler::owner_of(NodeId id) const {
  const auto owner = table_.owner(table_.nodes_[id]);
  return {reinterpret_cast<const char*>(owner.data()), owner.size()};
}

}  // namespace demarc::dns
