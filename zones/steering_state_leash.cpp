// The state file's part for the leash (zones/leash.h).
#include <limits>

#include <nlohmann/json.hpp>

#include "zones/steering_state_json.h"

namespace demarc::zones {
namespace {

using nlohmann::json;

std::int64_t ms(WallTime time) { return time.time_since_epoch().count(); }
WallTime time_of(const json& value) { return WallTime(Milliseconds(value.get<std::int64_t>())); }

json leash_to_json(const LeashState& leash) {
  json removed = json::array(), returned = json::object();
  for (const Removal& removal : leash.removed) {
    removed.push_back(json::array({ms(removal.at), removal.weight}));
  }
  for (const auto& [endpoint, since] : leash.returned) returned[endpoint] = ms(since);
  json all = {{"weights", leash.weights}, {"removed", removed}, {"returned", returned}};
  if (!leash.kept_away.empty()) all["kept-away"] = leash.kept_away;
  return all;
}

LeashState read_leash_of(const json& value) {
  LeashState leash;
  for (const auto& [endpoint, weight] : value.at("weights").items()) {
    leash.weights[endpoint] = static_cast<std::uint16_t>(read_number(weight, weight_max));
  }
  for (const json& removal : value.at("removed")) {
    const auto weight =
        read_number(removal.at(1), std::numeric_limits<decltype(Removal::weight)>::max());
    leash.removed.push_back({time_of(removal.at(0)), static_cast<std::uint32_t>(weight)});
  }
  for (const auto& [endpoint, since] : value.at("returned").items()) {
    leash.returned[endpoint] = time_of(since);
  }
  if (value.contains("kept-away")) leash.kept_away = value["kept-away"];
  return leash;
}

}  // namespace

void write_leash(const SteeringState& state, json& body) {
  for (const auto& [service, leash] : state.leashes) {
    body["leashes"][service] = leash_to_json(leash);
  }
  if (!state.mass_failure) return;
  body["mass-failure"] = {{"since", ms(state.mass_failure->since)},
                          {"window-began", ms(state.mass_failure->window_began)},
                          {"why", state.mass_failure->why},
                          {"overruled-by", state.mass_failure->overruled_by}};
}

void read_leash(const json& body, SteeringState& state) {
  if (body.contains("mass-failure")) {
    const json& failure = body["mass-failure"];
    state.mass_failure =
        MassFailure{time_of(failure.at("since")), time_of(failure.at("window-began")),
                    failure.at("why"), failure.at("overruled-by")};
  }
  if (!body.contains("leashes")) return;
  for (const auto& [service, leash] : body["leashes"].items()) {
    state.leashes[service] = read_leash_of(leash);
  }
}

}  // namespace demarc::zones
