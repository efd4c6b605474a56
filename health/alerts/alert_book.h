// Which alerts stand, and what has to be told of them: one alert for a cause, a reminder while it
// lasts, an end. Pure; time comes in. health/alerts/deliverer.h carries the notices out, and
// health/alerts/message.h writes the book down so that a restart tells nothing twice.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "health/alerts/notice.h"
#include "health/alerts/receiver.h"

namespace demarc::health {

/// Alerts that stand at once. Far above what a person can read; a flood tells of itself. Critical
/// ones may be as many again, and one that is for everyone is never left out: there is one
/// break-glass at a time.
inline constexpr std::size_t alerts_open_max = 1'000;
/// Alerts kept until there is room for them: one for each of 10,000 services.
inline constexpr std::size_t alerts_left_out_max = 10'000;
/// The key of the alert that tells of alerts beyond the limit.
inline constexpr const char* flood_key = "alerts";

/// An alert whose text changes more often is told again with its latest text after this.
inline constexpr Milliseconds change_told_after{10'000};
/// After a start: what the last run told of and nobody raised again by then has ended meanwhile.
inline constexpr Milliseconds settle_after{60'000};

/// What was told of one alert last, and to whom.
struct Told {
  zones::Alert alert;
  WallTime at;
  std::set<std::string> to;
};
using ToldAlerts = std::map<std::string, Told>;  // by key

struct BookOptions {
  Milliseconds reminder{std::chrono::hours{1}};
  std::map<std::string, AlertFilter> receivers;  // by name
  std::size_t open_max = alerts_open_max;
  std::size_t left_out_max = alerts_left_out_max;
};

/// One thread. Levels, text, `to_everyone`, and the details but the evidence are what an alert
/// says; an alert that says the same as before is not told again before its reminder.
class AlertBook {
 public:
  AlertBook(BookOptions options, ToldAlerts told_before, Moment now);

  /// The cause stands, with this to say. What comes back is to be told now.
  [[nodiscard]] std::vector<Notice> raise(zones::Alert alert, const Moment& now);
  /// The cause is gone. What was left out for want of room is told now if there is some.
  [[nodiscard]] std::vector<Notice> end(const std::string& key, const Moment& now);
  /// Reminders, held-back changes and ends that are due; about once a second.
  [[nodiscard]] std::vector<Notice> tick(const Moment& now);

  /// Alerts that stand, by key, as they were raised last.
  [[nodiscard]] std::map<std::string, zones::Alert> open() const;
  /// Those that a receiver knows of, as they were told last: shared, not copied.
  [[nodiscard]] StandingAlerts open_for(const std::string& receiver) const;
  /// To be kept over a restart.
  [[nodiscard]] ToldAlerts told() const;
  /// Told to nobody until there is room.
  [[nodiscard]] std::size_t left_out() const noexcept { return left_out_.size(); }
  /// Once, when alerts were left out that are not even kept, and some could be kept by now: then
  /// everything that stands is to be raised again.
  [[nodiscard]] bool wants_all_again() noexcept;

 private:
  struct Entry {
    zones::Alert alert;                               // as it stands
    Told told;                                        // as it was told
    std::shared_ptr<const zones::Alert> shared = {};  // told.alert, for all who were told
    MonotonicTime told_at{};
    bool is_confirmed = true;  // raised in this run, not only known from the last one
  };
  [[nodiscard]] std::set<std::string> wanted_by(const zones::Alert& alert) const;
  static void note_told(Entry& entry, const Moment& now);
  [[nodiscard]] Notice tell_change(Entry& entry, const Moment& now) const;
  [[nodiscard]] std::vector<Notice> take_again(Entry& entry, zones::Alert alert,
                                               const Moment& now) const;
  [[nodiscard]] bool has_room_for(const zones::Alert& alert) const;
  [[nodiscard]] Notice take_in(zones::Alert alert, const Moment& now);
  void leave_out(zones::Alert alert);
  void let_in(std::vector<Notice>& notices, const Moment& now);
  void tell_flood(std::vector<Notice>& notices, const Moment& now);

  BookOptions options_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, zones::Alert> left_out_;  // by key, at most left_out_max of them
  bool has_forgotten_ = false;                    // more than that were left out
  MonotonicTime started_{};
};

}  // namespace demarc::health
