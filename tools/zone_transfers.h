// What zone transfers need on the control side: serials into the book that survives a restart, and
// NOTIFY to the secondaries.
// dns/notify.h decides whom to tell when, dns/transfer_serials.h made the serials; tools/daemon.h
// owns it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dns/notify.h"
#include "dns/snapshot.h"
#include "geo/base/descriptor.h"
#include "tools/controller.h"
#include "tools/event_loop.h"

namespace demarc::tools {

/// Monotonic, since the start.
struct NotifyCounts {
  std::uint64_t sent = 0;
  std::uint64_t taken = 0;
  std::uint64_t refused = 0;     // answered with another RCODE than NOERROR
  std::uint64_t unanswered = 0;  // given up
};

/// Loop thread.
class ZoneTransfers {
 public:
  /// Both are borrowed.
  ZoneTransfers(EventLoop& loop, Controller& controller);
  ~ZoneTransfers();
  ZoneTransfers(const ZoneTransfers&) = delete;
  ZoneTransfers& operator=(const ZoneTransfers&) = delete;

  /// `next` is about to take the place of `before` (null: it is the first). Its serials are saved
  /// after this step; once begin() was called, who is to be told is told by the next send_due().
  void prepare(const dns::Snapshot* before, const dns::Snapshot& next);

  /// From now on secondaries are told; first of all of every zone, as they may have slept.
  void begin(const dns::Snapshot& now);

  /// After a snapshot was published, and once a second.
  void send_due();

  [[nodiscard]] const NotifyCounts& counts() const noexcept { return counts_; }
  [[nodiscard]] std::size_t waiting() const noexcept { return queue_.waiting(); }

 private:
  void note(const dns::Snapshot& now);
  void change_all(const dns::Snapshot* before, const dns::Snapshot& now);
  void send(const dns::NotifyMessage& message);
  [[nodiscard]] int socket_for(geo::Family family);
  void receive(int socket);
  void tell(const dns::NotifyOutcome& outcome);

  EventLoop& loop_;
  Controller& controller_;
  dns::NotifyQueue queue_;
  NotifyCounts counts_;
  Descriptor socket_v4_;
  Descriptor socket_v6_;
  bool has_begun_ = false;
  // What was posted to the loop and comes after the end of this does nothing.
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace demarc::tools
