#include "health/alerts/alert_book.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace demarc::health {
namespace {

/// Whether two alerts say the same to a person. Not compared: the evidence, which may read
/// differently at each probe, and the time.
bool says_the_same(const zones::Alert& a, const zones::Alert& b) {
  const auto& x = a.details;
  const auto& y = b.details;
  return a.text == b.text && a.level == b.level && a.to_everyone == b.to_everyone &&
         x.zone == y.zone && x.service == y.service && x.tenant == y.tenant &&
         x.residency == y.residency && x.home == y.home && x.access == y.access &&
         x.regulated_tenants == y.regulated_tenants && x.state == y.state && x.wanted == y.wanted &&
         x.why == y.why && x.rule == y.rule && x.change == y.change && x.options == y.options &&
         x.approvers == y.approvers && x.deadline == y.deadline;
}

}  // namespace

AlertBook::AlertBook(BookOptions options, ToldAlerts told_before, Moment now)
    : options_(std::move(options)), started_(now.monotonic) {
  for (auto& [key, told] : told_before) {
    if (entries_.size() == options_.open_max) break;
    std::erase_if(told.to, [&](const auto& name) { return !options_.receivers.contains(name); });
    // Told so long ago, however far a wall clock jumped: at most one reminder's time.
    const auto age = std::clamp(now.wall - told.at, Milliseconds{0}, options_.reminder);
    entries_.emplace(key, Entry{.alert = told.alert,
                                .told = told,
                                .told_at = now.monotonic - age,
                                .is_confirmed = false});
  }
}

std::set<std::string> AlertBook::wanted_by(const zones::Alert& alert) const {
  std::set<std::string> names;
  for (const auto& [name, filter] : options_.receivers) {
    if (passes(filter, alert)) names.insert(name);
  }
  return names;
}

std::vector<Notice> AlertBook::raise(zones::Alert alert, const Moment& now) {
  const auto found = entries_.find(alert.key);
  if (found != entries_.end()) return take_again(found->second, std::move(alert), now);
  std::vector<Notice> notices;
  if (entries_.size() >= options_.open_max && alert.key != flood_key) {
    if (left_out_.size() < options_.open_max) left_out_.insert(alert.key);
    tell_flood(notices, now);
    return notices;
  }
  Told told{alert, now.wall, wanted_by(alert)};
  notices.push_back({NoticeState::raised, alert, now.wall, std::nullopt, told.to});
  const std::string key = alert.key;
  entries_.insert_or_assign(key, Entry{std::move(alert), std::move(told), now.monotonic, true});
  return notices;
}

std::vector<Notice> AlertBook::take_again(Entry& entry, zones::Alert alert,
                                          const Moment& now) const {
  alert.since = std::min(alert.since, entry.told.alert.since);
  const bool was_confirmed = std::exchange(entry.is_confirmed, true);
  entry.alert = std::move(alert);
  if (!says_the_same(entry.alert, entry.told.alert)) {
    if (was_confirmed && now.monotonic - entry.told_at < change_told_after) return {};
    return {tell_change(entry, now)};
  }
  // A receiver that is new in the configuration hears of what stands already.
  std::set<std::string> new_ones = wanted_by(entry.alert);
  std::erase_if(new_ones, [&](const auto& name) { return entry.told.to.contains(name); });
  if (was_confirmed || new_ones.empty()) return {};
  entry.told.to.insert(new_ones.begin(), new_ones.end());
  return {{NoticeState::raised, entry.alert, now.wall, std::nullopt, std::move(new_ones)}};
}

Notice AlertBook::tell_change(Entry& entry, const Moment& now) const {
  Notice notice{NoticeState::changed, entry.alert, now.wall, entry.told.alert, {}};
  // Who was told of it hears how it went on, also if the filter would keep it out now.
  entry.told.to.merge(wanted_by(entry.alert));
  notice.to = entry.told.to;
  entry.told.alert = entry.alert;
  entry.told.at = now.wall;
  entry.told_at = now.monotonic;
  return notice;
}

std::vector<Notice> AlertBook::end(const std::string& key, const Moment& now) {
  left_out_.erase(key);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return {};
  const Entry entry = std::move(found->second);
  entries_.erase(found);
  std::vector<Notice> notices{
      {NoticeState::ended, entry.told.alert, now.wall, std::nullopt, entry.told.to}};
  if (left_out_.empty() && key != flood_key) {
    for (Notice& notice : end(flood_key, now)) notices.push_back(std::move(notice));
  }
  return notices;
}

std::vector<Notice> AlertBook::tick(const Moment& now) {
  std::vector<Notice> notices;
  std::vector<std::string> gone;
  for (auto& [key, entry] : entries_) {
    if (!entry.is_confirmed) {
      if (now.monotonic - started_ >= settle_after) gone.push_back(key);
      continue;
    }
    const auto age = now.monotonic - entry.told_at;
    if (!says_the_same(entry.alert, entry.told.alert)) {
      if (age >= change_told_after) notices.push_back(tell_change(entry, now));
    } else if (age >= options_.reminder) {
      entry.told_at = now.monotonic;
      entry.told.at = now.wall;
      entry.told.alert = entry.alert;  // with the latest evidence
      notices.push_back(
          {NoticeState::reminder, entry.alert, now.wall, std::nullopt, entry.told.to});
    }
  }
  for (const std::string& key : gone) {
    for (Notice& notice : end(key, now)) notices.push_back(std::move(notice));
  }
  return notices;
}

void AlertBook::tell_flood(std::vector<Notice>& notices, const Moment& now) {
  zones::Alert flood{.key = flood_key,
                     .text = fmt::format("more than {} alerts stand at once: the others are told "
                                         "to nobody; `demarc alerts` lists those that are",
                                         options_.open_max),
                     .since = now.wall,
                     .level = zones::AlertLevel::critical,
                     .to_everyone = true};
  for (Notice& notice : raise(std::move(flood), now)) notices.push_back(std::move(notice));
}

std::map<std::string, zones::Alert> AlertBook::open() const {
  std::map<std::string, zones::Alert> alerts;
  for (const auto& [key, entry] : entries_) {
    if (entry.is_confirmed) alerts.emplace(key, entry.alert);
  }
  return alerts;
}

std::vector<zones::Alert> AlertBook::open_for(const std::string& receiver) const {
  std::vector<zones::Alert> alerts;
  for (const auto& [key, entry] : entries_) {
    if (entry.told.to.contains(receiver)) alerts.push_back(entry.told.alert);
  }
  return alerts;
}

ToldAlerts AlertBook::told() const {
  ToldAlerts told;
  for (const auto& [key, entry] : entries_) told.emplace(key, entry.told);
  return told;
}

}  // namespace demarc::health
