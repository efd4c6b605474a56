// The PROXY protocol's header, version 2: a load balancer in front of us says whose query it passes
// on. dns/udp_loop.cpp reads it before each datagram, dns/tcp_exchange.cpp before a connection's
// first query; both from listed peers alone, for anybody can write one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "geo/base/address.h"

namespace demarc::dns {

/// The longest header that is taken: 16 bytes, IPv6 addresses, and room for TLVs, which are
/// skipped.
inline constexpr std::size_t proxy_header_size_max = 536;

enum class ProxyReading : std::uint8_t {
  good,
  incomplete,  // the beginning of one: more bytes are needed
  bad,         // no header of version 2, or one of another transport or too long
};

struct ProxyHeader {
  std::size_t size = 0;                // bytes before the message
  std::optional<geo::Address> source;  // nothing: LOCAL or UNSPEC, the peer speaks for itself
};

enum class ProxyTransport : std::uint8_t { stream = 1, datagram = 2 };

/// Any bytes, any thread; allocates nothing.
[[nodiscard]] ProxyReading read_proxy_header(std::span<const std::uint8_t> bytes,
                                             ProxyTransport transport,
                                             ProxyHeader& header) noexcept;

}  // namespace demarc::dns
