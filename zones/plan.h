// The plan: what evidence and orders make of a service's weights, before any border is looked at.
// zones/steering.h collects the conditions, this turns them into wanted weights, zones/gate.h
// decides which of them may be answered.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "zones/model.h"

namespace demarc::zones {

/// The bounds within which health and on-fail may set a record's weight (zones/leash.h).
struct WeightBounds {
  std::uint16_t at_least = 0;
  std::uint16_t at_most = weight_max;
  auto operator<=>(const WeightBounds&) const = default;
};

/// What steering knows of one service right now. Pure values; the order is the file's.
struct Conditions {
  std::vector<bool> check_failing;   // by check; a check that is unknown or stale is not failing
  std::vector<bool> record_drained;  // by record; a manual order, wins over health and leash
  std::vector<WeightBounds> leash = {};   // by record; empty: nothing is held
  std::vector<bool> check_degraded = {};  // by check; empty: none is
  std::vector<bool> ordered = {};  // by record: a person said how it counts; empty: nobody did

  /// Whether a person's word decides about a record, which neither leash nor delay holds up.
  [[nodiscard]] bool is_by_order(std::size_t record) const {
    return record_drained[record] || (!ordered.empty() && ordered[record]);
  }
};

/// Nothing failing, nothing drained.
[[nodiscard]] Conditions calm(const Service& service);

/// The wanted weights of one service.
struct Plan {
  ServiceId service{};
  std::vector<std::uint16_t> weights;  // by record, after on-fail, health and orders
  std::vector<bool> usable;            // by record: neither down nor drained; may take over
  std::vector<bool> drained;           // by record; never answers while another lawful one can
  std::vector<bool> excluded;  // by record: an assertion keeps it out beside others; empty: none
  std::vector<std::string> asserted;  // ids of the assertions that changed the plan, in order
  std::optional<WallTime> may_change_at = {};  // as ClearedWeights has it
};

/// Failing checks with `on-fail` apply their commands in file order onto the base weights; a down
/// record without `on-fail` loses its weight, as far as the leash lets it; a drained one always
/// does. A degraded one keeps a part of the weight it would have, never nothing. What the policy's
/// assertions (zones/assertions.h) ask for wins over all of it. Pure.
[[nodiscard]] Plan make_plan(const Repository& repository, ServiceId service,
                             const Conditions& conditions);

/// Base weights: make_plan() with nothing failing and nothing drained.
[[nodiscard]] Plan base_plan(const Repository& repository, ServiceId service);

}  // namespace demarc::zones
