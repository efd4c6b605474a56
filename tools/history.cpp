#include "tools/history.h"

#include <cstdio>
#include <iterator>
#include <utility>

#include "tools/log.h"
#include "zones/verdict.h"

namespace demarc::tools {
namespace {

// A disk that hangs must not make the queue grow for ever.
constexpr std::size_t waiting_max = 200'000;
constexpr Milliseconds forget_interval{std::chrono::hours{1}};

/// A file of another kind is put aside; nothing comes back if there can be no history.
std::optional<HistoryStore> open_store(const std::string& path) {
  auto store = HistoryStore::open(path, HistoryStore::Access::write);
  if (store) return std::move(*store);
  log_warning("history-unreadable path={} error=\"{}\"", path, store.error());
  for (const char* const part : {"-wal", "-shm"}) std::remove((path + part).c_str());
  if (std::rename(path.c_str(), (path + ".bad").c_str()) != 0) return std::nullopt;
  store = HistoryStore::open(path, HistoryStore::Access::write);
  if (store) return std::move(*store);
  log_warning("history-off path={} error=\"{}\"", path, store.error());
  return std::nullopt;
}

}  // namespace

std::unique_ptr<History> History::open(std::string path, Milliseconds keep, WallTime now,
                                       const std::map<std::string, std::string>& restored) {
  auto store = open_store(path);
  if (!store) return nullptr;
  Batch first{.changes = {}, .latencies = {}, .now = now};
  if (const auto alive = store->last_alive(); alive && *alive) {
    first.changes.push_back({**alive, "", "", history_stopped, ""});
  }
  for (const auto& [check, verdict] : restored) {
    first.changes.push_back({now, check, "unknown", verdict, "believed since before the start"});
  }
  std::unique_ptr<History> history(new History(std::move(path), keep, std::move(*store)));
  history->latencies_at_ = now;
  history->verdicts_ = restored;
  history->hand_in(std::move(first));
  history->thread_ = std::jthread(
      [self = history.get()](const std::stop_token& stopping) { self->run(stopping); });
  return history;
}

History::~History() = default;  // the thread's end writes what is left

void History::note(const std::vector<health::VerdictChange>& changes, WallTime now) {
  Batch batch{.changes = {}, .latencies = {}, .now = now};
  for (const health::VerdictChange& change : changes) {
    const std::string to(zones::to_text(change.to));
    batch.changes.push_back(
        {change.at.wall, change.key, std::string(zones::to_text(change.from)), to, change.detail});
    verdicts_.insert_or_assign(change.key, to);
  }
  hand_in(std::move(batch));
}

bool History::wants_latencies(WallTime now) const noexcept {
  return now >= latencies_at_ + history_interval || now < latencies_at_;
}

void History::note_latencies(const std::vector<health::CheckState>& checks, WallTime now) {
  latencies_at_ = now;
  Batch batch{.changes = {}, .latencies = {}, .now = now};
  std::map<std::string, health::LatencyHistogram> known;
  for (const health::CheckState& check : checks) {
    const auto before = written_.find(check.key);
    const auto& now_counts = check.latencies.counts();
    for (std::size_t bucket = 0; bucket < now_counts.size(); ++bucket) {
      std::uint64_t count = now_counts[bucket];
      const std::uint64_t was = before == written_.end() ? 0 : before->second.counts()[bucket];
      if (was <= count) count -= was;  // else its target began anew
      if (count != 0) batch.latencies.push_back({check.key, day_of(now), bucket, count});
    }
    known.emplace(check.key, check.latencies);
  }
  written_ = std::move(known);
  std::erase_if(verdicts_, [&](const auto& told) {
    if (written_.contains(told.first)) return false;
    batch.changes.push_back({now, told.first, told.second, history_removed, ""});
    return true;
  });
  hand_in(std::move(batch));
}

void History::hand_in(Batch batch) {
  {
    const std::scoped_lock lock(mutex_);
    if (batch_.changes.size() + batch_.latencies.size() > waiting_max) return;
    std::ranges::move(batch.changes, std::back_inserter(batch_.changes));
    std::ranges::move(batch.latencies, std::back_inserter(batch_.latencies));
    batch_.now = batch.now;
    has_batch_ = true;
  }
  changed_.notify_one();
}

void History::run(const std::stop_token& stopping) {
  while (true) {
    Batch batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stopping, [this] { return has_batch_; });
      if (!has_batch_) return;  // asked to stop, and all is written
      batch = std::exchange(batch_, {});
      has_batch_ = false;
    }
    write(batch);
  }
}

void History::write(const Batch& batch) {
  auto done = store_.add(batch.changes, batch.latencies, batch.now);
  if (done && batch.now >= forgotten_at_ + forget_interval) {
    forgotten_at_ = batch.now;
    done = store_.forget_before(batch.now - keep_);
  }
  if (done || has_failed_) return;
  has_failed_ = true;
  log_warning("history-not-written error=\"{}\"", done.error());
}

}  // namespace demarc::tools
