// The hand-over of snapshots: one control thread publishes, query threads take the latest between
// batches, and nobody waits for anybody. dns/udp_loop.cpp and dns/tcp_loop.cpp take the seats.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "dns/snapshot.h"

namespace demarc::dns {

/// A query thread's place: which epoch it reads in. On a cache line of its own, as its thread
/// writes it once a batch.
class alignas(64) Seat {
 private:
  friend class Published;
  std::size_t number_ = 0;  // in the order in which seats were added
  static constexpr std::uint64_t parked = std::numeric_limits<std::uint64_t>::max();
  std::atomic<std::uint64_t> epoch_{parked};
};

/// Owns the snapshots. A snapshot is freed by the control thread, at a publish() or free_unused()
/// after every seat has moved on or parked. A seat that never does keeps it alive.
class Published {
 public:
  explicit Published(std::unique_ptr<const Snapshot> first);
  /// All seats are parked by then: their threads have ended.
  ~Published();
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  /// Control thread, before the thread that will use the seat starts. Lives as long as this.
  [[nodiscard]] Seat& add_seat();

  /// Query thread, between batches: lets go of the last snapshot and takes the latest. Never waits.
  /// The reference is good until the same seat's next call; a connection keeps nothing of it.
  [[nodiscard]] const Snapshot& next_batch(Seat& seat) const noexcept;

  /// Query thread: `other`, which it owns as well, holds the snapshot that `held` got last, for as
  /// long as it is not parked, whatever becomes of `held`. Precondition: `other` was added after
  /// `held`.
  void hold_too(const Seat& held, Seat& other) const noexcept;

  /// Query thread, before it blocks or ends: holds no snapshot until its next_batch().
  void park(Seat& seat) const noexcept;

  /// Control thread: publishes `next`, then frees what every seat has let go of.
  void publish(std::unique_ptr<const Snapshot> next);

  /// Control thread: frees what can be freed by now; returns how many old snapshots remain.
  std::size_t free_unused();

  /// Control thread: what was published last; good until the next publish().
  [[nodiscard]] const Snapshot& latest() const noexcept { return *current_; }

 private:
  [[nodiscard]] bool left_by_all(std::uint64_t epoch) const noexcept;

  std::atomic<const Snapshot*> latest_;
  std::atomic<std::uint64_t> epoch_{0};
  std::unique_ptr<const Snapshot> current_;
  // Those published before, with the epoch from which on no seat can take them any more.
  std::vector<std::pair<std::uint64_t, std::unique_ptr<const Snapshot>>> retired_;
  std::vector<std::unique_ptr<Seat>> seats_;
};

}  // namespace demarc::dns
