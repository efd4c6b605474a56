#include "dns/zone_compiler.h"

#include <algorithm>
#include <cassert>

#include "dns/local_names.h"
#include "dns/steered_answers.h"
#include "dns/zone_table.h"

namespace demarc::dns {

namespace {

// So many names ahead their records are fetched: in the order of hashes no two lie together.
constexpr std::size_t fetch_ahead = 8;

bool is_at_or_below(std::string_view name, std::string_view ancestor) {
  while (name.size() > ancestor.size()) name.remove_prefix(static_cast<std::uint8_t>(name[0]) + 1U);
  return name == ancestor;
}

bool leads_to_name(std::uint16_t type) {
  return type == rrtype::ns || type == rrtype::mx || type == rrtype::srv || type == rrtype::svcb ||
         type == rrtype::https;
}

bool is_binding(std::uint16_t type) { return type == rrtype::svcb || type == rrtype::https; }

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// RFC 2308 §5: the lesser of the SOA's own TTL and its MINIMUM, the last number of the RDATA.
std::uint32_t negative_ttl(const zones::RRset& soa) {
  const std::string_view rdata = soa.rdata().front();
  if (rdata.size() < 4) return 0;
  return std::min(soa.ttl, get32(as_bytes(rdata).data() + rdata.size() - 4));
}

// The target of the CNAME that a DNAME above `owner` makes (RFC 6672 §3.1); nothing if it would be
// too long.
std::optional<std::string> target_by(const zones::RRset& dname, const std::string& owner) {
  const std::size_t dname_size = dname.labels().size() + dname.all->apex().wire().size();
  std::string target = owner.substr(0, owner.size() - dname_size);
  target += dname.rdata().front();
  if (target.size() > name_size_max) return std::nullopt;
  return target;
}

}  // namespace

std::optional<KeptPart> ZoneCompiler::compile(std::size_t part, const KeptPart& last,
                                              std::size_t bytes_max) {
  part_.begin(bytes_max);
  NameKey key;
  const std::size_t begin = names_.part_begin(part);
  const std::size_t end = names_.part_begin(part + 1);
  for (std::size_t index = begin; index < end && !part_.is_full(); ++index) {
    if (index + fetch_ahead < end) names_.fetch(index + fetch_ahead);
    const auto id = static_cast<NodeId>(part << node_place_bits | (index - begin));
    owner_ = names_.owner(id, owner_buffer_);
    key.read(as_bytes(owner_));
    part_.begin_node({.hash = key.hash(0),
                      .special = names_.special(id),
                      .zone = names_.zone(id),
                      .flags = names_.flags(id),
                      .is_found_by_name = names_.is_found_by_name(id)});
    render_node(id);
    part_.end_node(as_bytes(owner_));
  }
  return part_.finish(last);
}

void ZoneCompiler::append_negative(std::uint32_t zone, Compression compression,
                                   std::vector<std::uint8_t>& bytes) {
  writer_.begin(repository_.zones[zone].apex.wire(), Shift::all);
  if (compression == Compression::none) writer_.without_compression();
  add_soa(zone);
  append_answer(writer_.finish(), bytes);
}

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

void ZoneCompiler::render_node(NodeId id) {
  if (names_.has(id, Node::is_below_cut)) return;  // its cut's referral answers
  if (names_.has(id, Node::is_cut)) return render_cut(id);
  if (!names_.is_found_by_name(id)) return render_parent_side(id);
  const ZoneNames::Records records = names_.records(id);
  if (!names_.has(id, Node::is_service)) {
    for (std::size_t at = records.begin; at < records.end; ++at) {
      if (records.all->record(at).type != rrtype::cname) continue;
      return render_cname(id, records.all->at(at, records.end));
    }
  }
  for (std::size_t at = records.begin; at < records.end;) {
    const zones::RRset rrset = records.all->at(at, records.end);
    render_rrset(id, rrset);
    at += rrset.count;
  }
}

// Of what a zone says about the apex below it, DS alone is its own (RFC 4035 §3.1.4.1).
void ZoneCompiler::render_parent_side(NodeId id) {
  if (const auto ds = find_rrset(id, rrtype::ds)) render_rrset(id, *ds);
}

void ZoneCompiler::render_cut(NodeId id) {
  writer_.begin(owner_, Shift::all);
  add_referral(id);
  add_entry(ZoneTable::any_other_type, Rcode::noerror, false);
  if (const auto ds = find_rrset(id, rrtype::ds)) render_rrset(id, *ds);
}

void ZoneCompiler::render_rrset(NodeId id, const zones::RRset& rrset) {
  writer_.begin(owner_, owner_.starts_with("\1*") ? Shift::below_owner : Shift::none);
  writer_.add(Section::answer, owner_, rrset, rrset.ttl);
  if (rrset.type == rrtype::soa) writer_.ends_with_soa_of(names_.zone(id));
  writer_.optional_from_here();
  add_addresses(rrset);
  add_entry(rrset.type, Rcode::noerror, true);
}

void ZoneCompiler::render_cname(NodeId id, const zones::RRset& cname) {
  std::vector<Hop> hops;
  const ChainEnd end = follow(cname, hops);
  const bool has_end = end.kind == ChainEnd::Kind::records || end.kind == ChainEnd::Kind::service;
  part_.set_special(Node::is_cname, names_.special(id));

  begin_chain(hops);
  if (end.kind == ChainEnd::Kind::records || end.kind == ChainEnd::Kind::missing) {
    add_soa(end.zone);
  }
  if (end.kind == ChainEnd::Kind::delegation) add_referral(end.node);
  add_entry(ZoneTable::any_other_type, rcode_of(end.kind), true);

  begin_chain(std::span(hops).first(1));
  add_entry(rrtype::cname, Rcode::noerror, true);
  if (end.kind == ChainEnd::Kind::delegation) return render_chain_to_cut(end, hops);
  if (!has_end) return;
  if (names_.has(end.node, Node::is_apex)) render_chain_to_apex(end, hops);
  if (end.kind == ChainEnd::Kind::service) {
    part_.set_special(Node::leads_to_service, names_.special(end.node));
  }
  const ZoneNames::Records records = names_.records(end.node);
  for (std::size_t at = records.begin; at < records.end;) {
    const zones::RRset rrset = records.all->at(at, records.end);
    at += rrset.count;
    const bool is_steered = end.kind == ChainEnd::Kind::service && is_steered_type(rrset.type);
    if (is_steered) continue;
    begin_chain(hops);
    if (std::ranges::find(hops, rrset, &Hop::dname) == hops.end()) {
      writer_.add(Section::answer, end.owner, rrset, rrset.ttl);
    }
    if (rrset.type == rrtype::soa) writer_.ends_with_soa_of(end.zone);
    writer_.optional_from_here();
    add_addresses(rrset);
    add_entry(rrset.type, Rcode::noerror, true);
  }
}

// DS at the cut itself belongs to this side of it (RFC 4035 §3.1.4.1).
void ZoneCompiler::render_chain_to_cut(const ChainEnd& end, const std::vector<Hop>& hops) {
  ZoneNames::NameBuffer buffer;
  if (end.owner != names_.owner(end.node, buffer)) return;
  begin_chain(hops);
  if (const auto ds = find_rrset(end.node, rrtype::ds)) {
    writer_.add(Section::answer, end.owner, *ds, ds->ttl);
  } else {
    add_soa(end.zone);
  }
  add_entry(rrtype::ds, Rcode::noerror, true);
}

// DS at the apex of a zone whose parent is ours as well belongs to the parent.
void ZoneCompiler::render_chain_to_apex(const ChainEnd& end, const std::vector<Hop>& hops) {
  const ZoneNames::ZonePlace& place = names_.place(names_.zone(end.node));
  if (!place.parent) return;
  begin_chain(hops);
  const auto ds = place.parent_side ? find_rrset(*place.parent_side, rrtype::ds) : std::nullopt;
  if (ds) {
    writer_.add(Section::answer, end.owner, *ds, ds->ttl);
  } else {
    add_soa(*place.parent);
  }
  add_entry(rrtype::ds, Rcode::noerror, true);
}

// Collects the CNAMEs from the node's owner on, until a name has none or the chain is too long.
ZoneCompiler::ChainEnd ZoneCompiler::follow(const zones::RRset& cname,
                                            std::vector<Hop>& hops) const {
  hops.push_back({.owner = std::string(owner_),
                  .target = std::string(cname.rdata().front()),
                  .ttl = cname.ttl});
  while (true) {
    std::string target = to_lower(*hops.back().target);
    NameKey key;
    if (key.read(as_bytes(target)) == 0) return {};
    const Match match = names_.find(key);
    if (match.kind == MatchKind::outside || may_be_challenge(match, key)) return {};
    const bool is_cut = names_.has(match.node, Node::is_cut | Node::is_below_cut);
    const bool is_missing = match.kind == MatchKind::missing;
    const auto next = is_cut || is_missing || names_.has(match.node, Node::is_service)
                          ? std::nullopt
                          : find_rrset(match.node, rrtype::cname);
    const auto dname = is_cut || !is_missing ? std::nullopt : find_rrset(match.node, rrtype::dname);
    if (!next && !dname) return end_without_cname(match, std::move(target));

    const bool is_loop =
        std::ranges::any_of(hops, [&](const Hop& hop) { return hop.owner == target; });
    if (is_loop || hops.size() == cname_chain_max) return {};
    hops.push_back({.owner = std::move(target), .dname = dname});
    Hop& hop = hops.back();
    hop.ttl = dname ? dname->ttl : next->ttl;
    hop.target = dname ? target_by(*dname, hop.owner) : std::string(next->rdata().front());
    if (!dname) continue;
    if (!hop.target) return {.kind = ChainEnd::Kind::too_long};
    // It makes a longer name each time, and no other.
    if (is_at_or_below(to_lower(dname->rdata().front()), dname->owner().wire())) return {};
  }
}

ZoneCompiler::ChainEnd ZoneCompiler::end_without_cname(const Match& match,
                                                       std::string target) const {
  const std::uint32_t zone = names_.zone(match.node);
  if (names_.has(match.node, Node::is_cut | Node::is_below_cut)) {
    return {ChainEnd::Kind::delegation, names_.special(match.node), zone, std::move(target)};
  }
  // A name that tells a mode changes with time: the client asks for it.
  if (names_.has(match.node, Node::leads_to_service)) return {};
  if (match.kind == MatchKind::missing) {
    // A tenant's name may be one: the client asks for the target by itself, which answers it.
    if (names_.has(match.node, Node::has_tenants)) return {};
    return {ChainEnd::Kind::missing, match.node, zone, std::move(target)};
  }
  const auto kind =
      names_.has(match.node, Node::is_service) ? ChainEnd::Kind::service : ChainEnd::Kind::records;
  return {kind, match.node, zone, std::move(target)};
}

// Its values come and go without the zone (dns/local_names.h): the client asks for it.
bool ZoneCompiler::may_be_challenge(const Match& match, const NameKey& name) const {
  const bool is_cut = names_.has(match.node, Node::is_cut | Node::is_below_cut);
  if (!is_challenge_name(name.suffix(0)) || is_cut) return false;
  if (match.kind != MatchKind::exact) return true;
  const ZoneNames::Records records = names_.records(match.node);
  return records.begin == records.end &&
         !names_.has(match.node, Node::is_service | Node::leads_to_service);
}

void ZoneCompiler::begin_chain(std::span<const Hop> hops) {
  writer_.begin(owner_, owner_.starts_with("\1*") ? Shift::below_owner : Shift::none);
  for (const Hop& hop : hops) {
    const auto first = std::ranges::find(hops, hop.dname, &Hop::dname);
    if (hop.dname && &*first == &hop) {
      const zones::Name owner = hop.dname->owner();
      writer_.add(Section::answer, owner.wire(), *hop.dname, hop.dname->ttl);
    }
    if (hop.target) writer_.add_cname(hop.owner, hop.ttl, *hop.target);
  }
}

void ZoneCompiler::add_soa(std::uint32_t zone) {
  const zones::Zone& source = repository_.zones[zone];
  const auto soa = source.rrsets.find(source.apex, rrtype::soa);
  assert(soa);
  writer_.add(Section::authority, source.apex.wire(), *soa, negative_ttl(*soa));
  writer_.ends_with_soa_of(zone);
}

void ZoneCompiler::add_referral(NodeId cut) {
  ZoneNames::NameBuffer buffer;
  const std::string_view owner = names_.owner(cut, buffer);
  const auto ns = find_rrset(cut, rrtype::ns);
  assert(ns);
  writer_.add(Section::authority, owner, *ns, ns->ttl);
  add_glue(owner, *ns);
}

void ZoneCompiler::add_addresses(const zones::RRset& rrset) {
  if (!leads_to_name(rrset.type)) return;
  const zones::Name owner = rrset.owner();
  std::vector<std::string> seen;
  for (const std::string_view rdata : rrset.rdata()) {
    const std::string_view target = target_of(rrset.type, rdata);
    if (target.empty()) continue;
    const bool means_owner = target.size() == 1 && is_binding(rrset.type);
    if (means_owner && owner.is_wildcard()) continue;
    const std::string name = means_owner ? owner.wire() : to_lower(target);
    if (std::ranges::count(seen, name) != 0) continue;
    seen.push_back(name);
    if (is_binding(rrset.type) && owner.wire() != name) add_bindings_of(name, rrset.type);
    add_addresses_of(name);
  }
}

// What an alias leads to, as far as it is static: the client would ask for it next (RFC 9460 §4.1).
void ZoneCompiler::add_bindings_of(std::string_view target, std::uint16_t type) {
  NameKey key;
  if (key.read(as_bytes(target)) == 0) return;
  const Match match = names_.find(key);
  if (match.kind != MatchKind::exact) return;
  const bool is_elsewhere = names_.has(match.node, Node::is_cut | Node::is_below_cut);
  const bool is_drawn = names_.has(match.node, Node::is_service) && is_steered_type(type);
  if (is_elsewhere || is_drawn) return;
  if (const auto bindings = find_rrset(match.node, type)) {
    writer_.add(Section::additional, target, *bindings, bindings->ttl);
  }
}

// Static addresses are rendered; those of a service are drawn per query.
void ZoneCompiler::add_addresses_of(std::string_view target) {
  NameKey key;
  if (key.read(as_bytes(target)) == 0) return;
  const Match match = names_.find(key);
  if (match.kind != MatchKind::exact) return;
  if (names_.has(match.node, Node::is_service)) return writer_.add_target(target, match.node);
  for (const std::uint16_t type : {rrtype::a, rrtype::aaaa}) {
    if (const auto addresses = find_rrset(match.node, type)) {
      writer_.add(Section::additional, target, *addresses, addresses->ttl);
    }
  }
}

// Without the addresses of name servers inside the delegation nobody could follow it: those have to
// fit (RFC 9471), the others may be left out.
void ZoneCompiler::add_glue(std::string_view cut, const zones::RRset& ns) {
  const auto add_those = [&](bool inside) {
    for (const std::string_view rdata : ns.rdata()) {
      const std::string target = to_lower(target_of(rrtype::ns, rdata));
      if (!target.empty() && is_at_or_below(target, cut) == inside) add_addresses_of(target);
    }
  };
  add_those(true);
  writer_.optional_from_here();
  add_those(false);
}

void ZoneCompiler::add_entry(std::uint16_t type, Rcode rcode, bool is_authoritative) {
  part_.add_entry(type, rcode, is_authoritative, writer_.finish());
}

}  // namespace demarc::dns
