// Asks replicas how far they are behind, again and again, and hands on what they say: what
// zones::LagCheck names is fetched (health/http_request.h) and read (health/lag_value.h). What a
// lag means for a crossing is decided in zones/steering.h; tools/outside_world.h owns this.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "health/http_request.h"
#include "zones/events.h"

namespace demarc::health {

/// Requests at once; the others wait, the longest overdue first. Each worker is one thread.
inline constexpr std::size_t lag_workers = 4;

/// Every lag check of a repository.
[[nodiscard]] std::vector<zones::LagCheck> build_lag_checks(const zones::Repository& repository);

class LagProber {
 public:
  using OnLag = std::function<void(zones::LagMeasured)>;

  struct Options {
    std::string ca_file;            // PEM; empty: the system's
    std::function<Moment()> clock;  // called from every thread
    std::uint64_t seed = 0;         // of the jitter
  };

  /// `on_lag` is called from the prober's threads; it should only hand over and return. It comes
  /// for every measurement, good or not, of a check that is in the present configuration.
  LagProber(Options options, OnLag on_lag);
  ~LagProber();  // stops
  LagProber(const LagProber&) = delete;
  LagProber& operator=(const LagProber&) = delete;

  [[nodiscard]] Result<void, SystemError> start();

  /// The checks of a new configuration: what did not change keeps its time, what is new is asked at
  /// once, what is gone is never reported again. Returns at once.
  void replace(std::vector<zones::LagCheck> checks);

  void stop() noexcept;

 private:
  struct Entry {
    zones::LagCheck check;
    MonotonicTime due{};
    bool is_running = false;
    std::uint64_t generation = 0;  // of this check's content, so that a late answer is known
  };
  void run(HttpClient& client);
  /// A check that is due, marked as running; waits for one. Nothing: it is the end.
  [[nodiscard]] std::optional<Entry> take_due();
  [[nodiscard]] bool finish(const Entry& taken, MonotonicTime started);
  [[nodiscard]] zones::LagMeasured measure(HttpClient& client, const zones::LagCheck& check) const;

  const Options options_;
  const OnLag on_lag_;
  std::mutex mutex_;  // the five below; never held during a request
  std::condition_variable woken_;
  std::map<std::string, Entry> entries_;  // by key
  std::mt19937_64 random_;
  std::uint64_t generation_ = 0;
  bool is_stopping_ = false;
  std::vector<std::unique_ptr<HttpClient>> clients_;
  std::vector<std::thread> threads_;
};

}  // namespace demarc::health
