#include "dns/redirected_reply.h"

#include <algorithm>
#include <array>

#include "dns/local_names.h"
#include "dns/local_reply.h"
#include "dns/moved_answer.h"
#include "dns/zone_compiler.h"

namespace demarc::dns {

namespace {

// The TTL and the RDATA of a body's first record, whose owner is a pointer.
std::uint32_t first_ttl(const Answer& answer) noexcept {
  return get32(answer.body.data() + rr_ttl_at);
}
std::span<const std::uint8_t> first_rdata(const Answer& answer) noexcept {
  return answer.body.subspan(rr_rdata_at, get16(answer.body.data() + rr_rdata_at - 2));
}

// `lower` is in lower case. Lengths are no letters.
bool is_same_name(std::span<const std::uint8_t> name,
                  std::span<const std::uint8_t> lower) noexcept {
  return std::ranges::equal(name, lower, {}, [](std::uint8_t byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<std::uint8_t>(byte | 0x20) : byte;
  });
}

// The bytes of the longest suffix, not the root alone, that `name` has in common with `key` and
// that is no longer than `most`; 0: none.
std::size_t shared_suffix_size(std::span<const std::uint8_t> name, const NameKey& key,
                               std::size_t most) noexcept {
  for (; name.size() > 1; name = name.subspan(name[0] + std::size_t{1})) {
    if (name.size() > most) continue;
    for (std::size_t label = 0; label < key.label_count(); ++label) {
      if (is_same_name(name, key.suffix(label))) return name.size();
    }
  }
  return 0;
}

class Redirection {
 public:
  Redirection(const Asked& asked, Reply& reply) noexcept
      : asked_(asked),
        zones_(*asked.snapshot.zones),
        reply_(reply),
        key_(&asked.query.qname),
        name_{.size = asked.query.qname.size(), .head_size = asked.query.qname.size()} {}

  void follow(Match match) noexcept {
    while (match.kind != MatchKind::outside) {
      const Node& node = zones_.node(match.node);
      if (node.has(Node::is_cut | Node::is_below_cut)) return add_referral(match, node);
      if (is_challenge_name(key_->suffix(0)) && may_be_local(match, node) && alias_count_ != 0) {
        return;
      }
      const bool is_missing = match.kind == MatchKind::missing;
      const auto dname = is_missing ? zones_.find_dname(node) : std::optional<Answer>{};
      const bool is_cname = !is_missing && node.has(Node::is_cname);
      if (!dname && !is_cname) return is_missing ? add_missing(node) : add_end(match, node);
      const bool goes_on = dname ? take_dname(match.node, *dname) : take_cname(match);
      if (!goes_on || asks_for_alias()) return;
      match = zones_.find(*key_);
    }
  }

 private:
  struct WrittenDname {
    NodeId node;
    std::uint16_t target_at;
  };
  using NameBuffer = std::array<std::uint8_t, name_size_max>;

  // A CNAME is what answers these, as it would at its owner (RFC 1034 §3.6.2, RFC 8482).
  [[nodiscard]] bool asks_for_alias() const noexcept {
    return asked_.query.qtype == rrtype::cname || asked_.query.qtype == rrtype::any;
  }

  // False: the chain is long enough, or has come back to where it was.
  bool begin_alias() noexcept {
    if (alias_count_ == cname_chain_max) return false;
    const auto seen = std::span(owner_hashes_).first(alias_count_);
    if (std::ranges::find(seen, key_->hash(0)) != seen.end()) return false;
    owner_hashes_[alias_count_++] = key_->hash(0);
    return true;
  }

  bool take_dname(NodeId id, const Answer& dname) noexcept {
    if (!begin_alias()) return false;
    const std::size_t owner_size = zones_.node(id).owner_size;
    const auto target = first_rdata(dname);
    const auto target_at = write_dname(id, dname);
    if (!target_at) return false;

    const std::size_t kept = key_->size() - owner_size;
    if (kept + target.size() > name_size_max) {
      reply_.set_rcode(Rcode::yxdomain);
      return false;
    }
    NameBuffer made;
    std::ranges::copy(key_->suffix(0).first(kept), made.data());
    std::ranges::copy(target, made.data() + kept);
    const std::uint16_t made_at = reply_.append_name_record(
        name_.at(), rrtype::cname, first_ttl(dname), std::span(made).first(kept), *target_at);
    if (!may_go_on(made_at)) return false;
    name_ = {kept + target.size(), made_at, kept, *target_at};
    return take_name(std::span(made).first(name_.size)) &&
           !leads_into_itself(zones_.owner(zones_.node(id)), target.size());
  }

  // Writes the DNAME, where the message does not have it yet. Returns where its target is.
  std::optional<std::uint16_t> write_dname(NodeId id, const Answer& dname) noexcept {
    const auto written = std::span(dnames_).first(dname_count_);
    if (const auto found = std::ranges::find(written, id, &WrittenDname::node);
        found != written.end()) {
      return found->target_at;
    }
    const std::uint16_t owner_at = name_.suffix_at(zones_.node(id).owner_size);
    const std::uint16_t target_at =
        reply_.append_name_record(owner_at, rrtype::dname, first_ttl(dname), first_rdata(dname), 0);
    if (!may_go_on(target_at)) return std::nullopt;
    dnames_[dname_count_++] = {id, target_at};
    return target_at;
  }

  [[nodiscard]] bool is_written(NodeId id) const noexcept {
    const auto written = std::span(dnames_).first(dname_count_);
    return std::ranges::find(written, id, &WrittenDname::node) != written.end();
  }

