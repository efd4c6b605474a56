// The bytes of one TCP client, the second half of dns/tcp_loop.h: queries in, answers out. A
// message has its length before it, in two bytes (RFC 7766 §8).

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "dns/proxy_header.h"
#include "dns/responder.h"
#include "dns/tcp_loop.h"

namespace demarc::dns {

namespace {

constexpr int reads_per_event = 4;  // then the other clients have their turn
constexpr std::size_t length_size = 2;

}  // namespace

void TcpLoop::serve(ConnectionId id, const Snapshot& snapshot) noexcept {
  connections_.begin_reading(id);
  if (!exchange(id, snapshot)) return close(id);
  connections_.end_reading(id);
}

// First what is left from before: unsent answers, then queries that waited behind them. False: the
// connection is to be closed.
bool TcpLoop::exchange(ConnectionId id, const Snapshot& snapshot) noexcept {
  TcpConnection& connection = connections_.at(id);
  if (connection.unsent) {
    if (!send_rest(id)) return false;
    if (connection.unsent) return true;
    wait_for(id, EPOLLIN);
  }
  if (connection.waits_to_write) {
    connection.waits_to_write = false;
    wait_for(id, EPOLLIN);
  }
  if (connection.transfer && !continue_transfer(id)) return false;
  if (connection.transfer) return true;
  if (connection.in_size > 0 && !answer_queries(id, snapshot)) return false;
  // What TLS has decrypted already no socket announces: at most a record of it, 16 KiB.
  for (int count = 0; count < reads_per_event || (connection.tls && connection.tls->has_pending());
       ++count) {
    if (connection.unsent || connection.transfer) return true;
    const std::uint32_t size_before = connection.in_size;
    if (!read_more(id)) return false;
    if (connection.in_size == size_before) return !connection.peer_has_finished;
    // A socket that did not fill the room has no more, and says so when it has.
    const bool is_drained = !connection.tls && connection.in_size < connections_.in().size();
    if (!answer_queries(id, snapshot)) return false;
    if (is_drained) return true;
  }
  return true;
}

StreamResult TcpLoop::receive(TcpConnection& connection, std::span<std::uint8_t> out) noexcept {
  if (connection.tls) return connection.tls->read(out);
  const ssize_t size = recv(connection.socket, out.data(), out.size(), 0);
  if (size > 0) return {StreamState::done, static_cast<std::size_t>(size)};
  if (size == 0) return {StreamState::finished, 0};
  const bool is_later = errno == EAGAIN || errno == EINTR;
  return {is_later ? StreamState::wants_read : StreamState::broken, 0};
}

// False: the connection is broken.
bool TcpLoop::read_more(ConnectionId id) noexcept {
  TcpConnection& connection = connections_.at(id);
  const StreamResult read = receive(connection, connections_.in().subspan(connection.in_size));
  switch (read.state) {
    case StreamState::done:
      connection.in_size += static_cast<std::uint32_t>(read.size);
      return true;
    case StreamState::finished:
      connection.peer_has_finished = true;
      return true;
    case StreamState::wants_write:  // a handshake that does not fit the socket's buffer
      connection.waits_to_write = true;
      wait_for(id, EPOLLOUT);
      return true;
    case StreamState::wants_read:
      return true;
    case StreamState::broken:
      break;
  }
  return false;
}

// False: a proxy sends something else than its header first. While that is incomplete, the
// connection goes on waiting for it.
bool TcpLoop::take_proxy_header(ConnectionId id) noexcept {
  TcpConnection& connection = connections_.at(id);
  std::uint8_t* const in = connections_.in().data();
  if (!connection.awaits_proxy_header) return true;
  ProxyHeader header;
  switch (read_proxy_header({in, connection.in_size}, ProxyTransport::stream, header)) {
    case ProxyReading::bad:
      return false;
    case ProxyReading::incomplete:
      if (connection.in_size > 0 && connection.message_since_ms == TcpConnection::not_waiting) {
        connection.message_since_ms = worker_.now.monotonic_ms;
      }
      return true;
    case ProxyReading::good:
      break;
  }
  connection.awaits_proxy_header = false;
  connection.message_since_ms = TcpConnection::not_waiting;
  connection.is_spoken_for = header.source.has_value();
  if (header.source) connections_.set_client(id, *header.source);
  std::memmove(in, in + header.size, connection.in_size - header.size);
  connection.in_size -= static_cast<std::uint32_t>(header.size);
  return true;
}

// Answers all queries that are complete, as long as the client takes the answers. False: it is to
// be closed, as it sends something else than queries, or broke off.
bool TcpLoop::answer_queries(ConnectionId id, const Snapshot& snapshot) noexcept {
  TcpConnection& connection = connections_.at(id);
  std::uint8_t* const in = connections_.in().data();
  bool is_sound = take_proxy_header(id);
  if (connection.awaits_proxy_header) return is_sound;
  std::size_t at = 0;
  std::size_t out_size = 0;
  worker_.is_spoken_for = connection.is_spoken_for;
  while (is_sound && !connection.unsent && !connection.transfer &&
         connection.in_size - at >= length_size) {
    const std::size_t size = get16(in + at);
    if (size > TcpConnection::query_size_max) is_sound = false;
    if (!is_sound || connection.in_size - at - length_size < size) break;
    std::uint8_t* const out = answers_.data() + out_size;
    const std::size_t answer_size = respond(
        snapshot, worker_, {in + at + length_size, size}, connection.client,
        connection.tls ? Transport::tls : Transport::tcp, {out + length_size, message_size_max});
    at += length_size + size;
    is_sound = answer_size != 0;
    if (!is_sound) break;
    if (worker_.transfer) {
      begin_transfer(id, snapshot);
      break;
    }
    put16(out, answer_size);
    out_size += length_size + answer_size;
    if (answers_.size() - out_size >= length_size + message_size_max) continue;
    is_sound = send_answers(id, out_size);
    out_size = 0;
  }
  if (out_size > 0) is_sound = send_answers(id, out_size) && is_sound;
  if (is_sound && connection.transfer && !connection.unsent) await_room(id);

  if (at > 0) {
    std::memmove(in, in + at, connection.in_size - at);
    connection.in_size -= static_cast<std::uint32_t>(at);
    connections_.set_active(id, worker_.now.monotonic_ms);
  }
  const bool is_new_message = at > 0 || connection.message_since_ms == TcpConnection::not_waiting;
  if (connection.in_size == 0 || connection.unsent || connection.transfer) {
    connection.message_since_ms = TcpConnection::not_waiting;
  } else if (is_new_message) {
    connection.message_since_ms = worker_.now.monotonic_ms;
  }
  return is_sound;
}

// How much the socket took; nothing: the connection is broken.
std::optional<std::size_t> TcpLoop::transmit(TcpConnection& connection,
                                             std::span<const std::uint8_t> bytes) noexcept {
  if (!connection.tls) {
    ssize_t sent = 0;
    do {
      sent = send(connection.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN) return std::nullopt;
    return static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
  }
  std::size_t taken = 0;
  while (taken < bytes.size()) {  // a record at a time
    const StreamResult written = connection.tls->write(bytes.subspan(taken));
    if (written.state == StreamState::wants_write) break;
    if (written.state != StreamState::done) return std::nullopt;
    taken += written.size;
  }
  return taken;
}

// What the socket does not take is kept. False: the connection is broken.
bool TcpLoop::send_answers(ConnectionId id, std::size_t size) noexcept {
  const std::span<const std::uint8_t> answers(answers_.data(), size);
  const auto taken = transmit(connections_.at(id), answers);
  if (!taken) return false;
  return *taken == size || keep_unsent(id, answers.subspan(*taken));
}

bool TcpLoop::keep_unsent(ConnectionId id, std::span<const std::uint8_t> rest) noexcept {
  if (free_unsent_.empty()) return false;
  TcpConnection& connection = connections_.at(id);
  connection.unsent = free_unsent_.back();
  free_unsent_.pop_back();
  std::memcpy(unsent_buffers_[*connection.unsent].data(), rest.data(), rest.size());
  connection.unsent_at = 0;
  connection.unsent_size = static_cast<std::uint32_t>(rest.size());
  connection.blocked_since_ms = worker_.now.monotonic_ms;
  wait_for(id, EPOLLOUT);  // reads no further queries until these are answered
  return true;
}

// False: the connection is broken.
bool TcpLoop::send_rest(ConnectionId id) noexcept {
  TcpConnection& connection = connections_.at(id);
  if (!connection.unsent) return true;
  const auto& buffer = unsent_buffers_[*connection.unsent];
  const auto sent = transmit(
      connection, std::span(buffer).subspan(connection.unsent_at,
                                            connection.unsent_size - connection.unsent_at));
  if (!sent) return false;
  connection.unsent_at += static_cast<std::uint32_t>(*sent);
  if (connection.unsent_at == connection.unsent_size) {
    release_unsent(connection);
    connections_.set_active(id, worker_.now.monotonic_ms);
  }
  return true;
}

}  // namespace demarc::dns
