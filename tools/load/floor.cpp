#include "tools/load/floor.h"

#include <array>
#include <csignal>

#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dns/wire.h"

namespace demarc::tools::load {
namespace {

constexpr std::size_t batch = 32;

[[noreturn]] void echo(int socket) {
  static std::array<std::array<std::uint8_t, 2048>, batch> buffers;
  static std::array<sockaddr_storage, batch> peers;
  static std::array<iovec, batch> vectors;
  static std::array<mmsghdr, batch> headers;
  for (;;) {
    for (std::size_t i = 0; i < batch; ++i) {
      vectors[i] = {buffers[i].data(), buffers[i].size()};
      headers[i].msg_hdr = {};
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
      headers[i].msg_hdr.msg_name = &peers[i];
      headers[i].msg_hdr.msg_namelen = sizeof peers[i];
    }
    const int got = ::recvmmsg(socket, headers.data(), batch, MSG_WAITFORONE, nullptr);
    if (got <= 0) continue;  // the receive timeout
    for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
      vectors[i].iov_len = headers[i].msg_len;
      if (headers[i].msg_len > 2) buffers[i][2] |= dns::qr_bit;
    }
    ::sendmmsg(socket, headers.data(), static_cast<unsigned>(got), 0);
  }
}

}  // namespace

Result<void, SystemError> stay_on(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (core < 0 || core >= CPU_SETSIZE) return failure(fmt::format("there is no core {}", core));
  CPU_SET(core, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) {
    return system_error(fmt::format("stay on core {}", core));
  }
  return {};
}

Result<std::unique_ptr<Floor>, SystemError> Floor::start(std::optional<int> core) {
  std::unique_ptr<Floor> floor(new Floor);
  floor->endpoint_.address = geo::Address::ipv4(0x7f00'0001);
  const auto socket = dns::open_udp_socket(floor->endpoint_);
  if (!socket) return std::unexpected(socket.error());
  const auto port = dns::bound_port(*socket);
  if (!port) return std::unexpected(port.error());
  floor->endpoint_.port = *port;
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return system_error("fork");
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent || (core && !stay_on(*core))) ::_exit(1);
    echo(socket->number());
  }
  floor->pid_ = child;
  return floor;
}

Floor::~Floor() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace demarc::tools::load
