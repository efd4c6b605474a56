#include "tools/control_socket.h"

#include <array>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace demarc::tools {
namespace {

Result<sockaddr_un, SystemError> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return failure(fmt::format("control socket path is {} bytes, expected less than {}",
                               path.size(), sizeof address.sun_path));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

const sockaddr* as_generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

std::string who_is(int number) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(number, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "unknown";
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(peer.uid, &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    return entry.pw_name;
  }
  return fmt::format("uid {}", peer.uid);
}

void set_timeouts(int number, int seconds) {
  const timeval timeout{.tv_sec = seconds, .tv_usec = 0};
  ::setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  ::setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
}

bool send_all(int number, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(number, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<ControlSocket>, SystemError> ControlSocket::open(EventLoop& loop,
                                                                        const std::string& path,
                                                                        ControlAnswer answer) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (ask_control(path, "{\"verb\":\"ping\"}", 1)) {
    return failure("another demarcd answers at " + path);
  }
  ::unlink(path.c_str());

  std::unique_ptr<ControlSocket> socket(new ControlSocket(loop, path, std::move(answer)));
  socket->listener_ = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int number = socket->listener_.number();
  if (number < 0) return system_error("socket");
  const mode_t before = ::umask(0177);
  const int bound = ::bind(number, as_generic(*address), sizeof *address);
  ::umask(before);
  if (bound != 0) return system_error("bind " + path);
  if (::listen(number, static_cast<int>(control_connections_max)) != 0) {
    return system_error("listen " + path);
  }
  auto watched = loop.watch(number, [self = socket.get()] { self->accept_peer(); });
  if (!watched) return std::unexpected(watched.error());
  return socket;
}

ControlSocket::~ControlSocket() {
  for (const Peer& peer : peers_) loop_.unwatch(peer.descriptor.number());
  if (!listener_.is_open()) return;
  loop_.unwatch(listener_.number());
  ::unlink(path_.c_str());
}

void ControlSocket::accept_peer() {
  Descriptor descriptor(
      ::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!descriptor.is_open()) return;
  // The one that has been silent longest makes room.
  if (peers_.size() >= control_connections_max) drop(peers_.begin());
  const std::string who = who_is(descriptor.number());
  peers_.push_back({std::move(descriptor), who, {}});
  const auto peer = std::prev(peers_.end());
  if (!loop_.watch(peer->descriptor.number(), [this, peer] { read_peer(peer); })) {
    peers_.erase(peer);
  }
}

void ControlSocket::read_peer(std::list<Peer>::iterator peer) {
  std::array<char, 4096> buffer{};
  const ssize_t got = ::recv(peer->descriptor.number(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(peer);
  peer->request.append(buffer.data(), static_cast<std::size_t>(got));
  if (peer->request.size() > control_request_bytes_max) return drop(peer);
  const auto end = peer->request.find('\n');
  if (end == std::string::npos) return;
  std::string answer = answer_(peer->request.substr(0, end), peer->who) + '\n';
  // One answer a connection; a peer that does not read it does not hold the loop for long.
  const int number = peer->descriptor.number();
  ::fcntl(number, F_SETFL, ::fcntl(number, F_GETFL) & ~O_NONBLOCK);
  set_timeouts(number, 1);
  send_all(number, answer);
  drop(peer);
}

void ControlSocket::drop(std::list<Peer>::iterator peer) {
  loop_.unwatch(peer->descriptor.number());
  peers_.erase(peer);
}

Result<std::string, SystemError> ask_control(const std::string& path, const std::string& request,
                                             int timeout_seconds) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  const Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!descriptor.is_open()) return system_error("socket");
  set_timeouts(descriptor.number(), timeout_seconds);
  if (::connect(descriptor.number(), as_generic(*address), sizeof *address) != 0) {
    return system_error("connect to demarcd at " + path);
  }
  if (!send_all(descriptor.number(), request + '\n')) return system_error("send to " + path);
  std::string answer;
  std::array<char, 65'536> buffer{};
  while (answer.empty() || answer.back() != '\n') {
    const ssize_t got = ::recv(descriptor.number(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("receive from " + path);
    if (got == 0) return failure("demarcd at " + path + " closed the connection without an answer");
    answer.append(buffer.data(), static_cast<std::size_t>(got));
  }
  answer.pop_back();
  return answer;
}

}  // namespace demarc::tools
