// ICMP echo (RFC 792, RFC 4443 §4.1) as bytes. The kernel fills in identifier and checksum of a
// datagram socket's, and hands over what comes back to it alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "geo/base/address.h"

namespace demarc::health {

/// `token` comes back in the reply.
[[nodiscard]] std::vector<std::uint8_t> write_echo(geo::Family family, std::uint64_t token);

/// Whether any bytes are the reply to that.
[[nodiscard]] bool is_echo_reply(geo::Family family, std::uint64_t token,
                                 std::span<const std::uint8_t> bytes) noexcept;

}  // namespace demarc::health
