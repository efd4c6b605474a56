// An address and a port as the system takes them.
#pragma once

#include <cstdint>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

#include "geo/base/address.h"

namespace demarc::health {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* pointer() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
};

[[nodiscard]] inline SocketAddress socket_address(const geo::Address& address,
                                                  std::uint16_t port) noexcept {
  SocketAddress out;
  if (address.family == geo::Family::ipv4) {
    auto* const four = reinterpret_cast<sockaddr_in*>(&out.storage);
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    std::memcpy(&four->sin_addr, address.bytes.data(), sizeof four->sin_addr);
    out.size = sizeof(sockaddr_in);
  } else {
    auto* const six = reinterpret_cast<sockaddr_in6*>(&out.storage);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    std::memcpy(&six->sin6_addr, address.bytes.data(), sizeof six->sin6_addr);
    out.size = sizeof(sockaddr_in6);
  }
  return out;
}

}  // namespace demarc::health
