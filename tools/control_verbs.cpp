#include "tools/control_verbs.h"

#include <functional>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/alerts_status.h"
#include "tools/clock.h"
#include "tools/daemon.h"
#include "tools/drill_verbs.h"
#include "tools/explain.h"
#include "tools/history_report.h"
#include "tools/status.h"
#include "tools/tenant_report.h"
#include "zones/strict_json.h"
#include "zones/time_text.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using namespace zones;

struct Ask {
  Daemon& daemon;
  const json& request;
  const std::string& who;

  [[nodiscard]] std::string text(const char* name) const {
    const auto found = request.find(name);
    return found != request.end() && found->is_string() ? found->get<std::string>() : std::string{};
  }
  [[nodiscard]] Milliseconds duration(const char* name) const {
    const auto found = request.find(name);
    constexpr std::int64_t year_ms = 366LL * 24 * 3600 * 1000;
    if (found == request.end() || !found->is_number_integer()) return Milliseconds(0);
    return Milliseconds(std::min(found->get<std::int64_t>(), year_ms));
  }
};

json failed(std::string text) { return {{"ok", false}, {"error", std::move(text)}}; }

json from_reply(const std::optional<Reply>& reply) {
  if (!reply) return failed("there was no answer");
  if (!reply->accepted) return failed(reply->text);
  return {{"ok", true}, {"text", reply->text}, {"id", reply->id}};
}

json decide(const Ask& ask, decltype(Event::what) what) {
  auto reply = ask.daemon.controller().happen_one(std::move(what));
  ask.daemon.after_step();
  return from_reply(reply);
}

json explain_verb(const Ask& ask) {
  ExplainRequest request{.name = ask.text("name"), .client = {}, .country = {}, .assumed_down = {}};
  if (const auto client = ask.text("client"); !client.empty()) {
    request.client = geo::parse_address(client);
    if (!request.client) return failed("`" + client + "` is no IP address");
  }
  if (const auto country = ask.text("country"); !country.empty()) {
    request.country = geo::parse_code2(country);
    if (!request.country) return failed("`" + country + "` is no country code");
  }
  if (const auto down = ask.request.find("down"); down != ask.request.end() && down->is_array()) {
    for (const json& target : *down) {
      if (target.is_string()) request.assumed_down.push_back(target.get<std::string>());
    }
  }
  auto explained = explain(ask.daemon.controller().steering(), ask.daemon.databases(), request);
  if (!explained) return failed(explained.error());
  return {{"ok", true}, {"explained", std::move(*explained)}};
}

json tenant_verb(const Ask& ask) {
  auto report =
      tenant_report(ask.daemon.controller().steering(), ask.text("name"), ask.text("service"));
  if (!report) return failed(report.error());
  return {{"ok", true}, {"tenant", std::move(*report)}};
}

json test_alerts_verb(const Ask& ask) {
  const auto handed_in = ask.daemon.outside().test(ask.text("receiver"), ask.who);
  if (!handed_in) return failed(handed_in.error());
  return {{"ok", true}, {"text", "a test message is on its way"}};
}

json history_verb(const Ask& ask) {
  const History* const history = ask.daemon.history();
  if (history == nullptr) {
    return failed("no history is kept; expected `history: 92d` in demarcd.yaml, and see the log");
  }
  const WallTime now = read_clocks().wall;
  auto report = read_history(
      history->path(),
      {.part = ask.text("check"), .since = now - ask.duration("since-ms"), .now = now});
  if (!report) return failed(report.error());
  return {{"ok", true}, {"history", std::move(*report)}};
}

json revoke_verb(const Ask& ask) {
  const std::string reason = ask.text("reason");
  if (const auto key = ask.text("key"); !key.empty()) {
    return decide(ask, KeyRevoked{key, ask.who, reason});
  }
  if (const auto token = ask.text("token"); !token.empty()) {
    return decide(ask, GrantRevoked{token, ask.who, reason, true});
  }
  return decide(ask, GrantRevoked{ask.text("id"), ask.who, reason});
}

json from_text(const Ask& ask, const Result<std::string, std::string>& said) {
  ask.daemon.after_step();
  if (!said) return failed(said.error());
  return {{"ok", true}, {"text", *said}};
}

json acme_set_verb(const Ask& ask) {
  return from_text(
      ask, ask.daemon.local_names().set_acme(ask.daemon.snapshot(), ask.text("name"),
                                             ask.text("value"), ask.duration("for-ms"), ask.who));
}

json acme_remove_verb(const Ask& ask) {
  return from_text(
      ask, ask.daemon.local_names().remove_acme(ask.text("name"), ask.text("value"), ask.who));
}

json acme_list_verb(const Ask& ask) {
  json values = json::array();
  for (const AcmeValue& one : ask.daemon.local_names().acme()) {
    values.push_back({{"name", one.owner.text_without_dot()},
                      {"value", one.value},
                      {"ends", to_rfc3339(one.ends)},
                      {"who", one.who}});
  }
  return {{"ok", true}, {"values", std::move(values)}};
}

