#include "health/alerts/alert_book.h"

#include <algorithm>
#include <ranges>
#include <tuple>
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

// Keys of alerts that were left out, as evidence of a flood.
constexpr std::size_t left_out_named_max = 5;

/// Whether `a` is told before `b` when there is room for one: what is worse, then what is older.
bool is_more_urgent(const zones::Alert& a, const zones::Alert& b) {
  return std::tie(b.to_everyone, b.level, a.since, a.key) <
         std::tie(a.to_everyone, a.level, b.since, b.key);
}

}  // namespace

AlertBook::AlertBook(BookOptions options, ToldAlerts told_before, Moment now)
    : options_(std::move(options)), started_(now.monotonic) {
  for (auto& [key, told] : told_before) {
    if (!has_room_for(told.alert)) continue;
    std::erase_if(told.to, [&](const auto& name) { return !options_.receivers.contains(name); });
    // Told so long ago, however far a wall clock jumped: at most one reminder's time.
    const auto age = std::clamp(now.wall - told.at, Milliseconds{0}, options_.reminder);
    entries_.emplace(key, Entry{.alert = told.alert,
                                .told = told,
                                .shared = std::make_shared<const zones::Alert>(told.alert),
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

bool AlertBook::has_room_for(const zones::Alert& alert) const {
  if (alert.to_everyone) return true;
  const std::size_t standing = entries_.size() - entries_.count(flood_key);
  const bool is_critical = alert.level == zones::AlertLevel::critical;
  return standing < options_.open_max * (is_critical ? 2 : 1);
}

std::vector<Notice> AlertBook::raise(zones::Alert alert, const Moment& now) {
  const auto found = entries_.find(alert.key);
  if (found != entries_.end()) return take_again(found->second, std::move(alert), now);
  std::vector<Notice> notices;
  if (has_room_for(alert)) {
    left_out_.erase(alert.key);
    notices.push_back(take_in(std::move(alert), now));
    let_in(notices, now);
  } else {
    leave_out(std::move(alert));
    tell_flood(notices, now);
  }
  return notices;
}

Notice AlertBook::take_in(zones::Alert alert, const Moment& now) {
  Told told{alert, now.wall, wanted_by(alert)};
  Notice notice{NoticeState::raised, alert, now.wall, std::nullopt, told.to};
  const std::string key = alert.key;
  auto shared = std::make_shared<const zones::Alert>(alert);
  entries_.insert_or_assign(
      key, Entry{std::move(alert), std::move(told), std::move(shared), now.monotonic, true});
  return notice;
}

void AlertBook::leave_out(zones::Alert alert) {
  const std::string key = alert.key;
  left_out_.insert_or_assign(key, std::move(alert));
  if (left_out_.size() <= options_.left_out_max) return;
  left_out_.erase(std::ranges::max_element(left_out_, is_more_urgent,
                                           [](const auto& one) -> auto& { return one.second; }));
  has_forgotten_ = true;
}

/// Takes in what was left out as far as there is room; ends the flood when nothing is left out.
void AlertBook::let_in(std::vector<Notice>& notices, const Moment& now) {
  while (!left_out_.empty()) {
    const auto next = std::ranges::min_element(left_out_, is_more_urgent,
                                               [](const auto& one) -> auto& { return one.second; });
    if (!has_room_for(next->second)) return;
    notices.push_back(take_in(std::move(left_out_.extract(next).mapped()), now));
  }
  const auto flood = entries_.find(flood_key);
  if (flood == entries_.end() || !flood->second.is_confirmed || has_forgotten_) return;
  const Told& told = flood->second.told;
  notices.push_back({NoticeState::ended, told.alert, now.wall, std::nullopt, told.to});
  entries_.erase(flood);
}

bool AlertBook::wants_all_again() noexcept {
  return left_out_.size() < options_.left_out_max && std::exchange(has_forgotten_, false);
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
  note_told(entry, now);
  return notice;
}

void AlertBook::note_told(Entry& entry, const Moment& now) {
  entry.told.alert = entry.alert;
  entry.told.at = now.wall;
  entry.told_at = now.monotonic;
  entry.shared = std::make_shared<const zones::Alert>(entry.alert);
}

std::vector<Notice> AlertBook::end(const std::string& key, const Moment& now) {
  std::vector<Notice> notices;
  left_out_.erase(key);
  if (const auto found = entries_.find(key); found != entries_.end()) {
    const Told told = std::move(found->second.told);
    entries_.erase(found);
    notices.push_back({NoticeState::ended, told.alert, now.wall, std::nullopt, told.to});
  }
  let_in(notices, now);
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
      note_told(entry, now);  // with the latest evidence
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
                                         "when there is room; `demarc alerts` lists all",
                                         options_.open_max),
                     .since = now.wall,
                     .level = zones::AlertLevel::critical,
                     .to_everyone = true};
  flood.details.evidence = fmt::format("{} left out:", left_out_.size());
  for (const auto& [key, alert] : left_out_ | std::views::take(left_out_named_max)) {
    flood.details.evidence += " " + key;
  }
  const auto found = entries_.find(flood_key);
  if (found == entries_.end()) return notices.push_back(take_in(std::move(flood), now));
  for (Notice& notice : take_again(found->second, std::move(flood), now)) {
    notices.push_back(std::move(notice));
  }
}

std::map<std::string, zones::Alert> AlertBook::open() const {
  std::map<std::string, zones::Alert> alerts;
  for (const auto& [key, entry] : entries_) {
    if (entry.is_confirmed) alerts.emplace(key, entry.alert);
  }
  return alerts;
}

StandingAlerts AlertBook::open_for(const std::string& receiver) const {
  StandingAlerts alerts;
  for (const auto& [key, entry] : entries_) {
    if (entry.told.to.contains(receiver)) alerts.push_back(entry.shared);
  }
  return alerts;
}

ToldAlerts AlertBook::told() const {
  ToldAlerts told;
  for (const auto& [key, entry] : entries_) told.emplace(key, entry.told);
  return told;
}

}  // namespace demarc::health
