#include "tools/activation_status.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "zones/time_text.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using namespace zones;

json step_json(const std::string& crossing, const StepResult& step) {
  return {
      {"crossing", crossing}, {"name", step.name}, {"passed", step.passed}, {"text", step.text}};
}

std::string with_detail(const json& object) {
  const auto detail = object.at("detail").get<std::string>();
  return detail.empty() ? "\n" : ": " + detail + "\n";
}

std::string text_in(const json& object, const char* name) {
  return object.at(name).get<std::string>();
}

}  // namespace

json waits_of(const Steering& steering) {
  json list = json::array();
  if (steering.configuration() == nullptr) return list;
  for (const auto& [name, told] : steering.state().told) {
    if (told.waits.empty()) continue;
    const auto owner = Name::parse_absolute(name);
    const auto id =
        owner ? steering.configuration()->repository->find_service(*owner) : std::nullopt;
    if (!id) continue;
    for (const auto& [crossing, steps] : steering.waiting(*id)) {
      json entry = {{"service", name}, {"crossing", crossing}, {"steps", json::array()}};
      for (const StepResult& step : steps) entry["steps"].push_back(step_json(crossing, step));
      list.push_back(std::move(entry));
    }
  }
  return list;
}

json steps_of(const Steering& steering, ServiceId service) {
  json list = json::array();
  for (const auto& [crossing, steps] : steering.waiting(service)) {
    for (const StepResult& step : steps) list.push_back(step_json(crossing, step));
  }
  return list;
}

json advice_of(const SteeringState& state) {
  json list = json::array();
  for (const auto& [crossing, advice] : state.advice) {
    list.push_back(
        {{"crossing", crossing},
         {"word",
          advice.effect ? json(*advice.effect == Effect::allow ? "allow" : "deny") : json()},
         {"detail", advice.detail},
         {"since", to_rfc3339(advice.since)}});
  }
  return list;
}

json lag_of(const SteeringState& state) {
  json list = json::array();
  for (const auto& [check, lag] : state.lag) {
    list.push_back({{"check", check},
                    {"value", lag.value ? json(*lag.value) : json()},
                    {"detail", lag.detail},
                    {"since", to_rfc3339(lag.since)}});
  }
  return list;
}

std::string steps_text(const json& steps) {
  std::string out;
  for (const json& step : steps) {
    out += fmt::format("    {:<16} {:<10} {} ({})\n", text_in(step, "name"),
                       step.at("passed").get<bool>() ? "passed" : "NOT PASSED",
                       text_in(step, "text"), text_in(step, "crossing"));
  }
  return out;
}

std::string activation_text(const json& waits, const json& advice, const json& lag) {
  std::string out;
  for (const json& wait : waits) {
    out += fmt::format("\nwaits for its steps: {} of {}\n{}", text_in(wait, "crossing"),
                       text_in(wait, "service"), steps_text(wait.at("steps")));
  }
  for (const json& word : advice) {
    const std::string said = word.at("word").is_null() ? "no word" : text_in(word, "word");
    out += fmt::format("\nadvisor on {}: {} since {}{}", text_in(word, "crossing"), said,
                       text_in(word, "since"), with_detail(word));
  }
  for (const json& measured : lag) {
    const std::string value =
        measured.at("value").is_null() ? "not known" : measured.at("value").dump();
    out += fmt::format("\nlag {}: {} at {}{}", text_in(measured, "check"), value,
                       text_in(measured, "since"), with_detail(measured));
  }
  return out;
}

}  // namespace demarc::tools
