// AXFR and IXFR (RFC 5936, RFC 1995): may this client have the zone, and what begins then?
// dns/responder.cpp calls it, dns/tcp_transfers.cpp sends what was granted.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "dns/query.h"
#include "dns/reply.h"
#include "dns/snapshot.h"
#include "dns/tsig.h"
#include "dns/worker.h"
#include "geo/base/address.h"

namespace demarc::dns {

/// Who asks for which zone; all borrowed.
struct TransferAsked {
  const Snapshot& snapshot;
  Worker& worker;
  const Query& query;
  std::span<const std::uint8_t> packet;
  const geo::Address& client;
  Transport transport;
  const TsigRequest* signature;  // null: not signed
};

/// Refuses, or answers with the SOA alone (IXFR over UDP, or by a client that is up to date), or
/// grants a transfer: then worker.transfer has it, and `reply` is not to be sent. Every IXFR is
/// answered as an AXFR. Precondition: the QTYPE is one of the two, and a signature holds.
void add_transfer(const TransferAsked& asked, Reply& reply) noexcept;

/// The serial that an IXFR says its client has, from the SOA in its authority section; nothing:
/// there is no such record. `at` is where the question ends.
[[nodiscard]] std::optional<std::uint32_t> read_ixfr_serial(std::span<const std::uint8_t> packet,
                                                            std::size_t at) noexcept;

}  // namespace demarc::dns
