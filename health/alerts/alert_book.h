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

/// Alerts that stand at once. Far above what a person can read; a flood tells of itself.
inline constexpr std::size_t alerts_open_max = 1'000;
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
};

/// One thread. Levels, text, `to_everyone`, and the details but the evidence are what an alert
/// says; an alert that says the same as before is not told again before its reminder.
class AlertBook {
 public:
  AlertBook(BookOptions options, ToldAlerts told_before, Moment now);

  /// The cause stands, with this to say. What comes back is to be told now.
  [[nodiscard]] std::vector<Notice> raise(zones::Alert alert, const Moment& now);
  /// The cause is gone. Nothing if no such alert stands.
  [[nodiscard]] std::vector<Notice> end(const std::string& key, const Moment& now);
  /// Reminders, held-back changes and ends that are due; about once a second.
  [[nodiscard]] std::vector<Notice> tick(const Moment& now);

  /// Alerts that stand, by key, as they were raised last.
  [[nodiscard]] std::map<std::string, zones::Alert> open() const;
  /// Those of them that a receiver knows of.
  [[nodiscard]] std::vector<zones::Alert> open_for(const std::string& receiver) const;
  /// To be kept over a restart.
  [[nodiscard]] ToldAlerts told() const;
  /// Raised while open_max stood, and so told to nobody.
  [[nodiscard]] std::size_t left_out() const noexcept { return left_out_.size(); }

 private:
  struct Entry {
    zones::Alert alert;  // as it stands
    Told told;           // as it was told
    MonotonicTime told_at{};
    bool is_confirmed = true;  // raised in this run, not only known from the last one
  };
  [[nodiscard]] std::set<std::string> wanted_by(const zones::Alert& alert) const;
  [[nodiscard]] Notice tell_change(Entry& entry, const Moment& now) const;
  [[nodiscard]] std::vector<Notice> take_again(Entry& entry, zones::Alert alert,
                                               const Moment& now) const;
  void tell_flood(std::vector<Notice>& notices, const Moment& now);

  BookOptions options_;
  std::map<std::string, Entry> entries_;
  std::set<std::string> left_out_;  // keys, at most open_max of them
  MonotonicTime started_{};
};

}  // namespace demarc::health
