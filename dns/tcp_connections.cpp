#include "dns/tcp_connections.h"

#include <algorithm>
#include <cassert>

namespace demarc::dns {

namespace {

// Who has one address of an IPv6 /64 has them all.
geo::Address counted_as(const geo::Address& client) noexcept {
  return client.family == geo::Family::ipv4 ? client : geo::masked(client, 64);
}

bool is_over(std::int64_t since_ms, std::chrono::milliseconds limit, std::int64_t now_ms) noexcept {
  return since_ms != TcpConnection::not_waiting && now_ms - since_ms >= limit.count();
}

}  // namespace

TcpConnections::TcpConnections(const TcpLimits& limits)
    : limits_(limits), connections_(limits.connections), buffers_(limits.connections) {
  free_.reserve(limits.connections);
  for (std::size_t index = limits.connections; index-- > 0;) {
    free_.push_back(static_cast<ConnectionId>(index));
  }
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
  return id;
}

void TcpConnections::give_back(ConnectionId id) {
  assert(connections_[id].socket >= 0 && !connections_[id].unsent && !connections_[id].transfer);
  connections_[id].socket = -1;
  free_.push_back(id);
}

bool TcpConnections::has_too_many(const geo::Address& client) const noexcept {
  const geo::Address counted = counted_as(client);
  const auto count = std::ranges::count_if(connections_, [&](const TcpConnection& connection) {
    return connection.socket >= 0 && counted_as(connection.client) == counted;
  });
  return static_cast<std::size_t>(count) >= limits_.connections_per_client;
}

std::optional<ConnectionId> TcpConnections::longest_idle() const noexcept {
  std::optional<ConnectionId> found;
  for (auto id = next_open(0); id; id = next_open(*id + 1)) {
    if (!found || connections_[*id].active_ms < connections_[*found].active_ms) found = id;
  }
  return found;
}

std::optional<ConnectionId> TcpConnections::next_expired(ConnectionId from,
                                                         std::int64_t now_ms) const noexcept {
  for (auto id = next_open(from); id; id = next_open(*id + 1)) {
    if (is_expired(connections_[*id], now_ms)) return id;
  }
  return std::nullopt;
}

std::optional<ConnectionId> TcpConnections::next_open(ConnectionId from) const noexcept {
  for (ConnectionId id = from; id < connections_.size(); ++id) {
    if (connections_[id].socket >= 0) return id;
  }
  return std::nullopt;
}

bool TcpConnections::is_expired(const TcpConnection& connection,
                                std::int64_t now_ms) const noexcept {
  return is_over(connection.blocked_since_ms, limits_.write, now_ms) ||
         is_over(connection.message_since_ms, limits_.message, now_ms) ||
         is_over(connection.transfer_since_ms, limits_.transfer, now_ms) ||
         is_over(connection.active_ms, limits_.idle, now_ms);
}

}  // namespace demarc::dns
