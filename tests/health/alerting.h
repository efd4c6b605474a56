// Shared by the tests about alerts: one alert with everything a person needs, and a clock of
// numbers.
#pragma once

#include <string>

#include "health/alerts/message.h"
#include "health/alerts/notice.h"

namespace demarc::health {

inline WallTime wall_at(std::int64_t seconds) {
  return WallTime{Seconds{1'795'414'200 + seconds}};  // 2026-11-23T06:10:00Z and so on
}

inline Moment at(std::int64_t seconds) {
  return {wall_at(seconds), MonotonicTime{Seconds{1'000 + seconds}}};
}

inline zones::Alert held_alert(const std::string& key = "held/ch-1") {
  zones::Alert alert{.key = key,
                     .text = "Do not fail over api.example.com without approval",
                     .since = wall_at(0),
                     .level = zones::AlertLevel::critical};
  alert.details = {
      .zone = "example.com",
      .service = "api.example.com",
      .tenant = {},
      .residency = "hard",
      .home = "EU",
      .access = "write",
      .regulated_tenants = 2,
      .state = "held",
      .wanted = "move from eu to global-failover",
      .why = "no grant covers it",
      .rule = "no-grant",
      .evidence = "HTTP 503",
      .change = "ch-1",
      .options = {{"wait for eu", ""}, {"get it approved", "demarc approve token.jwt"}},
      .approvers = {"1 legal, 1 security"},
      .deadline = wall_at(3'600)};
  return alert;
}

inline Notice held_notice(NoticeState state = NoticeState::raised,
                          const std::string& key = "held/ch-1") {
  return {state, held_alert(key), wall_at(1), std::nullopt, {"oncall"}};
}

}  // namespace demarc::health
