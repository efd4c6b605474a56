// Waiting for a condition with a deadline, never for a time.
#pragma once

#include <chrono>
#include <thread>

namespace demarc::testing {

/// Asks `condition` every few milliseconds until it holds or `deadline` has passed; returns whether
/// it held. It is asked at least once, and once more after the deadline.
template <typename Condition>
[[nodiscard]] bool wait_for(Condition&& condition,
                            std::chrono::milliseconds deadline = std::chrono::seconds{10}) {
  constexpr std::chrono::milliseconds pause{2};
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return condition();
    std::this_thread::sleep_for(pause);
  }
  return true;
}

}  // namespace demarc::testing
