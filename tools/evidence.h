// What health finds on its way to steering: the prober and what it says, taken on the loop's
// thread, and the history of it. tools/daemon.h owns it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "health/prober.h"
#include "health/vantage_checks.h"
#include "tools/controller.h"
#include "tools/event_loop.h"
#include "tools/history.h"
#include "tools/vantage_sender.h"

namespace demarc::tools {

/// Verdicts of a state saved longer ago than this are not believed after a restart.
inline constexpr std::chrono::seconds verdict_believed{60};

struct EvidenceConfig {
  std::function<Moment()> clock;
  std::uint64_t seed = 0;  // of the prober's jitter
  health::TransferOptions transfers;
  std::string history_path;
  Milliseconds history{0};               // how long it is kept; 0: it is not
  std::optional<VantageConfig> vantage;  // whom this node tells what it finds
};

/// Called on the loop's thread.
struct EvidenceCallbacks {
  /// Every check has been asked once.
  std::function<void()> on_first_round;
  /// Steering has heard of something.
  std::function<void()> on_step;
};

class Evidence {
 public:
  Evidence(EventLoop& loop, Controller& controller, EvidenceConfig config,
           EvidenceCallbacks callbacks);
  ~Evidence() { stop(); }
  Evidence(const Evidence&) = delete;
  Evidence& operator=(const Evidence&) = delete;

  /// Begins with what the state knows, which was saved at `saved_at`. Nothing of what is found goes
  /// to steering before release().
  [[nodiscard]] Result<void, std::string> start(const zones::Repository& repository,
                                                WallTime saved_at);
  /// A reload.
  void replace(const zones::Repository& repository);
  /// The verdicts of the first round come before the first answer, and as one event: taken one by
  /// one, they would tell of failovers that nobody wanted a moment later.
  void release();
  void every_second();
  void stop() noexcept { prober_.stop(); }

  /// What a vantage pushed: any bytes, on any thread. The error says why it is not taken; what is
  /// taken goes its way on the loop's thread.
  [[nodiscard]] Result<void, std::string> observe(const std::string& message);

  /// Those that this node asks and those that others tell of, by key.
  [[nodiscard]] std::vector<health::CheckState> checks() const;
  /// Null: none is kept.
  [[nodiscard]] const History* history() const noexcept { return history_.get(); }

 private:
  template <typename Change>
  void found(std::vector<Change> Evidence::* list, const Change& change);
  void take();
  void take_observations(const health::Observations& observations);
  void load_vantages(const zones::Repository& repository);
  void tell_others(bool is_changed);

  EventLoop& loop_;
  Controller& controller_;
  const EvidenceConfig config_;
  const EvidenceCallbacks callbacks_;
  std::mutex mutex_;  // the two below: found, not yet taken by the loop
  std::vector<health::VerdictChange> verdicts_;
  std::vector<health::WaverChange> wavering_;
  std::shared_ptr<const std::vector<zones::Vantage>> vantages_;  // under the mutex as well
  bool is_released_ = false;
  health::VantageChecks vantage_checks_;
  std::unique_ptr<VantageSender> sender_;  // null: nobody is told
  MonotonicTime told_at_{};
  std::unique_ptr<History> history_;
  health::Prober prober_;
};

}  // namespace demarc::tools
