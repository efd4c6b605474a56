// Zone transfers over TCP, the third part of dns/tcp_loop.h: a few at a time, each from a snapshot
// that its own seat holds, some messages whenever the client has taken the last ones. Meanwhile the
// other clients are served.

#include <sys/epoll.h>

#include "dns/tcp_loop.h"

namespace demarc::dns {

namespace {

constexpr std::size_t length_size = 2;

}  // namespace

// Precondition: worker_.transfer has what was granted, so a place is free.
void TcpLoop::begin_transfer(ConnectionId id, const Snapshot& snapshot) noexcept {
  const std::uint32_t place = free_transfers_.back();
  free_transfers_.pop_back();
  worker_.transfer_places = static_cast<unsigned>(free_transfers_.size());
  published_.hold_too(seats_.queries, *seats_.transfers[place]);
  transfers_[place].begin(snapshot, *worker_.transfer);
  worker_.transfer.reset();
  TcpConnection& connection = connections_.at(id);
  connection.transfer = place;
  connection.transfer_since_ms = worker_.now.monotonic_ms;
  worker_.counters.transfers.add();
}

void TcpLoop::end_transfer(TcpConnection& connection) noexcept {
  if (!connection.transfer) return;
  published_.park(*seats_.transfers[*connection.transfer]);
  free_transfers_.push_back(*connection.transfer);
  worker_.transfer_places = static_cast<unsigned>(free_transfers_.size());
  connection.transfer.reset();
  connection.transfer_since_ms = TcpConnection::not_waiting;
}

// A socket may take the last byte of a write and then nothing for long: the clock runs all the
// same.
void TcpLoop::await_room(ConnectionId id) noexcept {
  connections_.at(id).blocked_since_ms = worker_.now.monotonic_ms;
  wait_for(id, EPOLLOUT);
}

// One write's worth of messages. False: the connection is broken, or is to be cut as the zone has a
// record that fits no message.
bool TcpLoop::continue_transfer(ConnectionId id) noexcept {
  TcpConnection& connection = connections_.at(id);
  TransferStream& stream = transfers_[*connection.transfer];
  const auto now = static_cast<std::uint64_t>(worker_.now.wall_ms / 1000);
  connection.blocked_since_ms = TcpConnection::not_waiting;
  std::size_t size = 0;
  bool has_more = true;
  while (has_more && answers_.size() - size >= length_size + message_size_max) {
    std::uint8_t* const out = answers_.data() + size;
    const std::size_t message = stream.write_message({out + length_size, message_size_max}, now);
    has_more = message != 0;
    if (!has_more) break;
    put16(out, message);
    size += length_size + message;
  }
  connections_.set_active(id, worker_.now.monotonic_ms);
  if (size > 0 && !send_answers(id, size)) return false;
  if (has_more) {
    if (!connection.unsent) await_room(id);  // the others have their turn
    return true;
  }
  if (!stream.is_whole()) return false;
  worker_.counters.transfers_finished.add();
  end_transfer(connection);
  if (!connection.unsent) wait_for(id, EPOLLIN);
  return true;
}

}  // namespace demarc::dns