/// `done` false while it goes on. What is served then is told with it.
json reload_outcome_verb(const Ask& ask) {
  const auto number = ask.request.find("number");
  if (number == ask.request.end() || !number->is_number_unsigned()) return failed("no number");
  const ReloadOutcome* const outcome = ask.daemon.reload_outcome(number->get<std::uint64_t>());
  if (outcome == nullptr) return {{"ok", true}, {"done", false}};
  json zones = json::array();
  const auto& served = ask.daemon.repository().zones;
  const auto& serials = ask.daemon.snapshot().serials;  // of zones that secondaries have
  for (std::size_t i = 0; i < served.size(); ++i) {
    zones.push_back({{"zone", served[i].apex.text_without_dot()},
                     {"serial", i < serials.size() ? serials[i] : served[i].serial}});
  }
  return {{"ok", true},
          {"done", true},
          {"taken", outcome->errors.empty()},
          {"errors", outcome->errors},
          {"warnings", outcome->warnings},
          {"generation", outcome->generation},
          {"configuration", ask.daemon.repository().digest},
          {"services", ask.daemon.repository().services.size()},
          {"zones", std::move(zones)}};
}

json stall_verb(const Ask& ask) {
  if (!ask.daemon.config().debug_verbs) {
    return failed("debug verbs are off; expected `debug-verbs: true` in demarcd.yaml");
  }
  // The control thread does nothing at all for a while, as if it were stuck: what query threads
  // must do by themselves shows then.
  std::this_thread::sleep_for(std::min(ask.duration("for-ms"), Milliseconds(60'000)));
  return {{"ok", true}};
}

json drill_verb(const Ask& ask) { return answer_drill_verb(ask.daemon, ask.request, ask.who); }

const std::map<std::string, std::function<json(const Ask&)>>& verbs() {
  static const std::map<std::string, std::function<json(const Ask&)>> table = {
      {"ping", [](const Ask&) { return json{{"ok", true}}; }},
      {"status", [](const Ask& a) { return json{{"ok", true}, {"status", status_of(a.daemon)}}; }},
      {"history", history_verb},
      {"pending",
       [](const Ask& a) {
         return json{{"ok", true}, {"pending", pending_of(a.daemon.controller().steering())}};
       }},
      {"alerts", [](const Ask& a) { return json{{"ok", true}, {"alerts", alerts_of(a.daemon)}}; }},
      {"test-alerts", test_alerts_verb},
      {"explain", explain_verb},
      {"tenant", tenant_verb},
      {"approve", [](const Ask& a) { return decide(a, TokenPresented{a.text("token"), a.who}); }},
      {"revoke", revoke_verb},
      {"drain",
       [](const Ask& a) {
         return decide(a, OrderGiven{a.text("target"), a.text("service"), a.who, a.text("reason"),
                                     a.duration("for-ms")});
       }},
      {"force",
       [](const Ask& a) {
         const auto kind = parse_order_kind("force-" + a.text("state"));
         if (!kind) return failed("state is `" + a.text("state") + "`, expected up or down");
         return decide(a, OrderGiven{a.text("target"), a.text("service"), a.who, a.text("reason"),
                                     a.duration("for-ms"), *kind});
       }},
      {"failback",
       [](const Ask& a) {
         return decide(a, FailbackOrdered{a.text("service"), a.who, a.text("reason")});
       }},
      {"undrain", [](const Ask& a) { return decide(a, OrderEnded{a.text("id"), a.who}); }},
      {"freeze", [](const Ask& a) { return decide(a, FreezeSet{true, a.who, a.text("reason")}); }},
      {"unfreeze",
       [](const Ask& a) { return decide(a, FreezeSet{false, a.who, a.text("reason")}); }},
      {"trust-clock",
       [](const Ask& a) { return decide(a, ClockTrusted{a.who, a.text("reason")}); }},
      {"reload",
       [](const Ask& a) {
         const auto number = a.daemon.begin_reload("asked by " + a.who);
         return json{{"ok", true}, {"text", "reload begun"}, {"number", number}};
       }},
      {"reload-outcome", reload_outcome_verb},
      {"acme-set", acme_set_verb},
      {"acme-remove", acme_remove_verb},
      {"acme-list", acme_list_verb},
      {"debug-stall", stall_verb},
      {"drill-begin", drill_verb},
      {"drill-end", drill_verb},
      {"drill-status", drill_verb},
      {"drill-due", drill_verb},
      {"drill-look", drill_verb},
      {"drill-record", drill_verb},
  };
  return table;
}

}  // namespace

std::string answer_control(Daemon& daemon, const std::string& request, const std::string& who) {
  const auto dump = [](const json& answer) {
    return answer.dump(-1, ' ', false, json::error_handler_t::replace);
  };
  const auto parsed = parse_json_object(request);
  if (!parsed) return dump(failed("the request: " + parsed.error()));
  const Ask ask{daemon, *parsed, who};
  const auto verb = verbs().find(ask.text("verb"));
  if (verb == verbs().end()) return dump(failed("unknown verb `" + ask.text("verb") + "`"));
  return dump(verb->second(ask));
}

}  // namespace demarc::tools
