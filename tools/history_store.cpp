#include "tools/history_store.h"

#include <string_view>
#include <utility>

#include <sqlite3.h>

namespace demarc::tools {
namespace {

constexpr int busy_timeout_ms = 2000;

// WAL, so that a reader never waits; NORMAL, so that only a checkpoint waits for the disk: a crash
// of the machine may cost the last minutes of a history, never its soundness.
constexpr const char* settings = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;";
constexpr const char* schema = R"(
  CREATE TABLE IF NOT EXISTS change(
    at_ms INTEGER NOT NULL, check_key TEXT NOT NULL, verdict_from TEXT NOT NULL,
    verdict_to TEXT NOT NULL, detail TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS change_at ON change(at_ms);
  CREATE INDEX IF NOT EXISTS change_of ON change(check_key, at_ms);
  CREATE TABLE IF NOT EXISTS latency(
    check_key TEXT NOT NULL, day INTEGER NOT NULL, bucket INTEGER NOT NULL,
    count INTEGER NOT NULL, PRIMARY KEY(check_key, day, bucket)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS alive(id INTEGER PRIMARY KEY CHECK(id = 1), at_ms INTEGER NOT NULL);
)";

std::int64_t ms(WallTime moment) { return moment.time_since_epoch().count(); }

std::unexpected<std::string> error_of(sqlite3* database) {
  return std::unexpected(std::string("history: ") + ::sqlite3_errmsg(database));
}

/// A prepared statement; what it binds outlives each run.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql) : database_(database) {
    sqlite3_stmt* made = nullptr;
    ::sqlite3_prepare_v2(database, sql, -1, &made, nullptr);
    statement_.reset(made);
  }

  void bind(int at, std::int64_t number) { ::sqlite3_bind_int64(statement_.get(), at, number); }
  void bind(int at, const std::string& text) {
    ::sqlite3_bind_text64(statement_.get(), at, text.data(), text.size(), SQLITE_STATIC,
                          SQLITE_UTF8);
  }

  /// True: there is a row. False: there is none, or no more.
  [[nodiscard]] Result<bool, std::string> step() {
    const int said = statement_ ? ::sqlite3_step(statement_.get()) : SQLITE_ERROR;
    if (said == SQLITE_ROW) return true;
    if (said == SQLITE_DONE) return false;
    return error_of(database_);
  }
  /// For the next row to be written.
  [[nodiscard]] Result<void, std::string> finish() {
    const auto said = step();
    ::sqlite3_reset(statement_.get());
    if (!said) return std::unexpected(said.error());
    return {};
  }

