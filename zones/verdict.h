// What the evidence says of an endpoint. health/ finds verdicts, zones/steering.h acts on them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace demarc::zones {

enum class Verdict : std::uint8_t { unknown, up, degraded, down, stale };

[[nodiscard]] constexpr std::string_view to_text(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::unknown:
      return "unknown";
    case Verdict::up:
      return "up";
    case Verdict::degraded:
      return "degraded";
    case Verdict::down:
      return "down";
    case Verdict::stale:
      return "stale";
  }
  return "unknown";
}

[[nodiscard]] constexpr std::optional<Verdict> parse_verdict(std::string_view text) noexcept {
  for (const Verdict verdict :
       {Verdict::unknown, Verdict::up, Verdict::degraded, Verdict::down, Verdict::stale}) {
    if (to_text(verdict) == text) return verdict;
  }
  return std::nullopt;
}

}  // namespace demarc::zones
