// What the evidence says of an endpoint, and what people say instead. health/ finds verdicts,
// zones/steering.h acts on them.
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

/// What a human's order does to a record; each wins over health, none over the gate.
enum class OrderKind : std::uint8_t {
  drain,       // no weight, and it answers only if nobody else lawful can
  force_up,    // its checks count as well
  force_down,  // its checks count as failing, on-fail applies
};

[[nodiscard]] constexpr std::string_view to_text(OrderKind kind) noexcept {
  switch (kind) {
    case OrderKind::drain:
      return "drain";
    case OrderKind::force_up:
      return "force-up";
    case OrderKind::force_down:
      return "force-down";
  }
  return "drain";
}

[[nodiscard]] constexpr std::optional<OrderKind> parse_order_kind(std::string_view text) noexcept {
  for (const OrderKind kind : {OrderKind::drain, OrderKind::force_up, OrderKind::force_down}) {
    if (to_text(kind) == text) return kind;
  }
  return std::nullopt;
}

[[nodiscard]] constexpr std::optional<Verdict> parse_verdict(std::string_view text) noexcept {
  for (const Verdict verdict :
       {Verdict::unknown, Verdict::up, Verdict::degraded, Verdict::down, Verdict::stale}) {
    if (to_text(verdict) == text) return verdict;
  }
  return std::nullopt;
}

}  // namespace demarc::zones
