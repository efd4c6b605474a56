// One thing to tell about an alert: that it began, changed, still stands or ended.
// health/alerts/alert_book.h makes notices, health/alerts/message.h writes them down,
// health/alerts/deliverer.h brings them to receivers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "zones/events.h"

namespace demarc::health {

enum class NoticeState : std::uint8_t { raised, changed, reminder, ended, test };

/// What a receiver was told of and still stands; an alert is shared among the receivers.
using StandingAlerts = std::vector<std::shared_ptr<const zones::Alert>>;

struct Notice {
  NoticeState state = NoticeState::raised;
  zones::Alert alert;  // of an ended one: as it was told last
  WallTime at;         // when this notice was made
  /// With `changed`: what was told before. Alertmanager knows an alert by its labels, so one whose
  /// labels changed has to be ended there.
  std::optional<zones::Alert> before;
  std::set<std::string> to;  // receivers' names
};

[[nodiscard]] constexpr std::string_view to_text(NoticeState state) noexcept {
  switch (state) {
    case NoticeState::raised:
      return "raised";
    case NoticeState::changed:
      return "changed";
    case NoticeState::reminder:
      return "reminder";
    case NoticeState::ended:
      return "ended";
    case NoticeState::test:
      return "test";
  }
  return "";
}

[[nodiscard]] constexpr std::string_view to_text(zones::AlertLevel level) noexcept {
  switch (level) {
    case zones::AlertLevel::info:
      return "info";
    case zones::AlertLevel::warning:
      return "warning";
    case zones::AlertLevel::critical:
      return "critical";
  }
  return "";
}

}  // namespace demarc::health
