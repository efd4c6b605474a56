// A drill in shadow: the real steering, gate and tokens on a virtual clock, nothing on the wire.
// Evidence comes from outside (tools/drill_evidence.h runs the real verdict machines for it); the
// same request makes the same report, byte for byte.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "geo/base/result.h"
#include "zones/drill/report.h"
#include "zones/drill/scenario.h"
#include "zones/events.h"
#include "zones/model.h"
#include "zones/verdict.h"

namespace demarc::zones::drill {

/// A verdict that a check comes to, `at` after the drill's start; before it: warming up.
struct Evidence {
  Milliseconds at{0};
  std::string check;
  Verdict verdict = Verdict::unknown;
  std::string detail;
};

struct ShadowRequest {
  const Scenario& scenario;                        // checked by check_scenario()
  std::unique_ptr<Repository> repository;          // its public keys are replaced
  std::vector<Evidence> evidence;                  // by time
  std::map<std::string, std::string> token_files;  // TokenPlan::file -> content
  WallTime started;                                // whole seconds
  std::uint64_t seed = 0;  // for the report: what the evidence was made with
  std::string scenario_digest;
};

/// Plays the scenario from its first verdicts to its end. The keys of the policy are replaced by
/// fresh ones of the same id, person, role and algorithm, unless all of its tokens are files; so
/// the tokens of the scenario are really signed and really checked. The error says what cannot be.
[[nodiscard]] Result<Report, std::string> run_shadow(ShadowRequest request);

}  // namespace demarc::zones::drill
