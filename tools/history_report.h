// `demarc status --history`: how each check fared over some time, as JSON, and the same for people.
// tools/history_store.h holds what it is made of.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tools/history_store.h"

namespace demarc::tools {

/// Changes of one report, the last ones; the sums count all.
inline constexpr std::size_t history_changes_max = 1000;

/// What is asked: checks whose key has `part` in it, all if it is empty, from `since` to `now`.
struct HistoryRequest {
  std::string part;
  WallTime since;
  WallTime now;
};

/// Sums per check and the changes, newest first. While the server was away a check is neither up
/// nor down. Percentiles are of the UTC days that the time touches, of probes that passed.
[[nodiscard]] nlohmann::json history_report(const std::vector<HistoryChange>& changes,
                                            const std::vector<HistoryLatency>& latencies,
                                            const HistoryRequest& request);

/// Reads the file at `path`. The error says why it cannot.
[[nodiscard]] Result<nlohmann::json, std::string> read_history(const std::string& path,
                                                               const HistoryRequest& request);

[[nodiscard]] std::string history_text(const nlohmann::json& report);

}  // namespace demarc::tools
