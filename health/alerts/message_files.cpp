// Notices and the book of alerts as JSON files, written and read back strictly.
#include <array>

#include <nlohmann/json.hpp>

#include "health/alerts/message.h"
#include "health/alerts/message_json.h"
#include "zones/strict_json.h"
#include "zones/time_text.h"

namespace demarc::health {
namespace {

using nlohmann::json;
using zones::Alert;
using zones::AlertDetails;
using zones::AlertLevel;

constexpr int file_version = 1;

/// Reads members of one object and remembers the first that is not as it was written.
class Members {
 public:
  Members(const json& object, std::string& wrong) : object_(object), wrong_(wrong) {}

  [[nodiscard]] const json& at(const char* name) {
    static const json nothing;
    const auto found = object_.is_object() ? object_.find(name) : object_.end();
    if (object_.is_object() && found != object_.end()) return *found;
    fail(name);
    return nothing;
  }
  [[nodiscard]] std::string text(const char* name) {
    const json& value = at(name);
    if (value.is_string()) return value.get<std::string>();
    fail(name);
    return {};
  }
  [[nodiscard]] WallTime time(const char* name) {
    const auto time = zones::parse_rfc3339(text(name));
    if (!time) fail(name);
    return time.value_or(WallTime{});
  }
  [[nodiscard]] std::vector<std::string> texts(const char* name) {
    std::vector<std::string> list;
    const json& value = at(name);
    if (!value.is_array()) fail(name);
    for (const json& item : value) {
      if (!item.is_string()) {
        fail(name);
        break;
      }
      list.push_back(item.get<std::string>());
    }
    return list;
  }
  void fail(const std::string& name) {
    if (wrong_.empty()) wrong_ = "`" + name + "` is missing or not as it was written";
  }

 private:
  const json& object_;
  std::string& wrong_;
};

json alert_json(const Alert& alert) {
  return {{"key", alert.key},
          {"text", alert.text},
          {"since", zones::to_rfc3339(alert.since)},
          {"level", to_text(alert.level)},
          {"to-everyone", alert.to_everyone},
          {"details", details_json(alert.details)}};
}

AlertDetails read_details(const json& object, std::string& wrong) {
  Members members(object, wrong);
  AlertDetails d;
  for (const auto& [name, member] : {std::pair{"zone", &AlertDetails::zone},
                                     {"service", &AlertDetails::service},
                                     {"tenant", &AlertDetails::tenant},
                                     {"residency", &AlertDetails::residency},
                                     {"home", &AlertDetails::home},
                                     {"access", &AlertDetails::access},
                                     {"state", &AlertDetails::state},
                                     {"wanted", &AlertDetails::wanted},
                                     {"why", &AlertDetails::why},
                                     {"rule", &AlertDetails::rule},
                                     {"evidence", &AlertDetails::evidence},
                                     {"change", &AlertDetails::change}}) {
    d.*member = members.text(name);
  }
  const json& count = members.at("regulated-tenants");
  if (count.is_number_unsigned()) {
    d.regulated_tenants = count.get<std::size_t>();
  } else {
    members.fail("regulated-tenants");
  }
  for (const json& option : members.at("options")) {
    Members pair(option, wrong);
    d.options.emplace_back(pair.text("what"), pair.text("command"));
  }
  d.approvers = members.texts("approvers");
  if (!members.at("deadline").is_null()) d.deadline = members.time("deadline");
  return d;
}

template <typename T, std::size_t N>
T read_word(Members& members, const char* name, const std::array<T, N>& words) {
  const std::string text = members.text(name);
  for (const T word : words) {
    if (to_text(word) == text) return word;
  }
  members.fail(name);
  return words[0];
}

Alert read_alert(const json& object, std::string& wrong) {
  Members members(object, wrong);
  Alert alert;
  alert.key = members.text("key");
  alert.text = members.text("text");
  alert.since = members.time("since");
  alert.level = read_word(members, "level",
                          std::array{AlertLevel::info, AlertLevel::warning, AlertLevel::critical});
  const json& everyone = members.at("to-everyone");
  if (everyone.is_boolean()) {
    alert.to_everyone = everyone.get<bool>();
  } else {
    members.fail("to-everyone");
  }
  alert.details = read_details(members.at("details"), wrong);
  return alert;
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::set<std::string> read_names(Members& members) {
  const auto names = members.texts("to");
  return {names.begin(), names.end()};
}

void check_version(Members& members) {
  if (members.at("version") != file_version) members.fail("version");
}

}  // namespace

std::string write_notice(const Notice& notice) {
  return dump({{"version", file_version},
               {"state", to_text(notice.state)},
               {"at", zones::to_rfc3339(notice.at)},
               {"alert", alert_json(notice.alert)},
               {"before", notice.before ? alert_json(*notice.before) : json()},
               {"to", notice.to}});
}

Result<Notice, std::string> parse_notice(std::string_view text) {
  const auto parsed = zones::parse_json_object(text);
  if (!parsed) return std::unexpected(parsed.error());
  std::string wrong;
  Members members(*parsed, wrong);
  check_version(members);
  Notice notice;
  notice.state =
      read_word(members, "state",
                std::array{NoticeState::raised, NoticeState::changed, NoticeState::reminder,
                           NoticeState::ended, NoticeState::test});
  notice.at = members.time("at");
  notice.alert = read_alert(members.at("alert"), wrong);
  if (!members.at("before").is_null()) notice.before = read_alert(members.at("before"), wrong);
  notice.to = read_names(members);
  if (!wrong.empty()) return std::unexpected(wrong);
  return notice;
}

std::string write_told(const ToldAlerts& told) {
  json list = json::array();
  for (const auto& [key, one] : told) {
    list.push_back(
        {{"alert", alert_json(one.alert)}, {"at", zones::to_rfc3339(one.at)}, {"to", one.to}});
  }
  return dump({{"version", file_version}, {"told", list}});
}

Result<ToldAlerts, std::string> parse_told(std::string_view text) {
  const auto parsed = zones::parse_json_object(text);
  if (!parsed) return std::unexpected(parsed.error());
  std::string wrong;
  Members members(*parsed, wrong);
  check_version(members);
  ToldAlerts told;
  if (!members.at("told").is_array()) members.fail("told");
  for (const json& item : members.at("told")) {
    Members one(item, wrong);
    Told entry;
    entry.alert = read_alert(one.at("alert"), wrong);
    entry.at = one.time("at");
    entry.to = read_names(one);
    if (!wrong.empty()) return std::unexpected(wrong);
    told.insert_or_assign(entry.alert.key, std::move(entry));
  }
  if (!wrong.empty()) return std::unexpected(wrong);
  return told;
}

}  // namespace demarc::health
