// One UDP socket and its thread: receive a batch, answer it, send a batch.
// dns/server.h starts it; dns/responder.h makes each answer.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dns/published.h"
#include "dns/responder.h"
#include "dns/wire.h"
#include "dns/worker.h"

namespace demarc::dns {

/// More at once gains nothing measurable, fewer cost up to a fifth.
inline constexpr std::size_t udp_batch_max = 32;

/// Whether answers name the address the query came to: needed where one socket has several.
enum class NamesSource : bool { no, yes };

/// All buffers are allocated with it; run() allocates nothing.
class UdpLoop {
 public:
  /// `socket` blocks with a receive timeout (dns/sockets.h). All are borrowed.
  UdpLoop(int socket, NamesSource names_source, const Published& published, Seat& seat,
          Worker& worker);

  /// Until `stopping`: seen after receive_timeout_ms at the latest.
  void run(const std::atomic<bool>& stopping) noexcept;

 private:
  // A query may be longer than what we send: padding, cookies, options to come.
  static constexpr std::size_t query_size_max = 4096;
  struct alignas(cmsghdr) ControlBuffer {
    std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo))> bytes;
  };
  struct Slot {
    std::array<std::uint8_t, query_size_max> query;
    std::array<std::uint8_t, udp_size_max> answer;
    sockaddr_storage client;
    ControlBuffer control;
    Received received;
    socklen_t client_size;
    std::size_t control_size;
    bool is_spoken_for;  // by a proxy
    ZoneTable::Hint hint;
    iovec query_part;
    iovec answer_part;
  };

  void prepare(std::size_t index) noexcept;
  [[nodiscard]] std::size_t receive() noexcept;
  [[nodiscard]] bool read(std::size_t index) noexcept;
  void look_ahead(const Snapshot& snapshot) noexcept;
  [[nodiscard]] std::size_t answer(const Snapshot& snapshot, std::size_t received) noexcept;
  void send(std::size_t count) noexcept;

  int socket_;
  NamesSource names_source_;
  const Published& published_;
  Seat& seat_;
  Worker& worker_;
  std::vector<Slot> slots_;
  std::array<mmsghdr, udp_batch_max> received_{};
  std::array<Slot*, udp_batch_max> to_answer_{};
  std::size_t to_answer_count_ = 0;
  std::array<mmsghdr, udp_batch_max> to_send_{};
};

}  // namespace demarc::dns
