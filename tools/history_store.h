// The history of checks as a file (SQLite): their changes of verdict, and how long their probes
// took, by day. tools/history.h writes it beside the control thread, tools/history_report.h reads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "health/latency_histogram.h"

struct sqlite3;

namespace demarc::tools {

/// The server was not there from `at` on: no check of it, all changes `to` this.
inline constexpr const char* history_stopped = "stopped";
/// The configuration has no such check any more.
inline constexpr const char* history_removed = "removed";

/// A check's verdict changed. An empty `check` stands for all of them, at a stop.
struct HistoryChange {
  WallTime at;
  std::string check;
  std::string from, to;  // verdicts, as zones/verdict.h names them
  std::string detail;

  auto operator<=>(const HistoryChange&) const = default;
};

/// Probes of one check on one UTC day that took as long as a bucket says (latency_histogram.h).
struct HistoryLatency {
  std::string check;
  std::int64_t day = 0;  // since 1970
  std::size_t bucket = 0;
  std::uint64_t count = 0;

  auto operator<=>(const HistoryLatency&) const = default;
};

/// One thread. Errors say what SQLite says; nothing of a failed call is kept.
class HistoryStore {
 public:
  enum class Access : bool { read, write };

  /// To write: made if there is none.
  [[nodiscard]] static Result<HistoryStore, std::string> open(const std::string& path,
                                                              Access access);

  /// All of it, or nothing; and that the server was there `now`.
  [[nodiscard]] Result<void, std::string> add(std::span<const HistoryChange> changes,
                                              std::span<const HistoryLatency> latencies,
                                              WallTime now);
  /// Forgets what came before.
  [[nodiscard]] Result<void, std::string> forget_before(WallTime moment);
  /// When the server was last there; nothing: this history begins.
  [[nodiscard]] Result<std::optional<WallTime>, std::string> last_alive();

  /// From `since` on in the order of time, and before these the last one of each check (and the
  /// last stop) before it.
  [[nodiscard]] Result<std::vector<HistoryChange>, std::string> changes(WallTime since);
  /// Of the days that `since` and later lie in.
  [[nodiscard]] Result<std::vector<HistoryLatency>, std::string> latencies(WallTime since);

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  using Database = std::unique_ptr<sqlite3, Close>;
  explicit HistoryStore(Database database) : database_(std::move(database)) {}
  [[nodiscard]] Result<void, std::string> run(const char* sql);
  [[nodiscard]] Result<void, std::string> add_rows(std::span<const HistoryChange> changes,
                                                   std::span<const HistoryLatency> latencies,
                                                   WallTime now);

  Database database_;
};

/// The UTC day that a moment lies in, since 1970.
[[nodiscard]] std::int64_t day_of(WallTime moment) noexcept;

}  // namespace demarc::tools
