// Sockets of a listen address: opened with the options that a DNS server needs.
// dns/server.h opens them, dns/udp_loop.h and dns/tcp_loop.h use them.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <utility>

#include "geo/base/address.h"
#include "geo/base/descriptor.h"
#include "geo/base/result.h"

namespace demarc::dns {

struct Endpoint {
  geo::Address address;
  std::uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};

/// "192.0.2.1:53" or "[2001:db8::1]:53".
[[nodiscard]] std::string to_text(const Endpoint& endpoint);

/// Whether it is 0.0.0.0 or ::, where each answer has to name its source address.
[[nodiscard]] bool is_any_address(const geo::Address& address) noexcept;

/// Bound and listening, non-blocking. Without SO_REUSEPORT: a second server on the same port fails
/// here, although the UDP sockets below would let it in.
[[nodiscard]] Result<Descriptor, SystemError> open_tcp_listener(const Endpoint& endpoint);

/// Bound, blocking, with a receive timeout of receive_timeout_ms, shared by SO_REUSEPORT.
[[nodiscard]] Result<Descriptor, SystemError> open_udp_socket(const Endpoint& endpoint);

/// How long an idle UDP thread sleeps at most before it looks whether it shall stop.
inline constexpr int receive_timeout_ms = 100;

/// The port the kernel chose.
[[nodiscard]] Result<std::uint16_t, SystemError> bound_port(const Descriptor& socket);

/// Fills `storage`; returns the size of what it holds.
socklen_t write_socket_address(const Endpoint& endpoint, sockaddr_storage& storage) noexcept;
[[nodiscard]] Endpoint read_socket_address(const sockaddr_storage& storage) noexcept;

}  // namespace demarc::dns
