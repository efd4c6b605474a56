// Steering's part for verdicts: when a check that is down begins to count, and when one that is
// well again is back. zones/steering_guard.cpp watches for too many at once,
// zones/steering_leash.cpp joins what is decided here with the leash on weights.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "zones/flap.h"
#include "zones/order_target.h"
#include "zones/steering.h"
#include "zones/steering_step.h"

namespace demarc::zones {
namespace {

bool is_well(Verdict verdict) { return verdict == Verdict::up || verdict == Verdict::degraded; }

/// A change between down and well, in either direction; not knowing is none.
bool is_flap(Verdict before, Verdict now) {
  return (before == Verdict::down && is_well(now)) || (is_well(before) && now == Verdict::down);
}

void add_penalty(CheckState& check, const FlapSettings& settings, WallTime now) {
  const std::uint32_t left = decayed(check.penalty, now - check.penalty_at, settings);
  check.penalty = penalty_after_change(left, settings);
  check.penalty_at = now;
}

/// Whether it begins or ends to count as degraded; not knowing does neither.
bool note_degraded(CheckState& check) {
  if (check.verdict == Verdict::unknown || check.verdict == Verdict::stale) return false;
  const bool is_degraded = check.verdict == Verdict::degraded;
  return std::exchange(check.degraded, is_degraded) != is_degraded;
}

}  // namespace

void Steering::on(Step& step, const VerdictFound& event) {
  const auto found = state_.checks.find(event.check);
  if (found == state_.checks.end()) return;  // of a configuration that is gone
  CheckState& check = found->second;
  const Verdict before = check.verdict;
  const auto& services = services_of_check_.at(event.check);
  check.verdict = event.verdict;
  check.detail = event.detail;
  step.out.state_changed = true;
  if (before != event.verdict) {
    check.since = step.now;
    note_endpoint(event.check, check);
    step.verdicts_moved = true;
    const LeashSettings& leash = configuration_->repository->service(services.front()).leash;
    if (leash.flap && is_flap(before, event.verdict)) add_penalty(check, *leash.flap, step.now);
  }
  switch (event.verdict) {
    case Verdict::up:
    case Verdict::degraded:
      if (check.failing) {
        begin_return(step, event.check, check);
      } else if (!check.failing_since && !check.degraded && event.verdict == Verdict::up &&
                 !is_waited_for(services)) {
        return;
      }
      check.failing_since.reset();
      break;
    case Verdict::down:
      if (check.failing) return;
      if (!check.failing_since) check.failing_since = step.now;
      break;  // act_on_health() decides when it counts
    case Verdict::unknown:
    case Verdict::stale:
      return;  // not knowing moves nothing, in either direction
  }
  step.touched.insert(services.begin(), services.end());
}

void Steering::on(Step& step, const CheckWavered& event) {
  const auto found = state_.checks.find(event.check);
  if (found == state_.checks.end() || found->second.wavers == event.wavers) return;
  found->second.wavers = event.wavers;
  for (const ServiceId id : services_of_check_.at(event.check)) {
    const Service& service = configuration_->repository->service(id);
    if (service.ttl_min < service.ttl) step.touched.insert(id);
  }
}

/// The next timer, or now where a check is down or about to change: what it waits for may come with
/// the next probe. Nobody asks where the TTL does not follow.
std::optional<WallTime> Steering::may_change_at(const Service& service,
                                                std::optional<WallTime> due) const {
  if (service.ttl_min >= service.ttl) return std::nullopt;
  const bool is_under_way = std::ranges::any_of(service.checks, [this](const HealthCheck& check) {
    const auto known = state_.checks.find(check.key);
    return known != state_.checks.end() && (known->second.wavers || known->second.failing ||
                                            known->second.verdict == Verdict::down);
  });
  if (is_under_way) return WallTime{};
  for (const auto& [id, order] : state_.orders) {
    if (std::ranges::any_of(service.records, [&](const Record& record) {
          return applies(order, service, record, *configuration_->repository);
        })) {
      due = std::min(due.value_or(order.ends), order.ends);
    }
  }
  return due;
}

/// Whether a crossing of one of them waits for its steps: for a target to be found up, perhaps.
bool Steering::is_waited_for(const std::vector<ServiceId>& services) const {
  return std::ranges::any_of(services, [&](ServiceId id) {
    const auto& owner = configuration_->repository->service(id).owner;
    const auto told = state_.told.find(owner.text_without_dot());
    return told != state_.told.end() && !told->second.waits.empty();
  });
}

/// It counts as well from now on, but its record may be kept out for a while.
void Steering::begin_return(Step& step, const std::string& key, CheckState& check) {
  check.failing = false;
  const Repository& repository = *configuration_->repository;
  const auto& services = services_of_check_.at(key);
  const Service& named = repository.service(services.front());
  const LeashSettings& leash = named.leash;
  Milliseconds delay{0};
  if (named.residency != Residency::none) delay = leash.failback_delay;
  if (leash.flap) delay = std::max(delay, suppressed_for(check.penalty, *leash.flap));
  check.returns.reset();
  if (delay > Milliseconds::zero()) check.returns = step.now + delay;
  if (!leash.failback_by_hand) return;
  for (const ServiceId id : services) {
    const Service& service = repository.service(id);
    const std::string owner = service.owner.text_without_dot();
    const auto told = state_.told.find(owner);
    if (told == state_.told.end() || told->second.crossings.empty()) continue;
    const auto at = std::ranges::find(service.checks, key, &HealthCheck::key);
    const Record& record = service.record(at->record);
    const std::string& region = repository.policy.region(record.region).name;
    const bool was_left = std::ranges::any_of(told->second.left, [&](const std::string& left) {
      return ("," + left + ",").find("," + region + ",") != std::string::npos;
    });
    if (was_left) state_.leashes[owner].kept_away.insert(key);
  }
}

bool Steering::acts_on_health() const {
  if (state_.freeze) return false;
  return !state_.mass_failure || !state_.mass_failure->overruled_by.empty();
}

/// Checks of touched services that have been down for long enough count from now on.
void Steering::act_on_health(Step& step) {
  if (!configuration_ || !acts_on_health()) return;
  const Repository& repository = *configuration_->repository;
  std::set<ServiceId> more;  // tenants' classes share their service's checks
  for (const ServiceId id : step.touched) {
    const Service& service = repository.service(id);
    for (const HealthCheck& check : service.checks) {
      CheckState& known = state_.checks.at(check.key);
      if (note_degraded(known)) {
        step.out.state_changed = true;
        const auto& services = services_of_check_.at(check.key);
        more.insert(services.begin(), services.end());
      }
      if (known.verdict != Verdict::down || known.failing) continue;
      if (known.since + service.leash.failover_delay > step.now) continue;
      known.failing = true;
      known.failing_since = step.now;
      known.returns.reset();
      step.out.state_changed = true;
      const auto& services = services_of_check_.at(check.key);
      more.insert(services.begin(), services.end());
    }
  }
  step.touched.merge(more);
}

std::optional<WallTime> Steering::next_failover(const Service& service) const {
  std::optional<WallTime> next;
  if (!acts_on_health()) return next;
  for (const HealthCheck& check : service.checks) {
    const auto known = state_.checks.find(check.key);
    if (known == state_.checks.end() || known->second.failing) continue;
    if (known->second.verdict != Verdict::down) continue;
    const WallTime due = known->second.since + service.leash.failover_delay;
    next = std::min(next.value_or(due), due);
  }
  return next;
}

Steering::Waiting Steering::delayed_returns(const Service& service) const {
  Waiting waiting{
      .checks = std::vector<bool>(service.checks.size(), false), .until = {}, .holds = {}};
  for (std::size_t i = 0; i < service.checks.size(); ++i) {
    const auto known = state_.checks.find(service.checks[i].key);
    if (known == state_.checks.end() || known->second.failing) continue;
    const CheckState& check = known->second;
    if (!check.returns || *check.returns <= state_.trusted_wall) continue;
    waiting.checks[i] = true;
    waiting.until = std::min(waiting.until.value_or(*check.returns), *check.returns);
    const bool flaps = service.leash.flap && check.penalty > service.leash.flap->suppress;
    waiting.holds.push_back({service.checks[i].record,
                             flaps ? LeashHold::Kind::flap : LeashHold::Kind::failback_delay,
                             check.returns});
  }
  return waiting;
}

Steering::Waiting Steering::kept_away(const Service& service, const LeashState& leash) const {
  Waiting waiting{
      .checks = std::vector<bool>(service.checks.size(), false), .until = {}, .holds = {}};
  if (!service.leash.failback_by_hand) return waiting;
  for (std::size_t i = 0; i < service.checks.size(); ++i) {
    if (!leash.kept_away.contains(service.checks[i].key)) continue;
    if (is_failing(service.checks[i].key)) continue;
    waiting.checks[i] = true;
    waiting.holds.push_back(
        {service.checks[i].record, LeashHold::Kind::failback_by_hand, std::nullopt});
  }
  return waiting;
}

}  // namespace demarc::zones
