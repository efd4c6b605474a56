// Brings notices to receivers, however long that takes: a thread, a queue and a spool for each, so
// that one that hangs holds up no other. health/alerts/alert_book.h says what is to be told,
// health/alerts/delivery_queue.h what is tried next; tools/outside_world.h owns this.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "health/alerts/delivery_queue.h"
#include "health/alerts/message.h"
#include "health/alerts/receiver.h"

namespace demarc::health {

struct DelivererOptions {
  std::string folder;  // of all spools; each receiver has one by its name
  Sender sender;
  std::vector<Receiver> receivers;
  std::function<Moment()> clock;  // called from every thread
  std::uint64_t seed = 0;         // of the jitter
  RetryTiming retry;
  Milliseconds repeat = alertmanager_repeat;
};

/// What became of one receiver's messages, since the start.
struct DeliveryState {
  std::string receiver;
  ReceiverKind kind = ReceiverKind::webhook;
  std::string url;
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;  // attempts that will be repeated
  std::uint64_t dead = 0;    // messages given up
  std::size_t undelivered = 0;
  std::optional<WallTime> oldest;  // of the undelivered
  std::string last_error;          // of the last attempt; empty: it was good
  std::string spool_error;         // why messages are in memory alone; empty: they are on disk
};

class Deliverer {
 public:
  explicit Deliverer(DelivererOptions options);
  ~Deliverer();  // stops
  Deliverer(const Deliverer&) = delete;
  Deliverer& operator=(const Deliverer&) = delete;

  /// Reads the spools and starts the threads. What was wrong with spools, a line each: messages
  /// that could not be read are dead letters, a folder that cannot be written leaves the others in
  /// memory.
  [[nodiscard]] Result<std::vector<std::string>, SystemError> start();

  /// Hands a notice to the receivers it names. Returns at once; any thread.
  void deliver(const Notice& notice);

  /// Everything that stands and this receiver was told of, for one that forgets what it does not
  /// hear again (Alertmanager); nothing for others. Any thread.
  void stand(const std::string& receiver, const StandingAlerts& alerts);

  /// Whether all that was handed in is delivered, given up or on disk. Any thread.
  [[nodiscard]] bool is_saved() const;
  [[nodiscard]] std::vector<DeliveryState> states() const;

  /// Ends the threads without waiting for receivers; what is undelivered stays in the spools.
  void stop() noexcept;

 private:
  class Worker;
  DelivererOptions options_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace demarc::health
