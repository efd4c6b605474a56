// Parts of the state file, as JSON: approvals (grants, revoked and trusted keys, an open review)
// and the leash. zones/steering_state.h writes and reads the whole.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "zones/steering_state.h"

namespace demarc::zones {

/// A whole number of at most `max`; throws std::invalid_argument for anything else, as all of the
/// readers below do, and as nlohmann's own do, when a member is missing or of another type.
[[nodiscard]] std::uint64_t read_number(const nlohmann::json& value, std::uint64_t max);

/// Adds the members that the state has.
void write_approvals(const SteeringState& state, nlohmann::json& body);
/// Reads what is there: files of format 1 have grants alone, without a tenant, share, template,
/// token text.
void read_approvals(const nlohmann::json& body, SteeringState& state);

/// Adds what the leash remembers; most states have nothing of it.
void write_leash(const SteeringState& state, nlohmann::json& body);
/// Reads what is there.
void read_leash(const nlohmann::json& body, SteeringState& state);

}  // namespace demarc::zones
