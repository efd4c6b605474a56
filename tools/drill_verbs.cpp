#include "tools/drill_verbs.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "geo/countries.h"
#include "tools/clock.h"
#include "tools/daemon.h"
#include "zones/drill/report_json.h"
#include "zones/drill/scenario_rules.h"
#include "zones/drill/sight.h"
#include "zones/time_text.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using namespace zones;

constexpr std::size_t looks_max = 10'000;  // services times clients of one question

json failed(std::string text) { return {{"ok", false}, {"error", std::move(text)}}; }

std::string text_of(const json& request, const char* name) {
  const auto found = request.find(name);
  return found != request.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::vector<std::string> texts_of(const json& request, const char* name) {
  std::vector<std::string> texts;
  const auto found = request.find(name);
  if (found == request.end() || !found->is_array()) return texts;
  for (const json& item : *found) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::uint64_t number_of(const json& request, const char* name) {
  const auto found = request.find(name);
  return found != request.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

json decide(Daemon& daemon, decltype(Event::what) what) {
  const auto reply = daemon.controller().happen_one(std::move(what));
  daemon.after_step();
  if (!reply) return failed("there was no answer");
  if (!reply->accepted) return failed(reply->text);
  return {{"ok", true}, {"text", reply->text}, {"id", reply->id}};
}

json begin(Daemon& daemon, const json& request, const std::string& who) {
  const auto endpoints = texts_of(request, "endpoints");
  for (const std::string& endpoint : endpoints) {
    if (drill::checks_named(daemon.repository(), {endpoint}).empty()) {
      return failed("no health check probes `" + endpoint + "`");
    }
  }
  const auto lasts = std::min<std::uint64_t>(
      number_of(request, "for-ms"), static_cast<std::uint64_t>(drill::drill_lasts_max.count()) + 1);
  return decide(daemon, DrillBegun{.name = text_of(request, "name"),
                                   .tokens = texts_of(request, "tokens"),
                                   .checks = drill::checks_named(daemon.repository(), endpoints),
                                   .who = who,
                                   .lasts = Milliseconds(static_cast<std::int64_t>(lasts))});
}

json status(Daemon& daemon) {
  const auto& running = daemon.controller().steering().state().drill;
  if (!running) return {{"ok", true}, {"drill", nullptr}, {"text", "no drill is running"}};
  return {{"ok", true},
          {"drill", running->name},
          {"who", running->who},
          {"since", to_rfc3339(running->since)},
          {"ends", to_rfc3339(running->ends)},
          {"checks", running->checks},
          {"text", fmt::format("the drill {} runs until {}, begun by {}", running->name,
                               to_rfc3339(running->ends), running->who)}};
}

json due(Daemon& daemon) {
  const auto& passed = daemon.controller().steering().state().drill_passed;
  const Seconds every = daemon.repository().policy.drill_due;
  if (!passed) {
    return {{"ok", true},
            {"last-passed", nullptr},
            {"overdue", true},
            {"text", "no drill has passed yet: the first is due now"}};
  }
  const WallTime next = *passed + every;
  const bool is_overdue = next <= read_clocks().wall;
  return {
      {"ok", true},
      {"last-passed", to_rfc3339(*passed)},
      {"next-due", to_rfc3339(next)},
      {"overdue", is_overdue},
      {"text", fmt::format("the last drill passed {}; the next is due {}{}", to_rfc3339(*passed),
                           to_rfc3339(next), is_overdue ? ": overdue" : "")}};
}

/// Host names of which a check has real evidence of failure.
std::set<std::string> down_hosts(const Daemon& daemon, const SteeringState& state) {
  std::set<std::string> hosts;
  for (const Service& service : daemon.repository().services) {
    for (const HealthCheck& check : service.checks) {
      const auto known = state.checks.find(check.key);
      if (known == state.checks.end() || known->second.verdict != Verdict::down) continue;
      hosts.insert(service.record(check.record).endpoint_name.text_without_dot());
    }
  }
  return hosts;
}

json entries_since(const Controller& controller, std::uint64_t since) {
  json entries = json::array();
  std::uint64_t number = controller.entries_before_recent();
  for (const AuditEntry& entry : controller.recent_entries()) {
    if (number++ < since) continue;
    json facts = json::array();
    for (const auto& [name, value] : entry.facts) facts.push_back(json::array({name, value}));
    entries.push_back({{"time", to_rfc3339(entry.time)},
                       {"kind", entry.kind},
                       {"jurisdiction", entry.jurisdiction},
                       {"facts", facts}});
  }
  return entries;
}

/// What each service answers each kind of client, as it is published, and whether it may.
json look(Daemon& daemon, const json& request) {
  const Controller& controller = daemon.controller();
  const Steering& steering = controller.steering();
  std::vector<drill::Client> clients;
  for (const std::string& name : texts_of(request, "clients")) {
    const auto code = geo::parse_code2(name);
    if (code && geo::find_country(*code) != nullptr) clients.push_back(drill::client_of(*code));
    if (name == "unknown") clients.push_back({"unknown", {}});
  }
  const auto services = texts_of(request, "services");
  if (services.size() * clients.size() > looks_max) return failed("too many services and clients");
  const WallTime now = std::max(read_clocks().wall, steering.state().trusted_wall);
  const auto grants = drill::coverings_of(steering.state());
  json answers = json::array(), violations = json::array();
  for (const std::string& text : services) {
    const auto id = drill::find_service(daemon.repository(), text);
    if (!id) return failed("there is no service `" + text + "`");
    for (const drill::Client& client : clients) {
      const auto answer = drill::look(steering, *id, client, now);
      if (!answer) continue;
      answers.push_back(
          {{"service", text}, {"client", client.name}, {"answer", drill::answer_json(*answer)}});
      auto violation =
          drill::find_violation(daemon.repository(), *id, client, *answer, grants, now);
      if (!violation.empty()) violations.push_back(std::move(violation));
    }
  }
  const auto& running = steering.state().drill;
  const std::uint64_t told =
      controller.entries_before_recent() + controller.recent_entries().size();
  return {{"ok", true},
          {"node", daemon.config().node},
          {"dns", dns::to_text(daemon.listening().front())},
          {"configuration", steering.state().configuration},
          {"drill", running ? json(running->name) : json()},
          {"down", down_hosts(daemon, steering.state())},
          {"answers", answers},
          {"violations", violations},
          {"told", told},
          {"entries", entries_since(controller, number_of(request, "since"))}};
}

json record(Daemon& daemon, const json& request, const std::string& who) {
  const auto ended = parse_rfc3339(text_of(request, "ended"));
  if (!ended) return failed("`ended` is no time");
  DrillReported event{.name = text_of(request, "name"),
                      .how = text_of(request, "how"),
                      .passed = request.value("passed", json()) == true,
                      .report_digest = text_of(request, "digest"),
                      .tokens = texts_of(request, "tokens"),
                      .who = who,
                      .ended = *ended,
                      .sign_off = {},
                      .participants = text_of(request, "participants")};
  if (const auto roles = request.find("sign-off"); roles != request.end() && roles->is_object()) {
    for (const auto& [role, persons] : roles->items()) {
      if (!persons.is_number_unsigned() || persons.get<std::uint64_t>() > 20) {
        return failed("`sign-off` must say how many persons of each role");
      }
      event.sign_off[role] = persons.get<unsigned>();
    }
  }
  return decide(daemon, std::move(event));
}

}  // namespace

json answer_drill_verb(Daemon& daemon, const json& request, const std::string& who) {
  const std::string verb = text_of(request, "verb");
  if (verb == "drill-begin") return begin(daemon, request, who);
  if (verb == "drill-end") return decide(daemon, DrillEnded{who, text_of(request, "reason")});
  if (verb == "drill-status") return status(daemon);
  if (verb == "drill-due") return due(daemon);
  if (verb == "drill-look") return look(daemon, request);
  if (verb == "drill-record") return record(daemon, request, who);
  return failed("unknown verb `" + verb + "`");
}

}  // namespace demarc::tools
