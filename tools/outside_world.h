// What the daemon asks of others and tells them: alerts to receivers, questions to the policy's
// engine, lags of replicas. It turns steering's effects into calls, and what comes back into
// events. tools/daemon.h owns it; health/alerts/, health/advisor.h and health/lag_prober.h do it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "health/advisor.h"
#include "health/alerts/alert_book.h"
#include "health/alerts/deliverer.h"
#include "health/lag_prober.h"
#include "tools/controller.h"
#include "tools/daemon_config.h"
#include "tools/event_loop.h"

namespace demarc::tools {

/// A receiver that has not taken a message for so long is an alert for the others.
inline constexpr std::chrono::minutes receiver_silent_max{5};

struct OutsideOptions {
  EventLoop& loop;
  Controller& controller;
  std::function<void()> after_step;  // to be called when steering has stepped
  std::function<Moment()> clock;
  std::uint64_t seed = 0;
};

/// Control thread only, but for its own threads.
class OutsideWorld {
 public:
  /// Reads what was told before the start and starts the threads. Nothing about alerts keeps a
  /// daemon from starting but a thread that cannot be made.
  [[nodiscard]] static Result<std::unique_ptr<OutsideWorld>, std::string> start(
      const DaemonConfig& config, OutsideOptions options);
  ~OutsideWorld();  // stops

  /// A configuration is taken: its lag checks are asked from now on.
  void configure(const zones::Repository& repository);
  /// Reminders, delivery troubles, what is to be kept over a restart; once an hour the drill.
  void every_second();
  void stop() noexcept;

  [[nodiscard]] std::vector<health::DeliveryState> deliveries() const {
    return deliverer_->states();
  }
  [[nodiscard]] std::size_t left_out() const noexcept { return book_->left_out(); }
  /// Hands a test message to one receiver, whatever its filter. The error names those there are.
  [[nodiscard]] Result<void, std::string> test(const std::string& receiver, const std::string& who);

 private:
  OutsideWorld(const DaemonConfig& config, OutsideOptions options);
  [[nodiscard]] Result<void, std::string> open();
  void tell(const std::vector<health::Notice>& notices);
  void tell_standing();
  void happen(decltype(zones::Event::what) what);
  void save_told();
  void watch_receivers(WallTime now);
  void watch_drill(const Moment& now);
  [[nodiscard]] WallTime serving_since();
  [[nodiscard]] std::string told_path() const { return folder_ + "/told.json"; }

  const DaemonConfig& config_;
  OutsideOptions options_;
  std::string folder_;
  std::unique_ptr<health::AlertBook> book_;
  std::unique_ptr<health::Deliverer> deliverer_;
  std::unique_ptr<health::AdvisorClient> advisor_;
  std::unique_ptr<health::LagProber> lag_;
  bool is_told_dirty_ = false;
  bool is_standing_dirty_ = false;  // and a turn of the loop is asked for
  std::string told_error_;
  std::optional<WallTime> serving_since_;
  std::optional<MonotonicTime> drill_looked_at_;
  std::uint64_t tests_ = 0;
};

}  // namespace demarc::tools