  // A DNAME to a name at or below its own owner makes a longer name each time, and no other.
  [[nodiscard]] bool leads_into_itself(std::span<const std::uint8_t> owner,
                                       std::size_t target_size) const noexcept {
    if (target_size < owner.size()) return false;
    std::size_t label = 0;
    while (key_->suffix(label).size() > owner.size()) ++label;
    return std::ranges::equal(key_->suffix(label), owner);
  }

  bool take_cname(const Match& match) noexcept {
    const Node& node = zones_.node(match.node);
    const auto cname = zones_.find_answer(node, rrtype::cname);
    if (!cname || cname->body.empty() || !begin_alias()) return false;
    NameBuffer target;
    const std::size_t size =
        first_rdata_name({.rendered_owner = zones_.owner(node)}, cname->body, target);
    const auto name = std::span(target).first(size);
    const std::size_t shared = shared_suffix_size(name, *key_, name_.joined_size());
    const std::uint16_t tail_at = shared == 0 ? std::uint16_t{0} : name_.suffix_at(shared);
    const std::uint16_t target_at = reply_.append_name_record(
        name_.at(), rrtype::cname, first_ttl(*cname), name.first(size - shared), tail_at);
    if (!may_go_on(target_at)) return false;
    name_ = {size, target_at, size - shared, tail_at};
    return take_name(name);
  }

  // A truncated answer still has the rcode of the chain's end; nothing is written any more.
  [[nodiscard]] bool may_go_on(std::uint16_t written_at) const noexcept {
    return written_at != 0 || reply_.is_truncated();
  }

  bool take_name(std::span<const std::uint8_t> name) noexcept {
    key_ = &next_key_;
    return next_key_.read(name) != 0;
  }

  // Appends what was rendered for `owner`, a suffix of the present name or the wildcard that covers
  // it. Nothing, where it is out of reach of its pointers: the client asks for the target by
  // itself.
  void append(std::span<const std::uint8_t> owner, MatchKind kind, const Answer& answer) noexcept {
    const MovedAnswer moved{.rendered_owner = owner,
                            .is_wildcard = kind == MatchKind::wildcard,
                            .name = name_,
                            .body_at = reply_.size()};
    if (moved.body_at + answer.body.size() > pointed_size_max) return;
    if (!reply_.append(answer, 0)) return;
    const auto body = reply_.written_from(moved.body_at);
    move_names(moved, body);
    if (body.size() != answer.body.size()) return;
    add_serial(asked_.snapshot, answer, reply_);
    add_target_addresses(asked_, answer, std::nullopt, reply_);
  }

  void add_soa(std::uint32_t zone) noexcept {
    const auto apex = key_->suffix(0).last(zones_.apex_size(zone));
    append(apex, MatchKind::exact, zones_.negative(zone));
  }

  void add_missing(const Node& encloser) noexcept {
    if (encloser.has(Node::has_tenants)) return;
    reply_.set_rcode(Rcode::nxdomain);
    add_soa(encloser.zone);
  }

  // DS at the cut itself belongs to this side of it (RFC 4035 §3.1.4.1).
  void add_referral(const Match& match, const Node& node) noexcept {
    const Node& cut = zones_.node(node.special);
    const bool asks_for_ds = asked_.query.qtype == rrtype::ds && match.kind == MatchKind::exact &&
                             node.has(Node::is_cut);
    const auto answer =
        zones_.find_answer(cut, asks_for_ds ? rrtype::ds : ZoneTable::any_other_type);
    if (asks_for_ds && (!answer || answer->is_for_other_types)) return add_soa(node.zone);
    if (answer) append(zones_.owner(cut), MatchKind::exact, *answer);
  }

  // DS at an apex belongs to the zone above, if that is ours as well.
  void add_ds_of_apex(const Node& apex) noexcept {
    const ZoneTable::ParentSide parent = zones_.parent_side(apex);
    if (!parent.node) return add_soa(parent.is_hosted ? parent.zone : apex.zone);
    const Node& side = zones_.node(*parent.node);
    const auto ds = zones_.find_answer(side, rrtype::ds);
    if (!ds || ds->is_for_other_types) return add_soa(parent.zone);
    append(zones_.owner(side), MatchKind::exact, *ds);
  }

  void add_end(const Match& match, const Node& node) noexcept {
    if (node.is_mode()) return;
    const std::uint16_t qtype = asked_.query.qtype;
    if (qtype == rrtype::ds && node.has(Node::is_apex)) return add_ds_of_apex(node);
    const bool is_service = node.has(Node::is_service);
    const auto answer = is_service && is_steered_type(qtype) ? std::optional<Answer>{}
                                                             : zones_.find_answer(node, qtype);
    if (qtype == rrtype::dname && is_written(match.node)) return;
    if (answer) {
      append(zones_.owner(node), match.kind, *answer);
    } else if (is_service) {
      add_steered(asked_, node.special, {name_.at(), Chain::yes}, reply_);
    } else {
      add_soa(node.zone);
    }
  }

  const Asked& asked_;
  const ZoneTable& zones_;
  Reply& reply_;
  const NameKey* key_;  // of the present name
  NameKey next_key_;
  WrittenName name_;  // the present name in the message
  std::size_t alias_count_ = 0;
  std::size_t dname_count_ = 0;
  std::array<std::uint64_t, cname_chain_max> owner_hashes_;
  std::array<WrittenDname, cname_chain_max> dnames_;
};

}  // namespace

void add_redirected(const Asked& asked, const Match& match, Reply& reply) noexcept {
  Redirection(asked, reply).follow(match);
}

}  // namespace demarc::dns
