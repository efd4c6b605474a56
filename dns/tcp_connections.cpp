#include "dns/tcp_connections.h"

#include <cassert>
#include <cstring>

namespace demarc::dns {

namespace {

bool is_over(std::int64_t since_ms, std::chrono::milliseconds limit, std::int64_t now_ms) noexcept {
  return since_ms != TcpConnection::not_waiting && now_ms - since_ms >= limit.count();
}

bool is_busy(const TcpConnection& connection) noexcept {
  constexpr auto no = TcpConnection::not_waiting;
  return connection.socket >= 0 &&
         (connection.blocked_since_ms != no || connection.message_since_ms != no ||
          connection.transfer_since_ms != no);
}

}  // namespace

TcpConnections::TcpConnections(const TcpLimits& limits, std::uint64_t seed)
    : limits_(limits),
      connections_(limits.connections),
      clients_(limits.connections, seed),
      order_(limits.connections + 1),
      kept_(std::make_unique_for_overwrite<InBuffer[]>(limits.connections)),
      is_watched_(limits.connections) {
  watched_.reserve(limits.connections);
  expired_.reserve(limits.connections);
  free_.reserve(limits.connections);
  for (std::size_t index = limits.connections; index-- > 0;) {
    free_.push_back(static_cast<ConnectionId>(index));
  }
  const auto ends = static_cast<ConnectionId>(limits.connections);
  order_.back() = {ends, ends};
}

std::optional<ConnectionId> TcpConnections::take(int socket, const geo::Address& client,
                                                 std::int64_t now_ms) {
  if (free_.empty()) return std::nullopt;
  const ConnectionId id = free_.back();
  free_.pop_back();
  connections_[id] = {};
  connections_[id].socket = socket;
  connections_[id].client = client;
  connections_[id].active_ms = now_ms;
  clients_.add(client);
  link_last(id);
  return id;
}

void TcpConnections::give_back(ConnectionId id) {
  assert(connections_[id].socket >= 0 && !connections_[id].unsent && !connections_[id].transfer);
  connections_[id].socket = -1;
  clients_.remove(connections_[id].client);
  unlink(id);
  free_.push_back(id);
}

void TcpConnections::begin_reading(ConnectionId id) noexcept {
  std::memcpy(reading_.data(), kept_[id].data(), connections_[id].in_size);
}

void TcpConnections::end_reading(ConnectionId id) noexcept {
  std::memcpy(kept_[id].data(), reading_.data(), connections_[id].in_size);
  if (is_watched_[id] || !is_busy(connections_[id])) return;
  is_watched_[id] = true;
  watched_.push_back(id);
}

void TcpConnections::link_last(ConnectionId id) noexcept {
  Link& ends = order_.back();
  order_[id] = {ends.before, static_cast<ConnectionId>(connections_.size())};
  order_[ends.before].after = id;
  ends.before = id;
}

void TcpConnections::unlink(ConnectionId id) noexcept {
  const Link link = order_[id];
  order_[link.before].after = link.after;
  order_[link.after].before = link.before;
}

void TcpConnections::set_active(ConnectionId id, std::int64_t now_ms) noexcept {
  connections_[id].active_ms = now_ms;
  unlink(id);
  link_last(id);
}

void TcpConnections::set_client(ConnectionId id, const geo::Address& client) noexcept {
  clients_.remove(connections_[id].client);
  clients_.add(client);
  connections_[id].client = client;
}

bool TcpConnections::has_too_many(const geo::Address& client) const noexcept {
  return clients_.of(client) >= limits_.connections_per_client;
}

std::optional<ConnectionId> TcpConnections::longest_idle() const noexcept {
  const ConnectionId first = order_.back().after;
  return first < connections_.size() ? std::optional(first) : std::nullopt;
}

std::span<const ConnectionId> TcpConnections::expired(std::int64_t now_ms) noexcept {
  expired_.clear();
  const auto is_idle = [&](ConnectionId id) {
    return is_over(connections_[id].active_ms, limits_.idle, now_ms);
  };
  for (ConnectionId id = order_.back().after; id < connections_.size() && is_idle(id);
       id = order_[id].after) {
    expired_.push_back(id);
  }
  std::erase_if(watched_, [&](ConnectionId id) {
    const TcpConnection& connection = connections_[id];
    is_watched_[id] = is_busy(connection);
    if (!is_watched_[id]) return true;
    const bool is_late = is_over(connection.blocked_since_ms, limits_.write, now_ms) ||
                         is_over(connection.message_since_ms, limits_.message, now_ms) ||
                         is_over(connection.transfer_since_ms, limits_.transfer, now_ms);
    if (is_late && !is_idle(id)) expired_.push_back(id);
    return false;
  });
  return expired_;
}

std::optional<ConnectionId> TcpConnections::next_open(ConnectionId from) const noexcept {
  for (ConnectionId id = from; id < connections_.size(); ++id) {
    if (connections_[id].socket >= 0) return id;
  }
  return std::nullopt;
}

}  // namespace demarc::dns
