#include "tools/drill_due.h"

#include <algorithm>

#include <fmt/format.h>

#include "zones/time_text.h"

namespace demarc::tools {
namespace {

std::string date_of(WallTime time) { return zones::to_rfc3339(time).substr(0, 10); }

auto days(Milliseconds duration) { return std::chrono::floor<std::chrono::days>(duration).count(); }

}  // namespace

std::optional<zones::Alert> find_drill_due(const zones::Repository& repository,
                                           const DrillRecord& record, WallTime now) {
  const bool has_borders = std::ranges::any_of(repository.services, [](const auto& service) {
    return service.residency != zones::Residency::none;
  });
  const WallTime from = record.passed.value_or(record.serving_since);
  const WallTime due = from + repository.policy.drill_due;
  if (!has_borders || now < due) return std::nullopt;
  zones::Alert alert{.key = drill_due_key, .since = due};
  alert.level = record.passed ? zones::AlertLevel::warning : zones::AlertLevel::info;
  alert.text = record.passed
                   ? fmt::format("the last passed drill is of {}: a drill is due every {} days",
                                 date_of(*record.passed), days(repository.policy.drill_due))
                   : fmt::format(
                         "no drill has passed since this node began to serve on {}: one "
                         "is due every {} days",
                         date_of(from), days(repository.policy.drill_due));
  alert.details.state = "drill-due";
  alert.details.options = {{"run a drill in shadow, which changes nothing on the wire",
                            "demarc drill run SCENARIO --repository DIR"}};
  return alert;
}

}  // namespace demarc::tools
