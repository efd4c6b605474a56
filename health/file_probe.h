// A file that somebody else keeps up to date: its first word is the verdict, and its age counts
// like that of any evidence.
#pragma once

#include <string>

#include "health/probe.h"

namespace demarc::health {

inline constexpr std::size_t evidence_bytes_max = 4096;

/// Reads `probe.path`, a name without slashes, in `folder`: a line that begins with `up`,
/// `degraded` or `down`, and may go on with why. A file that is missing, says something else, or
/// was last written more than stale_after() ago tells nothing. Never waits for a writer.
[[nodiscard]] ProbeResult probe_file(const Probe& probe, const std::string& folder, WallTime now);

/// The line itself, any bytes.
[[nodiscard]] ProbeResult judge_evidence(std::string_view text);

}  // namespace demarc::health
