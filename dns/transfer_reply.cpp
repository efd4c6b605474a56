#include "dns/transfer_reply.h"

#include <algorithm>

#include "dns/wire.h"
#include "zones/serials.h"

namespace demarc::dns {

namespace {

constexpr ExtendedError prohibited{18, {}};     // RFC 8914 §4.19
constexpr ExtendedError not_supported{21, {}};  // §4.22
constexpr ExtendedError not_ready{14, {}};      // §4.15
constexpr ExtendedError too_many{0, "too many transfers"};

constexpr std::size_t record_fixed_size = 10;
constexpr std::size_t soa_numbers_size = 20;

void refuse(Rcode rcode, ExtendedError error, Reply& reply) noexcept {
  reply.set_authoritative(false);
  reply.set_rcode(rcode);
  reply.set_extended_error(error);
}

/// Where the name at `at` ends; 0: it is cut short.
std::size_t end_of_name(std::span<const std::uint8_t> packet, std::size_t at) noexcept {
  while (at < packet.size()) {
    const std::uint8_t length = packet[at];
    if ((length & 0xc0) == 0xc0) return at + 2 <= packet.size() ? at + 2 : 0;
    if (length == 0) return at + 1;
    at += std::size_t{length} + 1;
  }
  return 0;
}

void add_soa(const TransferAsked& asked, const Node& apex, Reply& reply) noexcept {
  const auto soa = asked.snapshot.zones->find_answer(apex, rrtype::soa);
  if (soa && reply.append(*soa, 0)) add_serial(asked.snapshot, *soa, reply);
}

bool is_ready(const Snapshot& snapshot, const TransferZone& zone) noexcept {
  return std::ranges::all_of(zone.services, [&](zones::ServiceId service) {
    return snapshot.services[zones::index_of(service)].answers != nullptr;
  });
}

void grant(const TransferAsked& asked, std::uint32_t zone) {
  TransferRequest& request = asked.worker.transfer.emplace();
  const Query& query = asked.query;
  request.zone = zone;
  request.id = query.id;
  request.flags = query.flags;
  request.has_edns = query.edns.present;
  request.dnssec_ok = query.edns.dnssec_ok;
  request.question_size = query.question.size();
  std::ranges::copy(query.question, request.question.begin());
  if (asked.signature != nullptr) request.chain = TsigChain(*asked.signature);
}

}  // namespace

std::optional<std::uint32_t> read_ixfr_serial(std::span<const std::uint8_t> packet,
                                              std::size_t at) noexcept {
  const bool has_authority = get16(packet.data() + 6) == 0 && get16(packet.data() + 8) != 0;
  at = has_authority ? end_of_name(packet, at) : 0;
  if (at == 0 || packet.size() - at < record_fixed_size) return std::nullopt;
  const std::size_t size = get16(packet.data() + at + 8);
  const bool is_soa = get16(packet.data() + at) == rrtype::soa && size >= soa_numbers_size;
  if (!is_soa || packet.size() - at - record_fixed_size < size) return std::nullopt;
  return get32(packet.data() + at + record_fixed_size + size - soa_numbers_size);
}

void add_transfer(const TransferAsked& asked, Reply& reply) noexcept {
  const Query& query = asked.query;
  const Snapshot& snapshot = asked.snapshot;
  const bool is_ixfr = query.qtype == rrtype::ixfr;
  if (query.qclass != rrclass::in) return refuse(Rcode::refused, prohibited, reply);
  if (!is_stream(asked.transport) && !is_ixfr) {
    return refuse(Rcode::refused, not_supported, reply);
  }
  const Match match = snapshot.zones->find(query.qname);
  const bool is_apex =
      match.kind == MatchKind::exact && snapshot.zones->node(match.node).has(Node::is_apex);
  if (!is_apex) return reply.set_rcode(Rcode::notauth);
  const Node& apex = snapshot.zones->node(match.node);
  const TransferZone* const zone =
      snapshot.transfers ? snapshot.transfers->find(apex.zone) : nullptr;
  const TsigKey* const key = asked.signature != nullptr ? asked.signature->key : nullptr;
  if (zone == nullptr || !zone->allows(asked.client, key, snapshot.transfers->keys())) {
    asked.worker.counters.transfers_refused.add();
    return refuse(Rcode::refused, prohibited, reply);
  }
  reply.set_authoritative(true);
  if (is_ixfr) {
    const auto serial = read_ixfr_serial(asked.packet, header_size + query.question.size());
    if (!serial) {
      reply.set_authoritative(false);
      return reply.set_rcode(Rcode::formerr);
    }
    const bool is_behind = zones::is_serial_after(snapshot.serials[apex.zone], *serial);
    if (!is_behind || !is_stream(asked.transport)) return add_soa(asked, apex, reply);
  }
  if (!is_ready(snapshot, *zone)) return refuse(Rcode::servfail, not_ready, reply);
  if (asked.worker.transfer_places == 0) {
    asked.worker.counters.transfers_refused.add();
    return refuse(Rcode::servfail, too_many, reply);
  }
  grant(asked, apex.zone);
}

}  // namespace demarc::dns
