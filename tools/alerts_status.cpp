#include "tools/alerts_status.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "health/alerts/message_json.h"
#include "health/alerts/notice.h"
#include "tools/daemon.h"
#include "zones/time_text.h"

namespace demarc::tools {
namespace {

using nlohmann::json;

json receiver_status(const health::DeliveryState& state) {
  return {{"receiver", state.receiver},
          {"kind", state.kind == health::ReceiverKind::webhook ? "webhook" : "alertmanager"},
          {"url", state.url},
          {"delivered", state.delivered},
          {"failed", state.failed},
          {"dead", state.dead},
          {"undelivered", state.undelivered},
          {"oldest", state.oldest ? json(zones::to_rfc3339(*state.oldest)) : json()},
          {"last-error", state.last_error},
          {"spool-error", state.spool_error}};
}

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void add_line(std::string& out, std::string_view title, const json& value) {
  const std::string text = value.is_null() ? "" : text_of(value);
  if (!text.empty()) out += fmt::format("    {:<13} {}\n", title, text);
}

std::string alert_text(const json& alert) {
  std::string out = fmt::format("{} {}\n", text_of(alert["level"]), text_of(alert["text"]));
  const json& d = alert["details"];
  add_line(out, "since", alert["since"]);
  add_line(out, "key", alert["key"]);
  for (const char* name : {"zone", "service", "tenant", "residency", "home", "access", "state",
                           "wanted", "why", "rule", "evidence", "change", "deadline"}) {
    add_line(out, name, d[name]);
  }
  if (d["regulated-tenants"] != 0) add_line(out, "regulated", d["regulated-tenants"]);
  for (const json& approver : d["approvers"]) add_line(out, "approvers", approver);
  int number = 0;
  for (const json& option : d["options"]) {
    out += fmt::format("    {}. {}\n", ++number, text_of(option["what"]));
    const std::string command = text_of(option["command"]);
    if (!command.empty()) out += fmt::format("       {}\n", command);
  }
  return out;
}

}  // namespace

json alerts_of(Daemon& daemon) {
  json alerts = json::array(), receivers = json::array();
  for (const auto& [key, alert] : daemon.controller().alerts()) {
    alerts.push_back({{"key", key},
                      {"level", health::to_text(alert.level)},
                      {"text", alert.text},
                      {"since", zones::to_rfc3339(alert.since)},
                      {"to-everyone", alert.to_everyone},
                      {"details", health::details_json(alert.details)}});
  }
  for (const auto& state : daemon.outside().deliveries()) {
    receivers.push_back(receiver_status(state));
  }
  return {{"alerts", alerts}, {"receivers", receivers}, {"left-out", daemon.outside().left_out()}};
}

std::string alerts_text(const json& all) {
  std::string out;
  for (const json& alert : all["alerts"]) out += alert_text(alert) + "\n";
  if (all["alerts"].empty()) out += "no alert stands\n\n";
  if (all["left-out"] != 0) {
    out +=
        fmt::format("{} of them are told to nobody until there is room\n", all["left-out"].dump());
  }
  if (all["receivers"].empty()) return out + "nobody is told: demarcd.yaml names no receiver\n";
  for (const json& one : all["receivers"]) {
    out += fmt::format(
        "{} ({} {}): {} delivered, {} undelivered, {} given up{}{}\n", text_of(one["receiver"]),
        text_of(one["kind"]), text_of(one["url"]), one["delivered"].dump(),
        one["undelivered"].dump(), one["dead"].dump(),
        text_of(one["last-error"]).empty() ? "" : "; last error: ", text_of(one["last-error"]));
  }
  return out;
}

}  // namespace demarc::tools
