// One query to one answer. The heart of the query path: no lock, no allocation, no system call.
// dns/query.h reads, geo/location_table.h locates, dns/zone_table.h and dns/steered_reply.h answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dns/query.h"
#include "dns/reply.h"
#include "dns/snapshot.h"
#include "dns/worker.h"
#include "geo/base/address.h"

namespace demarc::dns {

/// A message that was read, and who sent it.
struct Received {
  std::span<const std::uint8_t> packet;
  geo::Address client;
  Query query;  // points into `packet`
  Reading reading = Reading::silence;
};

/// Answers one message into `out`; returns the answer's size, 0: no answer is due (a response, or
/// too short to have a header). `client` is where it came from; an ECS option goes before it.
/// `worker.now` is at most clock_lag_max_ms old. Any bytes are fine.
/// Precondition: `out` has reply_size_min bytes at least; udp_size_max are enough for UDP,
/// message_size_max for TCP. A smaller buffer truncates earlier.
[[nodiscard]] std::size_t respond(const Snapshot& snapshot, Worker& worker,
                                  const Received& received, Transport transport,
                                  std::span<std::uint8_t> out) noexcept;
/// Reads it first.
[[nodiscard]] std::size_t respond(const Snapshot& snapshot, Worker& worker,
                                  std::span<const std::uint8_t> packet, const geo::Address& client,
                                  Transport transport, std::span<std::uint8_t> out) noexcept;

}  // namespace demarc::dns
