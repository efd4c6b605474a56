// The leash on one service's weights: how fast automation may remove them, what stays of a pool,
// how a record comes back (DESIGN section 4 rule 11). It only ever keeps weight that was there, or
// gives less than the plan wants: an ineligible record gains nothing, and the gate comes after it.
// zones/steering_leash.cpp feeds it and remembers what it says; zones/plan.h applies it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "zones/cleared_weights.h"
#include "zones/plan.h"
#include "zones/steering_state.h"

namespace demarc::zones {

/// The window of `removed-per-minute`.
inline constexpr Milliseconds removal_window{60'000};
/// A returning record's weight grows in this many equal steps.
inline constexpr int slow_start_steps = 5;

/// What the leash does to one record, for people.
struct LeashHold {
  enum class Kind : std::uint8_t {
    velocity,          // down, and keeps its weight: more would be removed in a minute than may be
    min_healthy,       // down, and keeps its weight: too little of the pool would be left
    slow_start,        // back, not with its whole weight yet
    failback_delay,    // well again, and kept out for a while
    flap,              // well again, and kept out because it changed its mind too often
    failback_by_hand,  // well again, and waits for a person's word to come home
  };
  RecordId record{};
  Kind kind = Kind::velocity;
  std::optional<WallTime> until;  // when it is looked at again by itself
  auto operator<=>(const LeashHold&) const = default;
};

[[nodiscard]] std::string_view to_text(LeashHold::Kind kind) noexcept;

struct LeashRuling {
  Conditions conditions;         // with `leash` filled where something is held
  LeashState next;               // to be remembered once it is answered
  std::vector<LeashHold> holds;  // by record, in the file's order
  std::optional<WallTime> due;   // when it may say something else though nothing happens
};

/// What answers by a plan: the cleared weights of the service, and of each tenant with its own.
using Answers = std::function<std::vector<ClearedWeights>(const Plan&)>;

/// Decides for one service what health and on-fail may do to its weights at `now`. A record that is
/// down keeps its weight while more than `removed-per-minute` of the base weight would have been
/// removed in the last minute (one record may always go), or less than `min-healthy` would be left;
/// but only beside others that are well: where a kind of client would be answered by such records
/// alone, they are let go, so that whoever may take over does, or on-block answers.
/// What a person ordered is not held, in either direction. Pure.
[[nodiscard]] LeashRuling leash_weights(const Repository& repository, ServiceId id,
                                        Conditions conditions, const LeashState& before,
                                        const Answers& answers, WallTime now);

}  // namespace demarc::zones
