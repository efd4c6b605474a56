// What a drill is worth: how long each service was without a good answer, whether the expectations
// held, and the verdict over all. Pure; fills in a report whose lanes and marks are there.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "zones/drill/report.h"
#include "zones/drill/scenario.h"
#include "zones/model.h"

namespace demarc::zones::drill {

/// From a decision to the queries that get it: DESIGN.md section 8 grants this much.
inline constexpr Milliseconds publish_budget{10};

/// The longest time from an endpoint's death to the verdict. It dies just after a good probe,
/// `fall` more probes start, the last of them runs into its timeout.
[[nodiscard]] constexpr Milliseconds detection_worst_case(const HealthCheck& check) noexcept {
  return check.fall * check.interval + check.timeout;
}

/// Worst time from an endpoint's death until caches ask again: detection, publication, and the old
/// answer's TTL (RFC 1035 §3.2.1). Resolvers that serve stale data (RFC 8767) are outside it.
[[nodiscard]] constexpr Milliseconds rto_worst_case(const HealthCheck& check,
                                                    Seconds ttl) noexcept {
  return detection_worst_case(check) + publish_budget + ttl;
}

/// When what failed in a drill is down, by endpoint's host name.
class Outages {
 public:
  Outages(const Scenario& scenario, const Repository& repository);

  /// The endpoints that are down at `at`; a recovery's own moment is up again.
  [[nodiscard]] bool is_down(const std::string& endpoint, Milliseconds at) const;
  [[nodiscard]] FailureKind how(const std::string& endpoint, Milliseconds at) const;
  /// Moments at which something fails, or recovers, ascending.
  [[nodiscard]] const std::vector<Milliseconds>& failures() const noexcept { return failures_; }
  [[nodiscard]] const std::vector<Milliseconds>& recoveries() const noexcept { return recoveries_; }

 private:
  struct Outage {
    Milliseconds from{0}, to{0};
    FailureKind how = FailureKind::silent;
  };
  std::map<std::string, std::vector<Outage>> outages_;
  std::vector<Milliseconds> failures_, recoveries_;
};

/// When the verdict of a check became down, since the drill's start; ascending.
using DownVerdicts = std::map<std::string, std::vector<Milliseconds>>;

/// Fills in recoveries, expectations and `passed`. `down` may be empty of a live drill, where the
/// verdicts are overruled at once: detection is then taken at its worst.
void judge(Report& report, const Scenario& scenario, const Repository& repository,
           const DownVerdicts& down);

/// Adds the conditions that follow from the repository to those the scenario states: what starts a
/// failover, who must sign, and what ends it. And who must sign the report: of each role the larger
/// number that the scenario or the policy asks for.
void add_conditions(Report& report, const Scenario& scenario, const Repository& repository);

}  // namespace demarc::zones::drill
