// Alerts as bytes: a webhook's JSON, Alertmanager's JSON, and the files that outlive a restart.
// Pure. health/alerts/notice.h is what goes in; tools/README.md tells receivers how to read it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "health/alerts/alert_book.h"
#include "health/alerts/notice.h"

namespace demarc::health {

/// Grows when a member of the webhook's body changes its meaning or goes; new ones may come.
inline constexpr int webhook_version = 1;

/// How long Alertmanager believes an alert without hearing of it again; we say it again five times
/// as often.
inline constexpr Milliseconds alertmanager_believes{300'000};
inline constexpr Milliseconds alertmanager_repeat{60'000};

/// What every message says of the node that sends it.
struct Sender {
  std::string node;
  std::string status_url;  // of the node's /status; empty: it has none
};

/// The same for the same notice, also after a restart: a receiver may drop what it has already.
[[nodiscard]] std::string notice_id(const Notice& notice);

/// The body that a webhook gets.
[[nodiscard]] std::string write_webhook(const Notice& notice, const Sender& sender);

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 with `secret` of the seconds in decimal, a dot and the body.
[[nodiscard]] std::string write_signature(std::string_view secret, WallTime now,
                                          std::string_view body);

/// The body of POST /api/v2/alerts. Of a change that gives the alert other labels, the one under
/// the old labels ends.
[[nodiscard]] std::string write_alertmanager(const Notice& notice, const Sender& sender,
                                             WallTime now);
/// The same for everything that stands, to be said again every alertmanager_repeat.
[[nodiscard]] std::string write_alertmanager(
    std::span<const std::shared_ptr<const zones::Alert>> standing, const Sender& sender,
    WallTime now);

/// A notice as a file of the spool, and back. Any bytes may be read; the error says what is wrong.
[[nodiscard]] std::string write_notice(const Notice& notice);
[[nodiscard]] Result<Notice, std::string> parse_notice(std::string_view text);

/// The book as a file, and back.
[[nodiscard]] std::string write_told(const ToldAlerts& told);
[[nodiscard]] Result<ToldAlerts, std::string> parse_told(std::string_view text);

}  // namespace demarc::health
