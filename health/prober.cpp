// The loop: take a reload, start what is due, wait, note what came, look at ages.
#include "health/prober.h"

#include <algorithm>
#include <cassert>
#include <system_error>
#include <utility>

#include "health/signals_blocked.h"

namespace demarc::health {
namespace {

/// Who bears the load of a probe.
std::string host_of(const Probe& probe) {
  return probe.addresses.empty() ? probe.host : geo::to_text(probe.addresses.front());
}

}  // namespace

Prober::Prober(ProberConfig config, ProberCallbacks callbacks)
    : config_(std::move(config)), callbacks_(std::move(callbacks)), schedule_(config_.seed) {
  assert(config_.clock && callbacks_.on_verdict && callbacks_.on_first_round_done);
}

Prober::~Prober() { stop(); }

void Prober::seed(std::string key, zones::Verdict verdict) {
  const std::scoped_lock lock(mutex_);
  seeds_.emplace_back(std::move(key), verdict);
}

Result<void, SystemError> Prober::start(std::vector<ProbeTarget> targets,
                                        std::vector<CalculatedCheck> calculated) {
  assert(!transfers_);
  auto transfers = Transfers::create(config_.transfers);
  if (!transfers) return std::unexpected(transfers.error());
  transfers_ = std::move(*transfers);
  replacement_ = Replacement{std::move(targets), std::move(calculated)};
  last_tick_.store(config_.clock().monotonic.time_since_epoch().count());
  const SignalsBlocked blocked;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return std::unexpected(SystemError{"start the prober's thread", error.code().value()});
  }
  return {};
}

void Prober::replace(std::vector<ProbeTarget> targets, std::vector<CalculatedCheck> calculated) {
  {
    const std::scoped_lock lock(mutex_);
    replacement_ = Replacement{std::move(targets), std::move(calculated)};
  }
  if (transfers_) transfers_->wake();
}

void Prober::stop() noexcept {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  transfers_->wake();
  thread_.join();
  transfers_.reset();
}

std::vector<CheckState> Prober::snapshot() const {
  const Moment now = config_.clock();
  const std::scoped_lock lock(mutex_);
  return checks_.snapshot(now);
}

MonotonicTime Prober::last_tick() const noexcept {
  return MonotonicTime(Milliseconds(last_tick_.load(std::memory_order_relaxed)));
}

void Prober::run() {
  Moment now = config_.clock();
  for (;;) {
    {
      const std::scoped_lock lock(mutex_);
      if (is_stopping_) break;
    }
    take_replacement(now);
    start_due(now);
    report_first_round();

    const Milliseconds planned = time_to_wait(now.monotonic);
    const auto finished = transfers_->wait(planned);
    const Moment before = std::exchange(now, config_.clock());
    last_tick_.store(now.monotonic.time_since_epoch().count(), std::memory_order_relaxed);
    const bool is_late = now.monotonic - before.monotonic > planned + stall_limit;
    take(finished, is_late, now);
    look_at_ages(now);
  }
}

/// Not at every turn: with ten thousand targets there are a thousand turns a second, and each looks
/// at all of them.
void Prober::look_at_ages(const Moment& now) {
  if (now.monotonic - ages_seen_ < tick_interval) return;
  ages_seen_ = now.monotonic;
  std::vector<VerdictChange> aged;
  {
    const std::scoped_lock lock(mutex_);
    aged = checks_.check_ages(now);
  }
  report(aged);
}

void Prober::take_replacement(const Moment& now) {
  Checks::Replaced replaced;
  {
    const std::scoped_lock lock(mutex_);
    if (!replacement_) return;
    for (auto& [key, verdict] : std::exchange(seeds_, {})) checks_.seed(std::move(key), verdict);
    replaced =
        checks_.replace(std::move(replacement_->targets), now, std::move(replacement_->calculated));
    replacement_.reset();
  }
  const auto is_kept = [this](TargetId target) { return checks_.find(target) != nullptr; };
  schedule_.retain(is_kept);
  for (auto& [host, load] : hosts_) {
    std::erase_if(load.waiting, [&](TargetId target) { return !is_kept(target); });
  }
  for (auto at = started_.begin(); at != started_.end();) {
    if (is_kept(at->first)) {
      ++at;
      continue;
    }
    transfers_->cancel(at->first);
    leave_host(at->second.host, now.monotonic);
    at = started_.erase(at);
  }
  transfers_->retain(is_kept);
  schedule_.add(replaced.added, now.monotonic);
  report(replaced.changes);
}

void Prober::start_due(const Moment& now) {
  while (transfers_->in_flight() < config_.in_flight_max) {
    const auto target = schedule_.take_due(now.monotonic);
    if (!target) return;
    const Probe& probe = *checks_.find(*target);
    std::string host = host_of(probe);
    HostLoad& load = hosts_[host];
    if (load.running >= config_.per_host_max) {
      load.waiting.push_back(*target);
      continue;
    }
    ++load.running;
    started_.insert_or_assign(*target, Started{now.monotonic, std::move(host)});
    transfers_->start(*target, probe);
  }
}

void Prober::leave_host(const std::string& host, MonotonicTime now) {
  const auto found = hosts_.find(host);
  HostLoad& load = found->second;
  --load.running;
  if (!load.waiting.empty()) {
    schedule_.plan_at(load.waiting.front(), now);
    load.waiting.pop_front();
  } else if (load.running == 0) {
    hosts_.erase(found);
  }
}

Milliseconds Prober::time_to_wait(MonotonicTime now) const {
  const auto due = schedule_.next_due();
  if (!due || transfers_->in_flight() >= config_.in_flight_max) return tick_interval;
  return std::clamp<Milliseconds>(*due - now, Milliseconds{0}, tick_interval);
}

void Prober::take(const std::vector<FinishedProbe>& finished, bool is_late, const Moment& now) {
  for (const auto& [target, result, is_timeout] : finished) {
    const auto [started, host] = std::move(started_.at(target));
    started_.erase(target);
    leave_host(host, now.monotonic);
    if (is_timeout && is_late) {
      schedule_.plan_at(target, now.monotonic);
      continue;
    }
    schedule_.plan_next(target, checks_.find(target)->timing.interval, started);
    std::vector<VerdictChange> changes;
    {
      const std::scoped_lock lock(mutex_);
      changes = checks_.note(target, result, now);
    }
    report(changes);
  }
}

void Prober::report(const std::vector<VerdictChange>& changes) {
  for (const VerdictChange& change : changes) callbacks_.on_verdict(change);
  // Only this thread changes the checks, and nobody else looks at these.
  for (const WaverChange& change : checks_.take_wavering()) {
    if (callbacks_.on_wavering) callbacks_.on_wavering(change);
  }
}

void Prober::report_first_round() {
  // Only this thread changes the checks, so it reads them without the lock.
  if (is_first_round_reported_ || !checks_.is_first_round_done()) return;
  is_first_round_reported_ = true;
  callbacks_.on_first_round_done();
}

}  // namespace demarc::health
