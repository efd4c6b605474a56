// What became of the checks over weeks, kept over restarts: a thread that writes
// tools/history_store so that no disk keeps the control thread waiting. tools/daemon.h hands in
// what it sees.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "geo/base/moment.h"
#include "health/checks.h"
#include "tools/history_store.h"

namespace demarc::tools {

/// How often probe times are written; what a crash may cost.
inline constexpr Milliseconds history_interval{60'000};

/// A history is a help, never a duty: what cannot be written is said once in the log and left out.
class History {
 public:
  /// Opens `path`, or begins anew beside a file that is no history (kept as PATH.bad). `keep`: how
  /// long things are remembered. `restored` are the verdicts that this run begins with.
  [[nodiscard]] static std::unique_ptr<History> open(
      std::string path, Milliseconds keep, WallTime now,
      const std::map<std::string, std::string>& restored);
  /// Writes what it has.
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  /// Verdicts changed. Returns at once. Control thread.
  void note(const std::vector<health::VerdictChange>& changes, WallTime now);
  /// To be called now and then with all checks: every history_interval their probe times go on to
  /// be written, and those that are gone end there. Control thread.
  [[nodiscard]] bool wants_latencies(WallTime now) const noexcept;
  void note_latencies(const std::vector<health::CheckState>& checks, WallTime now);

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  /// What waits to be written.
  struct Batch {
    std::vector<HistoryChange> changes;
    std::vector<HistoryLatency> latencies;
    WallTime now;
  };

  History(std::string path, Milliseconds keep, HistoryStore store)
      : path_(std::move(path)), keep_(keep), store_(std::move(store)) {}
  void run(const std::stop_token& stopping);
  void write(const Batch& batch);
  void hand_in(Batch batch);

  std::string path_;
  Milliseconds keep_;
  HistoryStore store_;  // the thread's
  // Of the control thread: what was handed in of each check's times.
  std::map<std::string, health::LatencyHistogram> written_;
  std::map<std::string, std::string> verdicts_;  // as told last, of checks that are not gone
  WallTime latencies_at_{};

  std::mutex mutex_;  // the batch
  std::condition_variable_any changed_;
  Batch batch_;
  bool has_batch_ = false;
  bool has_failed_ = false;  // the thread's: said already
  WallTime forgotten_at_{};  // the thread's
  std::jthread thread_;
};

}  // namespace demarc::tools
