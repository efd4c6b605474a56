// Fuzzes zones/yaml/scenario_file.h. The law: a scenario that is read without a finding has a name,
// plays its actions by time and before its end, and never lasts longer than four hours.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "zones/yaml/scenario_file.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace demarc;
  Diagnostics findings;
  const auto scenario = zones::yaml::parse_scenario({reinterpret_cast<const char*>(data), size},
                                                    "fuzz.yaml", findings);
  require(scenario.has_value() != findings.has_errors());
  if (!scenario) return 0;
  require(!scenario->name.empty() && !scenario->timeline.empty());
  require(scenario->lasts <= zones::drill::drill_lasts_max);
  require(std::ranges::is_sorted(scenario->timeline, {}, &zones::drill::Action::at));
  for (const auto& action : scenario->timeline) require(action.at < scenario->lasts);
  for (const auto& expect : scenario->expect) require(expect.at <= scenario->lasts);
  return 0;
}
