// What measurements say: medians over rounds with their spread, and ratios within one run.
// tools/load/load_main.cpp prints it as a table or as JSON.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tools/load/measure.h"

namespace demarc::tools::load {

/// All rounds of one server. The first tally of each is the load, the second, if any, the flood.
struct Rounds {
  std::string server;
  std::vector<Measured> rounds;
};

/// The median of an odd number of values, of an even one the lower middle; 0 of none.
[[nodiscard]] double median(std::vector<double> values);

/// `results[0]` is what the others' CPU time is compared with, as `ratio`.
[[nodiscard]] nlohmann::json report_of(const std::vector<Rounds>& results);
/// The same as a Markdown table.
[[nodiscard]] std::string table_of(const nlohmann::json& report);

}  // namespace demarc::tools::load
