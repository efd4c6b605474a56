// The hand that carries out what steering decides: trail first, state next, then the answers. It
// decides nothing itself; when the disk fails, it tells steering and does what steering says then.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "zones/audit/log.h"
#include "zones/state_store.h"
#include "zones/steering.h"

namespace demarc::tools {

/// Entries kept in memory while the trail cannot be written; beyond it the oldest are lost,
/// counted.
inline constexpr std::size_t audit_backlog_max = 100'000;

/// The last entries stay in memory for a live drill's report.
inline constexpr std::size_t recent_entries_max = 2000;

/// How long a verdict may wait to be saved; nothing that concerns a border ever waits.
inline constexpr Milliseconds lazy_save_after{1000};

/// A trail that cannot be opened is tried again after this, doubled each time up to the longest:
/// opening reads what may be much.
inline constexpr Milliseconds open_again_first{1'000};
inline constexpr Milliseconds open_again_longest{60'000};

struct ControllerPaths {
  std::string audit;
  std::string node;
  std::map<std::string, std::string> jurisdictions = {};  // folders of their logs
  std::string key = {};  // PEM file of the log key, made if it is not there; empty: no checkpoints
  std::string origin = {};
  std::uint64_t rotate_bytes = std::uint64_t{64} << 20;
  Milliseconds retention{0};  // 0: for ever
  Milliseconds checkpoint_interval{std::chrono::hours{1}};
};

/// Who else wants to know what steering asks for; an empty one is not called.
struct ControllerListener {
  std::function<void(const zones::Alert&)> alert_raised;  // also when it says the same as before
  std::function<void(const std::string& key)> alert_ended;
  std::function<void(zones::AdviceWanted)> advice_wanted;
};

/// Control thread only.
class Controller {
 public:
  using Publish = std::function<void(std::span<const zones::ClearedWeights>, Moment now)>;

  Controller(zones::SteeringState restored, std::unique_ptr<zones::StateStore> store,
             ControllerPaths paths, std::function<Moment()> clock, Publish publish);

  /// Feeds steering what happened together and carries out what it wants.
  std::optional<zones::Reply> happen(std::vector<decltype(zones::Event::what)> what);
  std::optional<zones::Reply> happen_one(decltype(zones::Event::what) what) {
    return happen({std::move(what)});
  }

  /// From now on; alerts that stand already are told at once.
  void listen(ControllerListener listener);

  /// To be called about once a second: tries a broken disk again, saves what may wait.
  void maintain();
  /// The same at the end: a broken trail is tried now, however often it failed.
  void maintain_last();
  /// Saves what is not saved yet; at the end.
  void save_now();
  /// A signed checkpoint of the trail as it is, unless the last one says the same.
  void checkpoint_now();
  /// Keeps the text of a policy beside the trail, so that an auditor can read what was in force.
  /// Does nothing for a digest that is kept already.
  void keep_policy(const std::string& digest,
                   const std::vector<std::pair<std::string, std::string>>& files);

  /// When happen(TimerFired) is due next.
  [[nodiscard]] std::optional<WallTime> timer() const noexcept { return timer_; }
  [[nodiscard]] const zones::Steering& steering() const noexcept { return steering_; }
  [[nodiscard]] zones::Steering& steering() noexcept { return steering_; }
  [[nodiscard]] const std::map<std::string, zones::Alert>& alerts() const noexcept {
    return alerts_;
  }
  /// Crossings that the gate held back since the start, by the rule that did.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& denied() const noexcept {
    return denied_;
  }
  /// The last entries, oldest first, and how many there were before them in this process's life.
  [[nodiscard]] const std::deque<zones::AuditEntry>& recent_entries() const noexcept {
    return recent_;
  }
  [[nodiscard]] std::uint64_t entries_before_recent() const noexcept { return before_recent_; }
  void raise(zones::Alert alert);
  void end_alert(const std::string& key);
  /// Entries on disk; those that wait for it.
  [[nodiscard]] std::uint64_t audit_size() const noexcept { return log_ ? log_->size() : 0; }
  [[nodiscard]] std::size_t audit_waiting() const noexcept { return backlog_.size(); }

 private:
  void carry_out(zones::Effects effects);
  [[nodiscard]] Result<void, SystemError> open_log();
  [[nodiscard]] bool open_log_again(MonotonicTime now);
  void keep_trail();
  [[nodiscard]] Result<void, SystemError> append(const std::vector<zones::AuditEntry>& entries);
  [[nodiscard]] Result<void, SystemError> save();
  void count_denied(const std::vector<zones::AuditEntry>& entries);
  void keep_for_later(const std::vector<zones::AuditEntry>& entries);

  zones::Steering steering_;
  std::unique_ptr<zones::StateStore> store_;
  ControllerPaths paths_;
  std::function<Moment()> clock_;
  Publish publish_;
  std::optional<zones::AuditLog> log_;
  std::deque<zones::AuditEntry> backlog_;
  std::uint64_t backlog_lost_ = 0;
  std::deque<zones::AuditEntry> recent_;
  std::uint64_t before_recent_ = 0;
  bool disk_is_broken_ = false;
  Milliseconds open_again_after_ = open_again_first;
  MonotonicTime open_again_at_{};
  bool is_forgotten_ = false;   // the last thing that had to be saved could not be
  MonotonicTime stepped_at_{};  // when the step that is carried out happened
  bool state_is_dirty_ = false;
  MonotonicTime saved_at_{};
  MonotonicTime checkpoint_at_{};
  std::optional<MonotonicTime> retention_at_;
  std::optional<WallTime> timer_;
  std::map<std::string, zones::Alert> alerts_;
  std::map<std::string, std::uint64_t> denied_;
  ControllerListener listener_;
};

}  // namespace demarc::tools