  [[nodiscard]] std::int64_t number(int column) const {
    return ::sqlite3_column_int64(statement_.get(), column);
  }
  [[nodiscard]] std::string text(int column) const {
    const auto* const bytes =
        reinterpret_cast<const char*>(::sqlite3_column_text(statement_.get(), column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(::sqlite3_column_bytes(statement_.get(), column))};
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { ::sqlite3_finalize(statement); }
  };
  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace

std::int64_t day_of(WallTime moment) noexcept {
  return std::chrono::floor<std::chrono::days>(moment).time_since_epoch().count();
}

void HistoryStore::Close::operator()(sqlite3* database) const noexcept {
  ::sqlite3_close_v2(database);
}

Result<HistoryStore, std::string> HistoryStore::open(const std::string& path, Access access) {
  const int flags =
      access == Access::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  sqlite3* made = nullptr;
  const int said = ::sqlite3_open_v2(path.c_str(), &made, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  HistoryStore store{Database(made)};
  if (said != SQLITE_OK) return error_of(made);
  ::sqlite3_busy_timeout(made, busy_timeout_ms);
  if (access == Access::read) return store;
  for (const char* const sql : {settings, schema}) {
    if (auto ran = store.run(sql); !ran) return std::unexpected(ran.error());
  }
  return store;
}

Result<void, std::string> HistoryStore::run(const char* sql) {
  if (::sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return error_of(database_.get());
  }
  return {};
}

Result<void, std::string> HistoryStore::add(std::span<const HistoryChange> changes,
                                            std::span<const HistoryLatency> latencies,
                                            WallTime now) {
  if (auto begun = run("BEGIN IMMEDIATE"); !begun) return begun;
  auto added = add_rows(changes, latencies, now);
  if (added) added = run("COMMIT");
  if (!added) static_cast<void>(run("ROLLBACK"));
  return added;
}

Result<void, std::string> HistoryStore::add_rows(std::span<const HistoryChange> changes,
                                                 std::span<const HistoryLatency> latencies,
                                                 WallTime now) {
  Statement change(database_.get(), "INSERT INTO change VALUES(?, ?, ?, ?, ?)");
  for (const HistoryChange& row : changes) {
    change.bind(1, ms(row.at));
    change.bind(2, row.check);
    change.bind(3, row.from);
    change.bind(4, row.to);
    change.bind(5, row.detail);
    if (auto done = change.finish(); !done) return done;
  }
  Statement latency(database_.get(),
                    "INSERT INTO latency VALUES(?, ?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET count = count + excluded.count");
  for (const HistoryLatency& row : latencies) {
    latency.bind(1, row.check);
    latency.bind(2, row.day);
    latency.bind(3, static_cast<std::int64_t>(row.bucket));
    latency.bind(4, static_cast<std::int64_t>(row.count));
    if (auto done = latency.finish(); !done) return done;
  }
  Statement alive(database_.get(), "INSERT OR REPLACE INTO alive VALUES(1, ?)");
  alive.bind(1, ms(now));
  return alive.finish();
}

Result<void, std::string> HistoryStore::forget_before(WallTime moment) {
  Statement changes(database_.get(), "DELETE FROM change WHERE at_ms < ?");
  changes.bind(1, ms(moment));
  if (auto done = changes.finish(); !done) return done;
  Statement latencies(database_.get(), "DELETE FROM latency WHERE day < ?");
  latencies.bind(1, day_of(moment));
  return latencies.finish();
}

Result<std::optional<WallTime>, std::string> HistoryStore::last_alive() {
  Statement alive(database_.get(), "SELECT at_ms FROM alive");
  const auto has = alive.step();
  if (!has) return std::unexpected(has.error());
  if (!*has) return std::nullopt;
  return WallTime(Milliseconds(alive.number(0)));
}

Result<std::vector<HistoryChange>, std::string> HistoryStore::changes(WallTime since) {
  // Of a group with max(), SQLite gives the other columns of the row that has it.
  Statement before(database_.get(),
                   "SELECT max(at_ms), check_key, verdict_from, verdict_to, detail FROM change "
                   "WHERE at_ms < ? GROUP BY check_key ORDER BY 1");
  Statement later(database_.get(),
                  "SELECT at_ms, check_key, verdict_from, verdict_to, detail FROM change "
                  "WHERE at_ms >= ? ORDER BY at_ms, rowid");
  std::vector<HistoryChange> list;
  for (Statement* const statement : {&before, &later}) {
    statement->bind(1, ms(since));
    while (true) {
      const auto has = statement->step();
      if (!has) return std::unexpected(has.error());
      if (!*has) break;
      list.push_back({WallTime(Milliseconds(statement->number(0))), statement->text(1),
                      statement->text(2), statement->text(3), statement->text(4)});
    }
  }
  return list;
}

Result<std::vector<HistoryLatency>, std::string> HistoryStore::latencies(WallTime since) {
  Statement statement(database_.get(),
                      "SELECT check_key, day, bucket, count FROM latency WHERE day >= ? "
                      "AND bucket >= 0 AND count > 0");
  statement.bind(1, day_of(since));
  std::vector<HistoryLatency> list;
  while (true) {
    const auto has = statement.step();
    if (!has) return std::unexpected(has.error());
    if (!*has) return list;
    list.push_back({statement.text(0), statement.number(1),
                    static_cast<std::size_t>(statement.number(2)),
                    static_cast<std::uint64_t>(statement.number(3))});
  }
}

}  // namespace demarc::tools
