// DNS over TCP (RFC 7766): one thread, one epoll, all listeners. Reads many queries at once and
// answers them with one write. dns/tcp_connections.h holds the clients, dns/server.h starts it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dns/published.h"
#include "dns/sockets.h"
#include "dns/tcp_connections.h"
#include "dns/worker.h"
#include "geo/base/result.h"

namespace demarc::dns {

/// A listening socket, non-blocking, borrowed.
struct TcpListener {
  int socket = -1;
  bool is_tls = false;  // with the certificate of the snapshot's identity
};

/// The loop's places in front of the snapshots; those of transfers were added after the other.
struct TcpSeats {
  Seat& queries;
  std::vector<Seat*> transfers;  // TcpLimits::transfers of them
};

/// Allocates everything when it is made; a query allocates nothing. (A TLS handshake and a TSIG
/// do.)
class TcpLoop {
 public:
  /// All of it is borrowed.
  TcpLoop(std::span<const TcpListener> listeners, const TcpLimits& limits,
          const Published& published, TcpSeats seats, Worker& worker);
  ~TcpLoop();
  TcpLoop(const TcpLoop&) = delete;
  TcpLoop& operator=(const TcpLoop&) = delete;

  /// Opens the epoll. To be called once, before run().
  [[nodiscard]] Result<void, SystemError> open();

  /// Until `stopping`: seen within tick_ms.
  void run(const std::atomic<bool>& stopping) noexcept;

 private:
  enum class Accepting : bool { paused, running };

  void handle(std::uint64_t tag, const Snapshot& snapshot) noexcept;
  void accept_from(int listener, const Snapshot& snapshot) noexcept;
  std::optional<ConnectionId> welcome(int socket, const geo::Address& client,
                                      const TlsContext* tls) noexcept;
  [[nodiscard]] bool is_tls(int listener) const noexcept;
  void make_room() noexcept;
  void set_accepting(Accepting accepting) noexcept;
  void close_expired() noexcept;
  void close(ConnectionId id) noexcept;

  void serve(ConnectionId id, const Snapshot& snapshot) noexcept;
  [[nodiscard]] bool read_more(ConnectionId id) noexcept;
  [[nodiscard]] bool exchange(ConnectionId id, const Snapshot& snapshot) noexcept;
  [[nodiscard]] bool take_proxy_header(ConnectionId id) noexcept;
  [[nodiscard]] bool answer_queries(ConnectionId id, const Snapshot& snapshot) noexcept;
  [[nodiscard]] static StreamResult receive(TcpConnection& connection,
                                            std::span<std::uint8_t> out) noexcept;
  [[nodiscard]] static std::optional<std::size_t> transmit(
      TcpConnection& connection, std::span<const std::uint8_t> bytes) noexcept;
  [[nodiscard]] bool send_answers(ConnectionId id, std::size_t size) noexcept;
  [[nodiscard]] bool send_rest(ConnectionId id) noexcept;
  [[nodiscard]] bool keep_unsent(ConnectionId id, std::span<const std::uint8_t> rest) noexcept;
  void begin_transfer(ConnectionId id, const Snapshot& snapshot) noexcept;
  void end_transfer(TcpConnection& connection) noexcept;
  void await_room(ConnectionId id) noexcept;
  [[nodiscard]] bool continue_transfer(ConnectionId id) noexcept;
  void release_unsent(TcpConnection& connection) noexcept;
  void wait_for(ConnectionId id, std::uint32_t events) noexcept;

  std::vector<TcpListener> listeners_;
  TcpConnections connections_;
  const Published& published_;
  TcpSeats seats_;
  Worker& worker_;
  Descriptor epoll_;
  Accepting accepting_ = Accepting::running;
  std::vector<std::uint8_t> answers_;  // of one client's queries, each with its length before it
  // What slow readers have not taken yet. There are few: who finds none left is cut off.
  std::vector<std::vector<std::uint8_t>> unsent_buffers_;
  std::vector<std::uint32_t> free_unsent_;
  std::vector<TransferStream> transfers_;  // by place
  std::vector<std::uint32_t> free_transfers_;
};

}  // namespace demarc::dns
