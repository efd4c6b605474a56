// What receivers get. health/alerts/message_files.cpp is what is kept on disk.
#include "health/alerts/message.h"

#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "health/alerts/message_json.h"
#include "zones/digest.h"
#include "zones/time_text.h"

namespace demarc::health {
namespace {

using nlohmann::json;
using zones::Alert;
using zones::AlertDetails;

// Enough to tell notices of one node apart for good.
constexpr std::size_t id_letters = 32;

/// Text from outside may be no UTF-8; it is mended, never a reason to tell nothing.
std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// The kind of cause: what stands before the first slash of the key.
std::string kind_of(const Alert& alert) { return alert.key.substr(0, alert.key.find('/')); }

/// "held" -> "DemarcHeld", "drill-due" -> "DemarcDrillDue".
std::string alert_name(const Alert& alert) {
  std::string name = "Demarc";
  bool starts_word = true;
  for (const char c : kind_of(alert)) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      starts_word = true;
      continue;
    }
    name += starts_word ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    starts_word = false;
  }
  return name;
}

json labels_of(const Alert& alert, const Sender& sender) {
  json labels = {{"alertname", alert_name(alert)},
                 {"key", alert.key},
                 {"severity", to_text(alert.level)},
                 {"node", sender.node}};
  const auto& d = alert.details;
  for (const auto& [name, value] : {std::pair<const char*, const std::string*>{"zone", &d.zone},
                                    {"service", &d.service},
                                    {"home", &d.home}}) {
    if (!value->empty()) labels[name] = *value;  // Alertmanager takes an empty label for none
  }
  return labels;
}

std::string legal_status(const AlertDetails& d) {
  std::vector<std::string> parts;
  if (!d.residency.empty()) parts.push_back(d.residency + " residency");
  if (!d.home.empty()) parts.push_back("home " + d.home);
  if (!d.access.empty()) parts.push_back(d.access + " access");
  if (!d.tenant.empty()) parts.push_back("tenant " + d.tenant);
  if (d.regulated_tenants != 0) {
    parts.push_back(fmt::format("{} regulated tenants", d.regulated_tenants));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// Everything that counsel and the engineer on call need, a line each.
std::string description_of(const Alert& alert) {
  const auto& d = alert.details;
  std::string text = alert.text + "\n";
  const auto line = [&](std::string_view title, const std::string& value) {
    if (!value.empty()) text += fmt::format("{}: {}\n", title, value);
  };
  line("Legal status", legal_status(d));
  line("State", d.state);
  line("Wanted", d.wanted);
  line("Why", d.why);
  line("Rule", d.rule);
  line("Evidence", d.evidence);
  line("Change", d.change);
  line("Approvers", fmt::format("{}", fmt::join(d.approvers, "; ")));
  if (d.deadline) line("Ends by itself", zones::to_rfc3339(*d.deadline));
  int number = 0;
  for (const auto& [what, command] : d.options) {
    text += fmt::format("{}. {}{}{}\n", ++number, what, command.empty() ? "" : ": ", command);
  }
  return text;
}

json alertmanager_alert(const Alert& alert, const Sender& sender, WallTime ends) {
  json annotations = {{"summary", alert.text}, {"description", description_of(alert)}};
  const std::string status = legal_status(alert.details);
  if (!status.empty()) annotations["legal_status"] = status;
  if (!alert.details.why.empty()) annotations["why"] = alert.details.why;
  std::string options;
  for (const auto& [what, command] : alert.details.options) {
    options += (options.empty() ? "" : "\n") + what + (command.empty() ? "" : ": ") + command;
  }
  if (!options.empty()) annotations["options"] = options;
  json made = {{"labels", labels_of(alert, sender)},
               {"annotations", annotations},
               // Alertmanager refuses an alert that ends before it starts.
               {"startsAt", zones::to_rfc3339(std::min(alert.since, ends))},
               {"endsAt", zones::to_rfc3339(ends)}};
  if (!sender.status_url.empty()) made["generatorURL"] = sender.status_url;
  return made;
}

}  // namespace

json details_json(const AlertDetails& d) {
  json options = json::array();
  for (const auto& [what, command] : d.options) {
    options.push_back({{"what", what}, {"command", command}});
  }
  return {{"zone", d.zone},
          {"service", d.service},
          {"tenant", d.tenant},
          {"residency", d.residency},
          {"home", d.home},
          {"access", d.access},
          {"regulated-tenants", d.regulated_tenants},
          {"state", d.state},
          {"wanted", d.wanted},
          {"why", d.why},
          {"rule", d.rule},
          {"evidence", d.evidence},
          {"change", d.change},
          {"options", options},
          {"approvers", d.approvers},
          {"deadline", d.deadline ? json(zones::to_rfc3339(*d.deadline)) : json()}};
}

std::string notice_id(const Notice& notice) {
  return zones::sha256_hex(fmt::format("{}\n{}\n{}", notice.alert.key, to_text(notice.state),
                                       notice.at.time_since_epoch().count()))
      .substr(0, id_letters);
}

std::string write_webhook(const Notice& notice, const Sender& sender) {
  const bool is_changed = notice.state == NoticeState::changed;
  json links = json::object();
  if (!sender.status_url.empty()) links["status"] = sender.status_url;
  const bool is_over = notice.state == NoticeState::ended;
  return dump({{"version", webhook_version},
               {"id", notice_id(notice)},
               {"node", sender.node},
               {"key", notice.alert.key},
               {"state", to_text(is_changed ? NoticeState::raised : notice.state)},
               {"changed", is_changed},
               {"level", to_text(notice.alert.level)},
               {"text", notice.alert.text},
               {"since", zones::to_rfc3339(notice.alert.since)},
               {"at", zones::to_rfc3339(notice.at)},
               {"ended", is_over ? json(zones::to_rfc3339(notice.at)) : json()},
               {"to-everyone", notice.alert.to_everyone},
               {"details", details_json(notice.alert.details)},
               {"links", links}});
}

std::string write_signature(std::string_view secret, WallTime now, std::string_view body) {
  const auto seconds = std::chrono::floor<Seconds>(now).time_since_epoch().count();
  const auto code = zones::HmacSha256(secret).of(fmt::format("{}.{}", seconds, body));
  return fmt::format("t={},v1={}", seconds, zones::to_hex(code));
}

std::string write_alertmanager(const Notice& notice, const Sender& sender, WallTime now) {
  json list = json::array();
  if (notice.before && labels_of(*notice.before, sender) != labels_of(notice.alert, sender)) {
    list.push_back(alertmanager_alert(*notice.before, sender, notice.at));
  }
  const bool is_over = notice.state == NoticeState::ended;
  list.push_back(
      alertmanager_alert(notice.alert, sender, is_over ? notice.at : now + alertmanager_believes));
  return dump(list);
}

std::string write_alertmanager(std::span<const std::shared_ptr<const Alert>> standing,
                               const Sender& sender, WallTime now) {
  json list = json::array();
  for (const auto& alert : standing) {
    list.push_back(alertmanager_alert(*alert, sender, now + alertmanager_believes));
  }
  return dump(list);
}

}  // namespace demarc::health
