#include "tests/support/free_port.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "geo/base/descriptor.h"

namespace demarc::testing {

std::uint16_t free_port() {
  for (int attempt = 0; attempt < 32; ++attempt) {
    const Descriptor tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Descriptor udp(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(tcp.number(), any, size) != 0 || ::getsockname(tcp.number(), any, &size) != 0) break;
    if (::bind(udp.number(), any, size) == 0) return ntohs(address.sin_port);
  }
  throw std::system_error(errno, std::generic_category(), "no free port");
}

}  // namespace demarc::testing
