#include "zones/leash.h"

#include <algorithm>
#include <set>

namespace demarc::zones {
namespace {

/// `removed-per-minute` does not limit a pool of fewer records with weight: one of them is more
/// than a third of it, and who is kept although it is down would answer every second client.
constexpr std::size_t removal_records_min = 4;

/// One service, what it has had, and what is decided so far.
class Leash {
 public:
  Leash(const Repository& repository, ServiceId id, Conditions conditions, const LeashState& before,
        const Answers& answers, WallTime now)
      : repository_(repository),
        service_(repository.service(id)),
        id_(id),
        conditions_(std::move(conditions)),
        before_(before),
        answers_(answers),
        now_(now),
        holds_(service_.records.size()) {
    for (const Record& record : service_.records) {
      total_ += record.weight;
      weighted_ += record.weight != 0 ? 1 : 0;
    }
    for (const Removal& removal : before.removed) {
      if (removal.at > now_ || removal.at + removal_window <= now_) continue;
      removed_.push_back(removal);
      used_ += removal.weight;
    }
  }

  LeashRuling decide() {
    const Plan wanted = plan();
    start_slowly(wanted);
    hold_removals(wanted);
    let_go_of_what_stands_alone();
    LeashRuling ruling{.conditions = conditions_, .next = {}, .holds = {}, .due = {}};
    remember(ruling);
    tell(ruling);
    return ruling;
  }

 private:
  [[nodiscard]] Plan plan() const { return make_plan(repository_, id_, conditions_); }

  [[nodiscard]] std::uint16_t base(std::size_t record) const {
    return service_.records[record].weight;
  }
  /// What the record had, at most its base weight.
  [[nodiscard]] std::uint16_t had(std::size_t record) const {
    const auto known = before_.weights.find(service_.records[record].endpoint);
    return known == before_.weights.end() ? base(record) : std::min(known->second, base(record));
  }

  WeightBounds& bounds(std::size_t record) {
    conditions_.leash.resize(service_.records.size());
    return conditions_.leash[record];
  }

  void start_slowly(const Plan& wanted) {
    if (service_.leash.slow_start <= Milliseconds::zero()) return;
    for (std::size_t i = 0; i < service_.records.size(); ++i) {
      const std::string& endpoint = service_.records[i].endpoint;
      if (wanted.weights[i] == 0 || base(i) == 0 || conditions_.is_by_order(i)) continue;
      const auto known = before_.returned.find(endpoint);
      const bool returns_now = had(i) == 0;
      if (!returns_now && known == before_.returned.end()) continue;
      const WallTime since = returns_now || known->second > now_ ? now_ : known->second;
      const auto steps = 1 + (now_ - since) * slow_start_steps / service_.leash.slow_start;
      if (steps >= slow_start_steps) continue;
      returned_[endpoint] = since;
      const auto part = static_cast<std::uint64_t>(wanted.weights[i]) *
                        static_cast<std::uint64_t>(steps) / slow_start_steps;
      bounds(i).at_most = static_cast<std::uint16_t>(std::max<std::uint64_t>(part, 1));
      const auto next = service_.leash.slow_start * steps / slow_start_steps + Milliseconds{1};
      holds_[i] = LeashHold{RecordId{static_cast<std::uint16_t>(i)}, LeashHold::Kind::slow_start,
                            since + next};
    }
  }

  void hold_removals(const Plan& wanted) {
    std::uint64_t used = used_;
    std::uint64_t left = 0;
    for (std::size_t i = 0; i < service_.records.size(); ++i) {
      const std::uint16_t after = std::min(wanted.weights[i], base(i));
      left += conditions_.is_by_order(i) ? after : std::max(had(i), after);
    }
    const auto still = answering(wanted);  // these are not removed, as remember() has it
    for (std::size_t i = 0; i < service_.records.size(); ++i) {
      const std::uint16_t after = std::min(wanted.weights[i], base(i));
      if (conditions_.is_by_order(i) || after >= had(i)) continue;
      if (after == 0 && still.contains(i)) continue;
      const std::uint64_t weight = had(i) - after;
      const unsigned percent = service_.leash.removed_per_minute;
      const bool too_fast = percent < 100 && weighted_ >= removal_records_min && used != 0 &&
                            (used + weight) * 100 > total_ * percent;
      const bool too_few = (left - weight) * 100 < total_ * service_.leash.min_healthy;
      if (too_fast || too_few) {
        keep(i, too_few ? LeashHold::Kind::min_healthy : LeashHold::Kind::velocity);
        continue;
      }
      used += weight;
      left -= weight;
    }
  }

