#include "dns/sockets.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace demarc::dns {

namespace {

// Bursts wait here while a thread works through a batch; the kernel caps it at rmem_max.
constexpr int socket_buffer_bytes = 4 << 20;
constexpr int listen_backlog = 4096;  // the kernel caps it at somaxconn
// Clients speak first: a connection is handed to us with its first bytes, or after about this long.
// With its first read at once that takes a tenth off the cost of a connection with one query.
constexpr int mute_seconds = 3;
static_assert(IP_PMTUDISC_PROBE == IPV6_PMTUDISC_PROBE);

int family_of(const Endpoint& endpoint) noexcept {
  return endpoint.address.family == geo::Family::ipv4 ? AF_INET : AF_INET6;
}

bool set_option(int socket, int level, int name, int value) noexcept {
  return setsockopt(socket, level, name, &value, sizeof(value)) == 0;
}

bool bind_to(int socket, const Endpoint& endpoint) noexcept {
  sockaddr_storage storage{};
  const socklen_t size = write_socket_address(endpoint, storage);
  return bind(socket, reinterpret_cast<const sockaddr*>(&storage), size) == 0;
}

// No IPv4 on an IPv6 socket: both are listened on by themselves.
bool set_family_options(int socket, const Endpoint& endpoint) noexcept {
  return endpoint.address.family == geo::Family::ipv4 ||
         set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1);
}

// With DF set the kernel need not find an IP ident for every answer (6 % of the whole cost on the
// machine of the baseline); answers of 1232 bytes at most pass everywhere. IP_PMTUDISC_PROBE also
// ignores path MTU news, which anybody could forge.
bool set_udp_options(int socket, const Endpoint& endpoint) noexcept {
  const bool is_ipv4 = endpoint.address.family == geo::Family::ipv4;
  const int level = is_ipv4 ? IPPROTO_IP : IPPROTO_IPV6;
  timeval timeout{};
  timeout.tv_usec = suseconds_t{receive_timeout_ms} * 1000;
  set_option(socket, SOL_SOCKET, SO_RCVBUF, socket_buffer_bytes);
  set_option(socket, SOL_SOCKET, SO_SNDBUF, socket_buffer_bytes);
  const bool names_source = !is_any_address(endpoint.address) ||
                            set_option(socket, level, is_ipv4 ? IP_PKTINFO : IPV6_RECVPKTINFO, 1);
  return names_source && set_option(socket, SOL_SOCKET, SO_REUSEPORT, 1) &&
         set_option(socket, level, is_ipv4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER,
                    IP_PMTUDISC_PROBE) &&
         setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0;
}

}  // namespace

std::string to_text(const Endpoint& endpoint) {
  const std::string address = geo::to_text(endpoint.address);
  return endpoint.address.family == geo::Family::ipv4
             ? fmt::format("{}:{}", address, endpoint.port)
             : fmt::format("[{}]:{}", address, endpoint.port);
}

bool is_any_address(const geo::Address& address) noexcept {
  return std::ranges::all_of(address.bytes, [](std::uint8_t byte) { return byte == 0; });
}

Result<Descriptor, SystemError> open_tcp_listener(const Endpoint& endpoint) {
  const std::string tried = "listen on " + to_text(endpoint) + " (TCP)";
  Descriptor socket(::socket(family_of(endpoint), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open() || !set_family_options(socket.number(), endpoint) ||
      !set_option(socket.number(), SOL_SOCKET, SO_REUSEADDR, 1) ||
      !set_option(socket.number(), IPPROTO_TCP, TCP_DEFER_ACCEPT, mute_seconds) ||
      !bind_to(socket.number(), endpoint) || listen(socket.number(), listen_backlog) != 0) {
    return system_error(tried);
  }
  return socket;
}

Result<Descriptor, SystemError> open_udp_socket(const Endpoint& endpoint) {
  const std::string tried = "listen on " + to_text(endpoint) + " (UDP)";
  Descriptor socket(::socket(family_of(endpoint), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open() || !set_family_options(socket.number(), endpoint) ||
      !set_udp_options(socket.number(), endpoint) || !bind_to(socket.number(), endpoint)) {
    return system_error(tried);
  }
  return socket;
}

Result<std::uint16_t, SystemError> bound_port(const Descriptor& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  if (getsockname(socket.number(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return system_error("read the port of a socket");
  }
  return read_socket_address(storage).port;
}

socklen_t write_socket_address(const Endpoint& endpoint, sockaddr_storage& storage) noexcept {
  if (endpoint.address.family == geo::Family::ipv4) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    std::memcpy(&address.sin_addr, endpoint.address.bytes.data(), sizeof(address.sin_addr));
    std::memcpy(&storage, &address, sizeof(address));
    return sizeof(address);
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(endpoint.port);
  std::memcpy(&address.sin6_addr, endpoint.address.bytes.data(), sizeof(address.sin6_addr));
  std::memcpy(&storage, &address, sizeof(address));
  return sizeof(address);
}

Endpoint read_socket_address(const sockaddr_storage& storage) noexcept {
  Endpoint endpoint;
  if (storage.ss_family == AF_INET) {
    sockaddr_in address;
    std::memcpy(&address, &storage, sizeof(address));
    endpoint.port = ntohs(address.sin_port);
    std::memcpy(endpoint.address.bytes.data(), &address.sin_addr, sizeof(address.sin_addr));
    return endpoint;
  }
  sockaddr_in6 address;
  std::memcpy(&address, &storage, sizeof(address));
  endpoint.address.family = geo::Family::ipv6;
  endpoint.port = ntohs(address.sin6_port);
  std::memcpy(endpoint.address.bytes.data(), &address.sin6_addr, sizeof(address.sin6_addr));
  return endpoint;
}

}  // namespace demarc::dns
