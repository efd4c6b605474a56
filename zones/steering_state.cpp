#include "zones/steering_state.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "zones/digest.h"
#include "zones/steering_state_json.h"
#include "zones/strict_json.h"

namespace demarc::zones {
namespace {

using nlohmann::json;

// Format 1 had no shares, tenants, key lists and reviews; what it has reads the same.
constexpr int format_version = 2;
constexpr int oldest_format_version = 1;

std::int64_t ms(WallTime time) { return time.time_since_epoch().count(); }
WallTime time_of(const json& value) { return WallTime(Milliseconds(value.get<std::int64_t>())); }

json checks_to_json(const SteeringState& state) {
  json checks = json::object();
  for (const auto& [key, check] : state.checks) {
    checks[key] = {{"verdict", to_text(check.verdict)},
                   {"since", ms(check.since)},
                   {"detail", check.detail},
                   {"failing", check.failing}};
    if (check.degraded) checks[key]["degraded"] = true;
    if (check.failing_since) checks[key]["failing-since"] = ms(*check.failing_since);
    if (check.returns) checks[key]["returns"] = ms(*check.returns);
    if (check.penalty != 0) {
      checks[key]["penalty"] = json::array({check.penalty, ms(check.penalty_at)});
    }
  }
  return checks;
}

json orders_to_json(const SteeringState& state) {
  json orders = json::object();
  for (const auto& [id, order] : state.orders) {
    orders[id] = {{"target", order.target}, {"service", order.service}, {"who", order.who},
                  {"reason", order.reason}, {"given", ms(order.given)}, {"ends", ms(order.ends)}};
    if (order.kind != OrderKind::drain) orders[id]["kind"] = to_text(order.kind);
  }
  return orders;
}

json pending_to_json(const SteeringState& state) {
  json pending = json::object();
  for (const auto& [id, change] : state.pending) {
    pending[id] = {{"zone", change.zone},       {"service", change.service},
                   {"from", change.from},       {"to", change.to},
                   {"since", ms(change.since)}, {"evidence", change.evidence},
                   {"why", change.why}};
  }
  return pending;
}

void read_checks(const json& value, SteeringState& state) {
  for (const auto& [key, check] : value.items()) {
    const auto verdict = parse_verdict(check.at("verdict").get<std::string>());
    if (!verdict) throw std::invalid_argument("a check has an unknown verdict");
    CheckState& known = state.checks[key];
    known.verdict = *verdict;
    known.since = time_of(check.at("since"));
    known.detail = check.at("detail");
    known.failing = check.at("failing");
    if (check.contains("degraded")) known.degraded = check["degraded"];
    if (check.contains("failing-since")) known.failing_since = time_of(check["failing-since"]);
    if (check.contains("returns")) known.returns = time_of(check["returns"]);
    if (!check.contains("penalty")) continue;
    known.penalty = static_cast<std::uint32_t>(read_number(check["penalty"].at(0), 0xffff'ffff));
    known.penalty_at = time_of(check["penalty"].at(1));
  }
}

void read_orders(const json& value, SteeringState& state) {
  for (const auto& [id, order] : value.items()) {
    const auto kind = parse_order_kind(order.value("kind", std::string("drain")));
    if (!kind) throw std::invalid_argument("an order is of an unknown kind");
    state.orders[id] = {.id = id,
                        .target = order.at("target"),
                        .service = order.at("service"),
                        .who = order.at("who"),
                        .reason = order.at("reason"),
                        .given = time_of(order.at("given")),
                        .ends = time_of(order.at("ends")),
                        .kind = *kind};
  }
}

void read_pending(const json& value, SteeringState& state) {
  for (const auto& [id, change] : value.items()) {
    state.pending[id] = {.id = id,
                         .zone = change.at("zone"),
                         .service = change.at("service"),
                         .from = change.at("from"),
                         .to = change.at("to"),
                         .since = time_of(change.at("since")),
                         .evidence = change.at("evidence"),
                         .why = change.value("why", std::string{})};
  }
}

/// Both members are optional: most states have neither.
void read_drills(const json& value, SteeringState& state) {
  if (value.contains("drill")) {
    const json& drill = value["drill"];
    state.drill =
        LiveDrill{drill.at("name"),          drill.at("checks"),
                  drill.at("who"),           time_of(drill.at("since")),
                  time_of(drill.at("ends")), drill.value("keys", std::vector<std::string>{})};
  }
  if (value.contains("drill-passed")) state.drill_passed = time_of(value["drill-passed"]);
}

void read_lag(const json& value, SteeringState& state) {
  for (const auto& [key, lag] : value.items()) {
    LagState& known = state.lag[key];
    if (lag.contains("value")) known.value = lag["value"].get<double>();
    known.detail = lag.at("detail");
    known.since = time_of(lag.at("since"));
  }
}

void read_advice(const json& value, SteeringState& state) {
  for (const auto& [key, advice] : value.items()) {
    AdviceState& known = state.advice[key];
    if (advice.contains("service")) known.service = advice["service"].get<std::string>();
    if (advice.contains("allows")) {
      known.effect = advice["allows"].get<bool>() ? Effect::allow : Effect::deny;
    }
    known.detail = advice.at("detail");
    known.since = time_of(advice.at("since"));
  }
}

json lag_to_json(const SteeringState& state) {
  json list = json::object();
  for (const auto& [key, lag] : state.lag) {
    list[key] = {{"detail", lag.detail}, {"since", ms(lag.since)}};
    if (lag.value) list[key]["value"] = *lag.value;
  }
  return list;
}

json advice_to_json(const SteeringState& state) {
  json list = json::object();
  for (const auto& [key, advice] : state.advice) {
    list[key] = {
        {"service", advice.service}, {"detail", advice.detail}, {"since", ms(advice.since)}};
    if (advice.effect) list[key]["allows"] = *advice.effect == Effect::allow;
  }
  return list;
}

SteeringState read_state(const json& value) {
  SteeringState state;
  read_checks(value.at("checks"), state);
  read_orders(value.at("orders"), state);
  read_pending(value.at("pending"), state);
  read_approvals(value, state);
  for (const auto& [service, told] : value.at("told").items()) {
    Told& known = state.told[service];
    known.weights = told.at("weights");
    known.crossings = told.at("crossings").get<std::vector<std::string>>();
    known.soft_abroad = told.at("soft-abroad").get<std::vector<std::string>>();
    if (told.contains("crossing-since")) known.crossing_since = time_of(told["crossing-since"]);
    if (told.contains("soft-since")) known.soft_since = time_of(told["soft-since"]);
    if (told.contains("left")) known.left = told["left"].get<std::vector<std::string>>();
    if (told.contains("waits")) known.waits = told["waits"].get<std::string>();
    if (told.contains("asserted")) known.asserted = told["asserted"].get<std::string>();
    if (told.contains("leashed")) known.leashed = told["leashed"].get<std::string>();
  }
  if (value.contains("lag")) read_lag(value["lag"], state);
  if (value.contains("advice")) read_advice(value["advice"], state);
  for (const auto& [apex, serial] : value.at("serials").items()) {
    state.serials[apex] = {serial.at(0), serial.at(1)};
  }
  if (value.contains("freeze")) {
    const json& freeze = value["freeze"];
    state.freeze = Freeze{freeze.at("who"), freeze.at("reason"), time_of(freeze.at("since"))};
  }
  read_drills(value, state);
  read_leash(value, state);
  if (value.contains("definitions")) state.definitions = value["definitions"];
  state.trusted_wall = time_of(value.at("trusted-wall"));
  state.configuration = value.at("configuration");
  return state;
}

}  // namespace

std::string write_state(const SteeringState& state) {
  json told = json::object(), serials = json::object();
  for (const auto& [service, t] : state.told) {
    told[service] = {
        {"weights", t.weights}, {"crossings", t.crossings}, {"soft-abroad", t.soft_abroad}};
    if (!t.left.empty()) told[service]["left"] = t.left;
    if (!t.waits.empty()) told[service]["waits"] = t.waits;
    if (!t.asserted.empty()) told[service]["asserted"] = t.asserted;
    if (!t.leashed.empty()) told[service]["leashed"] = t.leashed;
    if (t.crossing_since) told[service]["crossing-since"] = ms(*t.crossing_since);
    if (t.soft_since) told[service]["soft-since"] = ms(*t.soft_since);
  }
  for (const auto& [apex, serial] : state.serials) {
    serials[apex] = json::array({serial.first, serial.second});
  }
  json body = {{"checks", checks_to_json(state)},
               {"orders", orders_to_json(state)},
               {"pending", pending_to_json(state)},
               {"told", told},
               {"serials", serials},
               {"definitions", state.definitions},
               {"trusted-wall", ms(state.trusted_wall)},
               {"configuration", state.configuration}};
  write_approvals(state, body);
  write_leash(state, body);
  if (!state.lag.empty()) body["lag"] = lag_to_json(state);
  if (!state.advice.empty()) body["advice"] = advice_to_json(state);
  if (state.freeze) {
    body["freeze"] = {{"who", state.freeze->who},
                      {"reason", state.freeze->reason},
                      {"since", ms(state.freeze->since)}};
  }
  if (state.drill) {
    body["drill"] = {{"name", state.drill->name},     {"checks", state.drill->checks},
                     {"who", state.drill->who},       {"since", ms(state.drill->since)},
                     {"ends", ms(state.drill->ends)}, {"keys", state.drill->key_digests}};
  }
  if (state.drill_passed) body["drill-passed"] = ms(*state.drill_passed);
  const std::string text = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return fmt::format("{{\"version\":{},\"sha256\":\"{}\",\"state\":{}}}\n", format_version,
                     sha256_hex(text), text);
}

Result<SteeringState, std::string> parse_state(std::string_view text) {
  const auto parsed = parse_json_object(text);
  if (!parsed) return std::unexpected(parsed.error());
  try {
    const int version = parsed->at("version").get<int>();
    if (version < oldest_format_version || version > format_version) {
      return std::unexpected(fmt::format("its format version is {}, expected {} to {}", version,
                                         oldest_format_version, format_version));
    }
    const json& body = parsed->at("state");
    if (sha256_hex(body.dump(-1, ' ', false, json::error_handler_t::replace)) !=
        parsed->at("sha256").get<std::string>()) {
      return std::unexpected(std::string("its content does not match its digest"));
    }
    return read_state(body);
  } catch (const std::exception& error) {  // a member is missing or has another type
    return std::unexpected(std::string(error.what()));
  }
}

void keep_ages(SteeringState& state, Milliseconds back) {
  for (auto& [key, check] : state.checks) {
    check.since -= back;
    if (check.failing_since) *check.failing_since -= back;
    if (check.returns) *check.returns -= back;
    if (check.penalty != 0) check.penalty_at -= back;
  }
  for (auto& [service, leash] : state.leashes) {
    for (Removal& removal : leash.removed) removal.at -= back;
    for (auto& [endpoint, since] : leash.returned) since -= back;
  }
  if (state.mass_failure) {
    state.mass_failure->since -= back;
    state.mass_failure->window_began -= back;
  }
  for (auto& [key, lag] : state.lag) lag.since -= back;
  for (auto& [key, advice] : state.advice) advice.since -= back;
}

std::string change_id(const std::string& zone, const std::string& service,
                      const std::vector<std::string>& from, const std::vector<std::string>& to) {
  const std::string text =
      fmt::format("{}|{}|{}|{}", zone, service, fmt::join(from, ","), fmt::join(to, ","));
  return "chg-" + sha256_hex(text).substr(0, 10);
}

}  // namespace demarc::zones