  void keep(std::size_t record, LeashHold::Kind kind) {
    bounds(record).at_least = had(record);
    holds_[record] = LeashHold{RecordId{static_cast<std::uint16_t>(record)}, kind, {}};
  }

  [[nodiscard]] bool is_kept(std::size_t record) const {
    return !conditions_.leash.empty() && conditions_.leash[record].at_least != 0;
  }

  /// A record that is down is kept beside others that are well, never instead of them.
  void let_go_of_what_stands_alone() {
    for (bool is_settled = conditions_.leash.empty(); !is_settled;) {
      is_settled = true;
      const Plan now = plan();
      for (const ClearedWeights& cleared : answers_(now)) {
        for (const Choice* const choice : given(cleared)) {
          const bool any_is_well = std::ranges::any_of(
              choice->records, [&](const auto& r) { return now.usable[index_of(r.record)]; });
          if (any_is_well) continue;
          for (const WeightedRecord& r : choice->records) {
            is_settled &= !let_go(index_of(r.record));
          }
        }
      }
    }
  }

  bool let_go(std::size_t record) {
    if (!is_kept(record)) return false;
    conditions_.leash[record].at_least = 0;
    holds_[record].reset();
    return true;
  }

  /// Who answers anybody, by weight or because nobody is well.
  [[nodiscard]] std::set<std::size_t> answering(const Plan& decided) const {
    std::set<std::size_t> records;
    bool is_any_removed = false;
    for (std::size_t i = 0; i < service_.records.size(); ++i) {
      is_any_removed |= decided.weights[i] == 0 && base(i) != 0;
    }
    if (!is_any_removed) return records;
    for (const ClearedWeights& cleared : answers_(decided)) {
      for (const Choice* const choice : given(cleared)) {
        for (const WeightedRecord& r : choice->records) records.insert(index_of(r.record));
      }
    }
    return records;
  }

  void remember(LeashRuling& ruling) {
    const Plan decided = plan();
    // One that answers although it has no weight, because nobody else does, is not removed: else
    // the first that is well again would have to carry everything.
    const auto still = answering(decided);
    std::uint32_t removed = 0;
    for (std::size_t i = 0; i < service_.records.size(); ++i) {
      std::uint16_t now = std::min(decided.weights[i], base(i));
      if (!conditions_.is_by_order(i)) {
        if (now == 0 && still.contains(i)) now = base(i);
        if (now < had(i)) removed += static_cast<std::uint32_t>(had(i) - now);
      }
      if (now != base(i)) ruling.next.weights[service_.records[i].endpoint] = now;
    }
    ruling.next.removed = removed_;
    if (removed != 0) ruling.next.removed.push_back({now_, removed});
    ruling.next.returned = returned_;
  }

  void tell(LeashRuling& ruling) {
    for (std::optional<LeashHold>& hold : holds_) {
      if (!hold) continue;
      if (hold->kind == LeashHold::Kind::velocity) {
        const auto& removed = ruling.next.removed;
        hold->until = (removed.empty() ? now_ : removed.front().at) + removal_window;
      }
      if (hold->until) ruling.due = std::min(ruling.due.value_or(*hold->until), *hold->until);
      ruling.holds.push_back(*hold);
    }
  }

  const Repository& repository_;
  const Service& service_;
  ServiceId id_;
  Conditions conditions_;
  const LeashState& before_;
  const Answers& answers_;
  WallTime now_;
  std::vector<std::optional<LeashHold>> holds_;  // by record
  std::uint64_t total_ = 0;
  std::size_t weighted_ = 0;
  std::vector<Removal> removed_;
  std::uint64_t used_ = 0;  // of the last minute
  std::map<std::string, WallTime> returned_;
};

}  // namespace

std::string_view to_text(LeashHold::Kind kind) noexcept {
  switch (kind) {
    case LeashHold::Kind::velocity:
      return "removed-per-minute";
    case LeashHold::Kind::min_healthy:
      return "min-healthy";
    case LeashHold::Kind::slow_start:
      return "slow-start";
    case LeashHold::Kind::failback_delay:
      return "failback-delay";
    case LeashHold::Kind::flap:
      return "flap";
    case LeashHold::Kind::failback_by_hand:
      return "failback: manual";
  }
  return "removed-per-minute";
}

LeashRuling leash_weights(const Repository& repository, ServiceId id, Conditions conditions,
                          const LeashState& before, const Answers& answers, WallTime now) {
  return Leash(repository, id, std::move(conditions), before, answers, now).decide();
}

}  // namespace demarc::zones
