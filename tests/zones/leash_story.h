// Steering with one service of many checked records, on a clock of the test's own.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tests/zones/claims_at.h"
#include "tests/zones/world.h"
#include "zones/steering.h"
#include "zones/time_text.h"
#include "zones/token.h"

namespace demarc::zones::testing {

using namespace std::chrono_literals;
using Records = std::set<std::size_t>;

/// Everything off but what a test names.
inline LeashSettings loose() {
  LeashSettings leash;
  leash.removed_per_minute = 100;
  leash.failback_delay = 0ms;
  return leash;
}

/// `count` records of weight 100 in eu, each with a check of its own.
inline Service pool(std::size_t count, LeashSettings leash = {}) {
  std::vector<Record> records;
  for (std::size_t i = 0; i < count; ++i) {
    records.push_back(record(eu, 100, fmt::format("e{}.example.net", i)));
  }
  Service made = service("api", Residency::hard, std::move(records));
  for (std::size_t i = 0; i < count; ++i) add_check(made, i);
  made.leash = leash;
  return made;
}

/// Most of a test's few endpoints failing is no fault of ours here.
inline Policy unguarded() {
  Policy policy = small_policy();
  policy.mass_failure.share = 100;
  return policy;
}

/// A policy in which one person may approve anything.
inline Policy approved_by(const KeyPair& key) {
  Policy policy = unguarded();
  policy.approvals =
      Approvals{.audience = "prod-dns",
                .max_duration = 24h,
                .keys = {{"legal-1", "anna", "legal", KeyAlgorithm::EdDSA, key.public_key_pem, {}}},
                .rules = {{"*", Mode::full_write, {{"legal", 1}}}}};
  return policy;
}

class LeashStory {
 public:
  explicit LeashStory(Service made, Policy policy = unguarded(), SteeringState restored = {})
      : steering(std::move(restored)) {
    load(std::move(made), std::move(policy));
  }

  template <typename What>
  Effects& happens(What what) {
    effects = steering.step(Event{clock, std::move(what)});
    note();
    return effects;
  }
  void pass(Milliseconds time) {
    clock.wall += time;
    clock.monotonic += time;
  }
  /// Lets time pass as the daemon does: steering is woken when it asked for it.
  void pass_with_timers(Milliseconds time) {
    const WallTime end = clock.wall + time;
    while (effects.timer && *effects.timer <= end) {
      pass(std::max(*effects.timer - clock.wall, Milliseconds{0}));
      happens(TimerFired{});
    }
    pass(end - clock.wall);
  }
  void load(Service made, Policy policy = unguarded()) {
    configuration = configuration_of(repository_of({std::move(made)}, std::move(policy)));
    happens(ConfigurationLoaded{configuration, "test"});
  }
  [[nodiscard]] const Service& service() const { return configuration->repository->services[0]; }
  void found(std::size_t check, Verdict verdict) {
    happens(VerdictFound{service().checks[check].key, verdict, "sim"});
  }
  /// That person lets api go from eu to us for some hours.
  void grant(const KeyPair& key, std::optional<unsigned> share = {}) {
    Claims claims = claims_at(clock.wall, "t1");
    claims.expires = claims.issued_at + 5h;
    claims.max_share = share;
    happens(TokenPresented{
        *issue_token(claims, "legal-1", KeyAlgorithm::EdDSA, key.private_key_pem), "ops"});
  }
  /// What the rest gets where a choice is a share.
  [[nodiscard]] const Choice& rest() const {
    return steering.published(ServiceId{0})->choices()[choice().otherwise];
  }
  void down(std::size_t check) { found(check, Verdict::down); }
  void up(std::size_t check) { found(check, Verdict::up); }

  /// The records that answer a client in Germany.
  [[nodiscard]] std::set<std::size_t> answering() const {
    std::set<std::size_t> records;
    for (const WeightedRecord& r : choice().records) records.insert(index_of(r.record));
    return records;
  }
  [[nodiscard]] std::uint16_t weight(std::size_t record) const {
    for (const WeightedRecord& r : choice().records) {
      if (index_of(r.record) == record) return r.weight;
    }
    return 0;
  }
  [[nodiscard]] const Choice& choice() const {
    const ClearedWeights& cleared = *steering.published(ServiceId{0});
    const Variant variant =
        evaluate_route(configuration->repository->policy, service(), in("DE"), {});
    const auto variants = configuration->views->variants(service().view);
    const auto at =
        static_cast<std::size_t>(std::ranges::find(variants, variant) - variants.begin());
    return cleared.choices()[cleared.choice_of_variant()[at]];
  }
  [[nodiscard]] bool raised(const std::string& key) const {
    return std::ranges::any_of(effects.alerts_raised,
                               [&](const Alert& alert) { return alert.key == key; });
  }
  [[nodiscard]] bool ended(const std::string& key) const {
    return std::ranges::count(effects.alerts_ended, key) != 0;
  }
  [[nodiscard]] bool told(const std::string& kind) const {
    return std::ranges::count(effects.audit, kind, &AuditEntry::kind) != 0;
  }
  /// Killed and started again from its file.
  void restart() {
    steering = Steering(parse_state(write_state(steering.state())).value());
    happens(ConfigurationLoaded{configuration, "start"});
  }

  Moment clock{*parse_rfc3339("2026-11-23T12:00:00Z"), MonotonicTime(std::chrono::hours(1))};
  Steering steering;
  std::shared_ptr<const Configuration> configuration;
  Effects effects;
  std::vector<std::pair<WallTime, std::set<std::size_t>>> history;  // who answered from when on

 private:
  void note() {
    if (steering.published(ServiceId{0}) == nullptr) return;
    const auto now = answering();
    if (history.empty() || history.back().second != now) history.emplace_back(clock.wall, now);
  }
};

}  // namespace demarc::zones::testing
