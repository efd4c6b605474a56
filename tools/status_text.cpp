// What `demarc status` and `demarc pending` print for people (tools/status.h).
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tools/activation_status.h"
#include "tools/leash_status.h"
#include "tools/status.h"

namespace demarc::tools {
namespace {

using nlohmann::json;

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string joined(const json& list) {
  std::vector<std::string> parts;
  for (const json& item : list) parts.push_back(text_of(item));
  return fmt::format("{}", fmt::join(parts, ","));
}

/// The width of a column: its longest word, and its title.
std::size_t width_of(const json& rows, const char* key, std::string_view title) {
  std::size_t width = title.size();
  for (const json& row : rows) width = std::max(width, text_of(row[key]).size());
  return width;
}

/// A change that a person may approve.
std::string change_text(const json& change) {
  const bool is_class = change.contains("class");
  std::string out = fmt::format(
      "{}  {} from {} to {}, held since {}\n    why it should move: {}\n    why it may not: {}\n",
      text_of(change["id"]),
      is_class ? fmt::format("{} (tenants of {})", text_of(change["tenants-of"]),
                             text_of(change["class"]))
               : text_of(change["service"]),
      joined(change["from"]), joined(change["to"]), text_of(change["since"]),
      text_of(change["evidence"]), text_of(change["why"]));
  if (is_class) {
    out += fmt::format("    to allow it for one tenant: {}\n",
                       text_of(change["command-for-one-tenant"]));
  }
  return out + fmt::format("    to allow it{}: {}, then demarc approve TOKEN\n",
                           is_class ? " for all of them" : "", text_of(change["command"]));
}

}  // namespace

std::string status_text(const json& s) {
  std::string out =
      fmt::format("{}: {}, {} zone{}, generation {}, configuration {:.12}\n", text_of(s["node"]),
                  s["serving"].get<bool>() ? "serving" : "starting", s["zones"].dump(),
                  s["zones"] == 1 ? "" : "s", s["generation"].dump(), text_of(s["configuration"]));
  if (s.contains("freeze")) {
    out += fmt::format("FROZEN by {}: {}\n", text_of(s["freeze"]["who"]),
                       text_of(s["freeze"]["reason"]));
  }
  if (s.contains("mass-failure")) {
    const std::string by = text_of(s["mass-failure"]["overruled-by"]);
    out += fmt::format("MASS FAILURE: {} since {}{}\n", text_of(s["mass-failure"]["why"]),
                       text_of(s["mass-failure"]["since"]),
                       by.empty() ? ", health moves nothing" : ", overruled by " + by);
  }
  if (s.contains("drill")) {
    out += fmt::format("DRILL {} by {} until {}\n", text_of(s["drill"]["name"]),
                       text_of(s["drill"]["who"]), text_of(s["drill"]["ends"]));
  }
  for (const json& alert : s["alerts"]) {
    out += fmt::format("ALERT {} ({}) since {}\n", text_of(alert["text"]), text_of(alert["level"]),
                       text_of(alert["since"]));
  }
  if (s["alerts-undelivered"] != 0) {
    out += fmt::format("UNDELIVERED: {} messages about alerts wait for their receivers\n",
                       s["alerts-undelivered"].dump());
  }
  if (s["alerts-left-out"] != 0) {
    out += fmt::format("LEFT OUT: {} alerts are told to nobody until there is room\n",
                       s["alerts-left-out"].dump());
  }
  const std::size_t name = width_of(s["services"], "name", "SERVICE");
  const std::size_t home = width_of(s["services"], "home", "HOME");
  out += fmt::format("\n{:<{}}  RESIDENCY  {:<{}}  ANSWERING\n", "SERVICE", name, "HOME", home);
  for (const json& service : s["services"]) {
    std::string notes = joined(service["notes"]);
    if (service.contains("tenants")) {
      notes = fmt::format("{} tenants{}{}", service["tenants"].dump(), notes.empty() ? "" : ", ",
                          notes);
    }
    out += fmt::format("{:<{}}  {:<9}  {:<{}}  {}{}\n", text_of(service["name"]), name,
                       text_of(service["residency"]), text_of(service["home"]), home,
                       joined(service["answering"]), notes.empty() ? "" : "  (" + notes + ")");
    if (service.contains("leash")) out += leash_text(service["leash"]);
    if (!service.contains("mode") || !service["mode"].contains("case")) continue;
    const json& mode = service["mode"];
    out += fmt::format("{:<{}}  mode {}, case {}, until {}, {}\n", "", name, text_of(mode["mode"]),
                       text_of(mode["case"]), text_of(mode["until"]), text_of(mode["grant"]));
  }
  if (!s["checks"].empty()) {
    const std::size_t check = width_of(s["checks"], "check", "CHECK");
    out += fmt::format("\n{:<{}}  VERDICT   LAST RESULT\n", "CHECK", check);
    for (const json& one : s["checks"]) {
      out += fmt::format("{:<{}}  {:<8}  {}\n", text_of(one["check"]), check,
                         text_of(one["verdict"]), text_of(one["detail"]));
    }
  }
  if (!s["pending"].empty()) out += "\n" + pending_text(s["pending"]);
  out += activation_text(s["waits"], s["advice"], s["lag"]);
  for (const json& grant : s["grants"]) {
    out += fmt::format("\ngrant {} {} from {} to {} {} by {} until {}{}\n", text_of(grant["id"]),
                       text_of(grant["service"]), joined(grant["from"]), joined(grant["to"]),
                       text_of(grant["mode"]), joined(grant["persons"]), text_of(grant["ends"]),
                       grant["complete"].get<bool>() ? "" : " (waits for more persons)");
  }
  for (const json& order : s["orders"]) {
    out += fmt::format("\norder {} {} {} by {} until {}: {}\n", text_of(order["id"]),
                       text_of(order["kind"]), text_of(order["target"]), text_of(order["who"]),
                       text_of(order["ends"]), text_of(order["reason"]));
  }
  const json& ground = s["ground"];
  out += fmt::format("\nground: {} addresses compared, {} skipped\n", ground["compared"].dump(),
                     ground["skipped"].dump());
  for (const json& finding : ground["findings"]) {
    out += fmt::format("  [{}] {}\n", text_of(finding["rule"]), text_of(finding["text"]));
  }
  const json& c = s["counters"];
  out += fmt::format(
      "\nqueries udp {} tcp {}, steered {}, dropped {}, truncated {}; audit {} entries{}\n",
      c["udp-queries"].dump(), c["tcp-queries"].dump(), c["steered"].dump(), c["dropped"].dump(),
      c["truncated"].dump(), s["audit"]["entries"].dump(),
      s["audit"]["writable"].get<bool>() ? "" : ", NOT WRITABLE");
  return out;
}

std::string pending_text(const json& pending) {
  if (pending.empty()) return "nothing is pending\n";
  std::string out;
  for (const json& change : pending) {
    if (change["id"].is_null()) {
      out += fmt::format("{}  {} is covered and waits for its steps\n", text_of(change["service"]),
                         text_of(change["crossing"]));
    } else {
      out += change_text(change);
    }
    if (change.contains("steps")) out += steps_text(change["steps"]);
  }
  return out;
}

}  // namespace demarc::tools
