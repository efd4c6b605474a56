// What vantages tell each other: verdicts on checks, signed, over HTTP. Written here by one node,
// read by another. Pure; health/vantage_checks.h keeps what was told, tools/vantage_sender.h sends.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "zones/model.h"
#include "zones/verdict.h"

namespace demarc::health {

/// Clocks of two nodes, and the way between them, may differ by this much.
inline constexpr Milliseconds observations_age_max{30'000};
inline constexpr Milliseconds observations_ahead_max{5'000};
inline constexpr std::size_t observations_bytes_max = std::size_t{1} << 20U;
/// So many in one message; more are told in several.
inline constexpr std::size_t observations_max = 5'000;
inline constexpr std::size_t observation_detail_max = 120;

struct Observation {
  std::string check;  // zones::HealthCheck::key, of the one that the vantage asks itself
  zones::Verdict verdict = zones::Verdict::unknown;
  std::string detail;
  auto operator<=>(const Observation&) const = default;
};

struct Observations {
  std::string vantage;
  WallTime at;
  std::vector<Observation> list;
  auto operator<=>(const Observations&) const = default;
};

/// One compact JWS of type `observations+jwt`; the error says what is wrong with the key.
[[nodiscard]] Result<std::string, std::string> sign_observations(
    const Observations& observations, zones::KeyAlgorithm algorithm,
    const std::string& private_key_pem);

/// Any bytes. Taken is what one of `vantages` has signed, not longer than observations_age_max ago
/// by `now`. The error says why not, without quoting the text.
[[nodiscard]] Result<Observations, std::string> read_observations(
    std::string_view text, const std::vector<zones::Vantage>& vantages, WallTime now);

}  // namespace demarc::health
