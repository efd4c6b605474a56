#include "health/lag_prober.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "health/lag_value.h"
#include "health/schedule.h"
#include "health/signals_blocked.h"

namespace demarc::health {
namespace {

bool asks_the_same(const zones::LagCheck& a, const zones::LagCheck& b) {
  return a.region == b.region && a.url == b.url && a.pointer == b.pointer &&
         a.probe_at == b.probe_at && a.interval == b.interval && a.timeout == b.timeout;
}

}  // namespace

std::vector<zones::LagCheck> build_lag_checks(const zones::Repository& repository) {
  std::vector<zones::LagCheck> checks;
  for (const zones::Service& service : repository.services) {
    checks.insert(checks.end(), service.activation.lag.begin(), service.activation.lag.end());
  }
  return checks;
}

LagProber::LagProber(Options options, OnLag on_lag)
    : options_(std::move(options)), on_lag_(std::move(on_lag)), random_(options_.seed) {}

LagProber::~LagProber() { stop(); }

Result<void, SystemError> LagProber::start() {
  const SignalsBlocked blocked;
  for (std::size_t i = 0; i < lag_workers; ++i) {
    clients_.push_back(std::make_unique<HttpClient>());
    try {
      threads_.emplace_back([this, client = clients_.back().get()] { run(*client); });
    } catch (const std::system_error& error) {
      return std::unexpected(SystemError{"start a lag prober's thread", error.code().value()});
    }
  }
  return {};
}

void LagProber::stop() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  woken_.notify_all();
  for (const auto& client : clients_) client->stop();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void LagProber::replace(std::vector<zones::LagCheck> checks) {
  {
    const MonotonicTime now = options_.clock().monotonic;
    const std::scoped_lock lock(mutex_);
    auto before = std::exchange(entries_, {});
    for (zones::LagCheck& check : checks) {
      const auto known = before.find(check.key);
      const std::string key = check.key;
      if (known != before.end() && asks_the_same(known->second.check, check)) {
        entries_.emplace(key, std::move(known->second)).first->second.check = std::move(check);
      } else {
        entries_.emplace(key, Entry{std::move(check), now, false, ++generation_});
      }
    }
  }
  woken_.notify_all();
}

void LagProber::run(HttpClient& client) {
  while (const auto taken = take_due()) {
    const MonotonicTime started = options_.clock().monotonic;
    auto measured = measure(client, taken->check);
    if (finish(*taken, started)) on_lag_(std::move(measured));
  }
}

std::optional<LagProber::Entry> LagProber::take_due() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (is_stopping_) return std::nullopt;
    Entry* next = nullptr;
    for (auto& [key, entry] : entries_) {
      if (!entry.is_running && (next == nullptr || entry.due < next->due)) next = &entry;
    }
    if (next == nullptr) {
      woken_.wait(lock);
      continue;
    }
    const auto wait = next->due - options_.clock().monotonic;
    if (wait <= Milliseconds{0}) {
      next->is_running = true;
      return *next;
    }
    woken_.wait_for(lock, wait);
  }
}

bool LagProber::finish(const Entry& taken, MonotonicTime started) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(taken.check.key);
  if (is_stopping_ || found == entries_.end() || found->second.generation != taken.generation) {
    return false;
  }
  // As with probes, jitter only shortens: the interval that was written stays a bound.
  const double share = std::uniform_real_distribution<double>(1 - jitter_share, 1)(random_);
  found->second.due = started + Milliseconds(static_cast<Milliseconds::rep>(
                                    static_cast<double>(taken.check.interval.count()) * share));
  found->second.is_running = false;
  woken_.notify_one();
  return true;
}

zones::LagMeasured LagProber::measure(HttpClient& client, const zones::LagCheck& check) const {
  zones::LagMeasured measured{check.key, std::nullopt, {}};
  const auto answer = client.send({.url = check.url,
                                   .headers = {{"Accept", "application/json"}},
                                   .timeout = check.timeout,
                                   .ca_file = options_.ca_file,
                                   .connect_to = check.probe_at});
  if (!answer) {
    measured.detail = answer.error();
  } else if (answer->status != 200) {
    measured.detail = fmt::format("HTTP {}", answer->status);
  } else if (const auto lag = read_lag(answer->body, check.pointer)) {
    measured.value = *lag;
    measured.detail = fmt::format("{} at {}", *lag, check.pointer);
  } else {
    measured.detail = lag.error();
  }
  return measured;
}

}  // namespace demarc::health
