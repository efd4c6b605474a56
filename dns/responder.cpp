#include "dns/responder.h"

#include <algorithm>

#include "dns/local_reply.h"
#include "dns/query.h"
#include "dns/redirected_reply.h"
#include "dns/steered_reply.h"
#include "dns/transfer_reply.h"
#include "dns/wire.h"

namespace demarc::dns {

namespace {

// Types that ask for no data of a name; the others, known or not, are looked up (RFC 3597 §3).
std::optional<Rcode> rcode_of_meta_type(std::uint16_t qtype) noexcept {
  switch (qtype) {
    case rrtype::opt:     // RFC 6891 §6.1.1: not a question
    case rrtype::nxname:  // RFC 9824 §3.5
    case rrtype::tkey:
    case rrtype::tsig:
      return Rcode::formerr;
    case rrtype::ixfr:
    case rrtype::axfr:
      return Rcode::refused;
    default:
      return std::nullopt;
  }
}

constexpr ExtendedError not_authoritative{20, {}};  // RFC 8914 §4.21

// One message and who sent it; all borrowed.
using Incoming = TransferAsked;

bool is_update(const Query& query) noexcept { return (query.flags & opcode_mask) == 5U << 3; }

// The names that tell of the server itself (RFC 4892); what the operator keeps silent is refused.
void add_chaos(const Identity& identity, const Query& query, Reply& reply) noexcept {
  using namespace std::string_view_literals;
  const auto bytes = query.qname.suffix(0);
  const std::string_view qname(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const bool asks_version = qname == "\7version\4bind\0"sv || qname == "\7version\6server\0"sv;
  const bool asks_server = qname == "\2id\6server\0"sv || qname == "\10hostname\4bind\0"sv;
  const std::string_view text = asks_version  ? std::string_view(identity.version)
                                : asks_server ? std::string_view(identity.server)
                                              : std::string_view{};
  if (text.empty()) return reply.set_rcode(Rcode::refused);
  reply.set_authoritative(true);
  if (query.qtype == rrtype::txt || query.qtype == rrtype::any) reply.append_chaos_text(text);
}

// What is known of the client before its question is looked at.
struct Admission {
  bool has_good_cookie = false;  // it receives what is sent to its address
  bool may_answer = true;        // else it must come back with a cookie
};

// Adds the options that need no zone.
Admission add_options(const Identity& identity, const Worker& worker, const Query& query,
                      const geo::Address& client, Transport transport, Reply& reply) noexcept {
  const Edns& edns = query.edns;
  if (edns.wants_nsid && !identity.nsid.empty()) reply.set_nsid(identity.nsid);
  if (edns.wants_keepalive && is_stream(transport) && identity.keepalive != 0) {
    reply.set_keepalive(identity.keepalive);
  }
  if (edns.cookie.empty() || identity.cookie_secrets.empty()) return {};
  const std::int64_t now = worker.now.wall_ms / 1000;
  Admission admission;
  admission.has_good_cookie =
      check_cookie(edns.cookie, client, now, identity.cookie_secrets) == CookieState::good;
  reply.set_cookie(make_cookie(edns.cookie, client, now, identity.cookie_secrets));
  admission.may_answer =
      admission.has_good_cookie || is_stream(transport) || !identity.requires_cookie;
  return admission;
}

RateDecision limit_rate(Worker& worker, const geo::Address& client) noexcept {
  const RateDecision decision = worker.limiter->account(client, worker.now.monotonic_ms);
  if (decision == RateDecision::drop) worker.counters.rate_dropped.add();
  if (decision == RateDecision::truncate) worker.counters.rate_truncated.add();
  return worker.limiter->is_dry_run() ? RateDecision::answer : decision;
}

void add_negative(const Snapshot& snapshot, std::uint32_t zone, const Query& query, Rcode rcode,
                  Reply& reply) noexcept {
  const ZoneTable& zones = *snapshot.zones;
  reply.set_rcode(rcode);
  const Answer negative = zones.negative(zone);
  const bool fits = reply.append(negative, query.qname.size() - zones.apex_size(zone));
  if (fits) add_serial(snapshot, negative, reply);
}

// A rendered answer, then what is known only now where all of it fitted: the serial of its SOA or
// the addresses of its steered targets. False: it did not fit at all.
bool append_whole(const Asked& asked, const Answer& answer, std::size_t shift,
                  Reply& reply) noexcept {
  const std::size_t size_before = reply.size();
  if (!reply.append(answer, shift)) return false;
  const bool is_whole = reply.size() - size_before == answer.body.size();
  if (!is_whole) return true;
  add_serial(asked.snapshot, answer, reply);
  if (!answer.targets.empty()) add_target_addresses(asked, answer, shift, reply);
  return true;
}

// At a delegation and below it: a referral, but DS belongs to this side (RFC 4035 §3.1.4.1).
void add_referral(const Asked& asked, const Match& match, Reply& reply) noexcept {
  const ZoneTable& zones = *asked.snapshot.zones;
  const Query& query = asked.query;
  const Node& node = zones.node(match.node);
  const bool asks_for_ds =
      query.qtype == rrtype::ds && match.kind == MatchKind::exact && node.has(Node::is_cut);
  const Node& cut = zones.node(node.special);
  const auto answer = zones.find_answer(cut, query.qtype);
  if (asks_for_ds) {
    if (answer && !answer->is_for_other_types) {
      reply.append(*answer, 0);
    } else {
      add_negative(asked.snapshot, node.zone, query, Rcode::noerror, reply);
    }
    return;
  }
  reply.set_authoritative(false);
  const auto referral = zones.find_answer(cut, ZoneTable::any_other_type);
  if (referral) append_whole(asked, *referral, query.qname.size() - cut.owner_size, reply);
}

// DS at an apex belongs to the zone above, if that is ours as well.
void add_ds_of_apex(const Snapshot& snapshot, const Node& apex, const Query& query,
                    Reply& reply) noexcept {
  const ZoneTable& zones = *snapshot.zones;
  const ZoneTable::ParentSide parent = zones.parent_side(apex);
  const auto ds = parent.node ? zones.find_answer(zones.node(*parent.node), rrtype::ds)
                              : std::optional<Answer>{};
  if (ds && !ds->is_for_other_types) {
    reply.append(*ds, 0);
  } else {
    add_negative(snapshot, parent.is_hosted ? parent.zone : apex.zone, query, Rcode::noerror,
                 reply);
  }
}

// What a name that exists, or the wildcard that covers it, says to one query.
class NameAnswer {
 public:
  NameAnswer(const Snapshot& snapshot, Worker& worker, const Query& query,
             const geo::Address& client, Reply& reply) noexcept
      : snapshot_(snapshot), worker_(worker), query_(query), client_(client), reply_(reply) {}

  void add(const Node& node) noexcept {
    const ZoneTable& zones = *snapshot_.zones;
    const std::size_t shift = query_.qname.size() - node.owner_size;
    if (node.is_mode()) {
      return add_mode({snapshot_, worker_, query_, client_}, node.special, reply_);
    }
    if (query_.qtype == rrtype::any) return add_any(node, shift);
    if (query_.qtype == rrtype::ds && node.has(Node::is_apex)) {
      return add_ds_of_apex(snapshot_, node, query_, reply_);
    }
    if (node.has(Node::is_service) && is_steered_type(query_.qtype)) {
      return steer(node, SteeredPlace{});
    }
    const auto answer = zones.find_answer(node, query_.qtype);
    if (!answer) {
      if (node.has(Node::is_service)) return steer(node, SteeredPlace{});
      return add_negative(snapshot_, node.zone, query_, Rcode::noerror, reply_);
    }
    reply_.set_rcode(answer->rcode);
    const Asked asked{snapshot_, worker_, query_, client_};
    if (!append_whole(asked, *answer, shift, reply_)) return;
    if (!answer->is_for_other_types || !node.has(Node::leads_to_service)) return;
    steer(node, {static_cast<std::uint16_t>(answer->next_owner + shift), Chain::yes});
  }

 private:
  void add_any(const Node& node, std::size_t shift) noexcept {
    if (const auto answer = snapshot_.zones->find_any(node)) {
      reply_.append(*answer, shift);
    } else if (node.has(Node::is_service)) {
      reply_.append_any_hinfo();
    } else {
      add_negative(snapshot_, node.zone, query_, Rcode::noerror, reply_);
    }
  }

  void steer(const Node& node, SteeredPlace place) noexcept {
    add_steered({snapshot_, worker_, query_, client_}, node.special, place, reply_);
  }

  const Snapshot& snapshot_;
  Worker& worker_;
  const Query& query_;
  const geo::Address& client_;
  Reply& reply_;
};

// A name below a service with tenants that no zone has: a tenant's, or nobody's.
void add_below_tenants(const Asked& asked, const Node& service, Reply& reply) noexcept {
  const auto tenant = find_tenant(asked, service.special, service.owner_size);
  if (!tenant) {
    return add_negative(asked.snapshot, service.zone, asked.query, Rcode::nxdomain, reply);
  }
  if (asked.query.qtype == rrtype::any) return reply.append_any_hinfo();
  add_steered_tenant(asked, *tenant, reply);
}

ZoneVersion version_of(const Snapshot& snapshot, std::uint32_t zone) noexcept {
  ZoneVersion version = snapshot.zones->version(zone);
  if (!snapshot.serials.empty()) version.serial = snapshot.serials[zone];
  return version;
}

void add_answer(const Incoming& incoming, Reply& reply) noexcept {
  const auto& [snapshot, worker, query, packet, client, transport, signature] = incoming;
  if (const auto rcode = rcode_of_meta_type(query.qtype)) {
    if (query.qtype != rrtype::axfr && query.qtype != rrtype::ixfr) {
      return reply.set_rcode(*rcode);
    }
    return add_transfer(incoming, reply);
  }
  if (query.qclass == rrclass::ch) return add_chaos(*snapshot.identity, query, reply);
  if (query.qclass != rrclass::in && query.qclass != rrclass::any) {
    return reply.set_rcode(Rcode::refused);
  }
  const Match match = snapshot.zones->find(query.qname);
  if (match.kind == MatchKind::outside) {
    reply.set_extended_error(not_authoritative);
    return reply.set_rcode(Rcode::refused);
  }
  reply.set_authoritative(query.qclass == rrclass::in);  // RFC 1035 §6.2: never for class ANY
  const Node& node = snapshot.zones->node(match.node);
  if (query.edns.wants_zone_version) reply.set_zone_version(version_of(snapshot, node.zone));
  if (node.has(Node::is_cut | Node::is_below_cut)) {
    return add_referral({snapshot, worker, query, client}, match, reply);
  }
  if (match.kind == MatchKind::missing && snapshot.zones->find_dname(node)) {
    return add_redirected({snapshot, worker, query, client}, match, reply);
  }
  if ((snapshot.operators || snapshot.challenges) && may_be_local(match, node) &&
      add_local_name({snapshot, worker, query, client}, node.zone, reply)) {
    return;
  }
  if (match.kind == MatchKind::missing) {
    if (node.has(Node::has_tenants)) {
      return add_below_tenants({snapshot, worker, query, client}, node, reply);
    }
    return add_negative(snapshot, node.zone, query, Rcode::nxdomain, reply);
  }
  NameAnswer(snapshot, worker, query, client, reply).add(node);
}

// What no good query gets; nothing: it is a good one.
std::optional<Rcode> rcode_of(const Incoming& incoming, Reading reading) noexcept {
  const bool is_signed_badly =
      incoming.signature != nullptr && incoming.signature->error != TsigError::none;
  if (is_signed_badly) return Rcode::notauth;
  switch (reading) {
    case Reading::good:
      return std::nullopt;
    case Reading::not_implemented:
      // The zones are files: who may change them is nothing that DNS decides (RFC 2136 §2.2).
      return is_update(incoming.query) ? Rcode::refused : Rcode::notimp;
    case Reading::bad_version:
      return Rcode::badvers;
    case Reading::cookie_only:
      return Rcode::noerror;
    case Reading::format_error:
    case Reading::silence:
      break;
  }
  return Rcode::formerr;
}

std::size_t answer_query(const Incoming& incoming, Reading reading,
                         std::span<std::uint8_t> out) noexcept {
  const auto& [snapshot, worker, query, packet, client, transport, signature] = incoming;
  Counters& counters = worker.counters;
  Reply reply(query, transport, out);
  Admission admission;
  if (reading == Reading::good || reading == Reading::cookie_only) {
    admission = add_options(*snapshot.identity, worker, query, client, transport, reply);
  }
  if (worker.limiter && transport == Transport::udp && !admission.has_good_cookie) {
    const RateDecision decision = limit_rate(worker, client);
    if (decision == RateDecision::drop) return 0;
    if (decision == RateDecision::truncate) {
      reply.truncate();
      return reply.finish();
    }
  }
  if (const auto rcode = rcode_of(incoming, reading)) {
    reply.set_rcode(*rcode);
  } else if (admission.may_answer) {
    add_answer(incoming, reply);
  } else {
    reply.set_rcode(Rcode::badcookie);
  }
  if (reply.is_truncated()) counters.truncated.add();
  counters.by_rcode[static_cast<std::size_t>(reply.rcode())].add();
  return reply.finish();
}

// A query with a TSIG record: it is checked before anything is answered, and the answer is signed.
// Apart, since it allocates, and few ask so.
std::size_t answer_signed(const Incoming& incoming, Reading reading,
                          std::span<std::uint8_t> out) noexcept {
  const auto record = read_tsig(incoming.packet, incoming.query.tsig_at);
  if (!record) return answer_query(incoming, Reading::format_error, out);
  const TransferTable* const transfers = incoming.snapshot.transfers.get();
  const TsigKeys no_keys;
  const auto now = static_cast<std::uint64_t>(incoming.worker.now.wall_ms / 1000);
  const TsigRequest signature =
      check_tsig(incoming.packet, *record, transfers ? transfers->keys() : no_keys, now);
  if (signature.error != TsigError::none) incoming.worker.counters.tsig_errors.add();
  const Incoming checked{incoming.snapshot, incoming.worker,    incoming.query, incoming.packet,
                         incoming.client,   incoming.transport, &signature};
  const std::size_t room = tsig_room(*record);
  const bool is_udp = incoming.transport == Transport::udp;
  std::size_t size = answer_query(checked, reading, is_udp ? out : out.first(out.size() - room));
  if (size == 0 || incoming.worker.transfer) return size;
  const std::size_t limit =
      std::min(reply_size_max(incoming.query, incoming.transport), out.size());
  if (is_udp && size + room > limit) {
    Reply reply(incoming.query, incoming.transport, out);
    reply.truncate();
    incoming.worker.counters.truncated.add();
    size = reply.finish();
  }
  return append_tsig(signature, out, size, now);
}

}  // namespace

std::size_t respond(const Snapshot& snapshot, Worker& worker, const Received& received,
                    Transport transport, std::span<std::uint8_t> out) noexcept {
  Counters& counters = worker.counters;
  (transport == Transport::udp ? counters.udp_queries : counters.tcp_queries).add();
  const auto& [packet, client, query, reading] = received;
  if (reading == Reading::silence || out.size() < reply_size_min) {
    counters.dropped.add();
    return 0;
  }
  const Incoming incoming{snapshot, worker, query, packet, client, transport, nullptr};
  const bool is_signed = query.tsig_at != 0 && reading != Reading::format_error;
  if (is_signed) [[unlikely]]
    return answer_signed(incoming, reading, out);
  return answer_query(incoming, reading, out);
}

std::size_t respond(const Snapshot& snapshot, Worker& worker, std::span<const std::uint8_t> packet,
                    const geo::Address& client, Transport transport,
                    std::span<std::uint8_t> out) noexcept {
  Received received;  // as it is: a name's arrays need no zeros
  received.packet = packet;
  received.client = client;
  received.reading = read_query(packet, received.query);
  return respond(snapshot, worker, received, transport, out);
}

}  // namespace demarc::dns
