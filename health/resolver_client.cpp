#include "health/resolver_client.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "geo/base/descriptor.h"
#include "health/resolver_message.h"
#include "health/socket_address.h"

namespace demarc::health {
namespace {

using Clock = std::chrono::steady_clock;
using Bytes = std::vector<std::uint8_t>;

bool wait_for(const Descriptor& socket, short events, Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  if (left <= 0) return false;
  pollfd waiting{socket.number(), events, 0};
  return ::poll(&waiting, 1, static_cast<int>(left)) == 1;
}

Result<Descriptor, std::string> connected(const ResolverConfig& config, int kind,
                                          Clock::time_point deadline) {
  const SocketAddress to = socket_address(config.address, config.port);
  Descriptor socket(::socket(to.storage.ss_family, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return std::unexpected(std::string("no socket"));
  const int done = ::connect(socket.number(), to.pointer(), to.size);
  if (done == 0) return socket;
  int error = errno;
  if (error == EINPROGRESS && wait_for(socket, POLLOUT, deadline)) {
    socklen_t size = sizeof error;
    ::getsockopt(socket.number(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) return socket;
  }
  return std::unexpected(std::string("connect: ") + std::strerror(error));
}

/// Everything that arrives until the right reply or the deadline; what is not ours is passed over.
Result<ResolverReply, std::string> ask_udp(const ResolverConfig& config, const Question& question) {
  const auto deadline = Clock::now() + config.timeout;
  auto socket = connected(config, SOCK_DGRAM, deadline);
  if (!socket) return std::unexpected(socket.error());
  const Bytes query = write_question(question);
  if (::send(socket->number(), query.data(), query.size(), MSG_NOSIGNAL) < 0) {
    return std::unexpected(std::string("send: ") + std::strerror(errno));
  }
  std::string wrong = "no reply in time";
  std::array<std::uint8_t, 4096> buffer{};
  while (wait_for(*socket, POLLIN, deadline)) {
    const ssize_t got = ::recv(socket->number(), buffer.data(), buffer.size(), 0);
    if (got < 0) {
      if (errno == EAGAIN || errno == EINTR) continue;
      return std::unexpected(std::string("receive: ") + std::strerror(errno));
    }
    auto reply = parse_reply({buffer.data(), static_cast<std::size_t>(got)}, question);
    if (reply) return std::move(*reply);
    // Bytes that are no message may be anybody's, as those with another ID: the right ones may
    // come.
    if (reply.error() == ReplyError::not_ours) continue;
    wrong = to_text(reply.error());
    if (reply.error() != ReplyError::malformed) break;
  }
  return std::unexpected(wrong);
}

bool send_whole(const Descriptor& socket, const Bytes& bytes, Clock::time_point deadline) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t put =
        ::send(socket.number(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (put > 0) {
      sent += static_cast<std::size_t>(put);
    } else if ((errno != EAGAIN && errno != EINTR) || !wait_for(socket, POLLOUT, deadline)) {
      return false;
    }
  }
  return true;
}

std::optional<Bytes> receive_whole(const Descriptor& socket, std::size_t size,
                                   Clock::time_point deadline) {
  Bytes bytes(size);
  std::size_t have = 0;
  while (have < size) {
    if (!wait_for(socket, POLLIN, deadline)) return std::nullopt;
    const ssize_t got = ::recv(socket.number(), bytes.data() + have, size - have, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return std::nullopt;
    if (got > 0) have += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<ResolverReply, std::string> ask_tcp(const ResolverConfig& config, const Question& question) {
  const auto deadline = Clock::now() + config.timeout;
  auto socket = connected(config, SOCK_STREAM, deadline);
  if (!socket) return std::unexpected("TCP " + socket.error());
  const Bytes query = write_question(question);
  Bytes framed = {static_cast<std::uint8_t>(query.size() >> 8U),
                  static_cast<std::uint8_t>(query.size())};
  framed.insert(framed.end(), query.begin(), query.end());
  if (!send_whole(*socket, framed, deadline))
    return std::unexpected(std::string("TCP send failed"));
  const auto length = receive_whole(*socket, 2, deadline);
  if (!length) return std::unexpected(std::string("no reply over TCP in time"));
  const std::size_t size = std::size_t{(*length)[0]} << 8U | (*length)[1];
  const auto bytes = receive_whole(*socket, size, deadline);
  if (!bytes) return std::unexpected(std::string("no whole reply over TCP in time"));
  auto reply = parse_reply(*bytes, question);
  if (!reply) return std::unexpected(std::string(to_text(reply.error())));
  if (reply->is_truncated) return std::unexpected(std::string("truncated over TCP"));
  return std::move(*reply);
}

Result<ResolverReply, std::string> ask(const ResolverConfig& config, const zones::Name& name,
                                       AddressType type,
                                       const std::function<std::uint64_t()>& random) {
  Result<ResolverReply, std::string> reply = std::unexpected(std::string("not asked"));
  for (unsigned i = 0; i < config.tries && !reply; ++i) {
    const auto id = static_cast<std::uint16_t>(random());
    const Question question = make_question(name, type, id, random());
    reply = ask_udp(config, question);
    if (reply && reply->is_truncated) reply = ask_tcp(config, question);
  }
  return reply;
}

}  // namespace

Result<ResolvedName, std::string> resolve_name(const ResolverConfig& config,
                                               const zones::Name& name,
                                               const std::function<std::uint64_t()>& random) {
  ResolvedName resolved{.is_validated = true};
  for (const AddressType type : {AddressType::a, AddressType::aaaa}) {
    auto reply = ask(config, name, type, random);
    if (!reply) return std::unexpected(reply.error());
    resolved.is_validated = resolved.is_validated && reply->is_validated;
    resolved.addresses.insert(resolved.addresses.end(), reply->addresses.begin(),
                              reply->addresses.end());
  }
  return resolved;
}

}  // namespace demarc::health
