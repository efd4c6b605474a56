// Probes of one datagram there and one back: a DNS question, an ICMP echo. Nothing here waits:
// health/transfers.h does, for all kinds at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "geo/base/descriptor.h"
#include "health/probe.h"

namespace demarc::health {

/// Owned and used by one thread. Each probe has a socket of its own, connected to the first of its
/// addresses, so that only that host's packets reach it. A lost packet is sent again once, after
/// half of the timeout.
class DatagramProbes {
 public:
  using Clock = std::chrono::steady_clock;

  explicit DatagramProbes(std::uint64_t seed) : random_(seed) {}

  /// Begins a probe of a target that has none in flight; it ends in collect().
  void start(TargetId target, const Probe& probe, Clock::time_point now);
  void cancel(TargetId target) { running_.erase(target); }

  /// Takes what came and what is over by `now`.
  void collect(Clock::time_point now, std::vector<FinishedProbe>& finished);

  /// Appends those to wait for.
  void add_descriptors(std::vector<int>& descriptors) const;
  /// When collect() has something to do though nothing comes; max(): never.
  [[nodiscard]] Clock::time_point next_deadline() const noexcept;
  [[nodiscard]] std::size_t in_flight() const noexcept { return running_.size(); }

 private:
  struct Running {
    Probe probe;
    Descriptor socket;
    std::uint64_t token = 0;  // the low 16 bits are a DNS question's ID
    std::vector<std::uint8_t> request;
    Clock::time_point started, again, deadline;
  };
  static void send_again(Running& running, Clock::time_point now);
  [[nodiscard]] static std::optional<ProbeResult> receive(const Running& running);

  std::map<TargetId, Running> running_;
  std::vector<FinishedProbe> ended_;  // the next collect() gives them back
  std::mt19937_64 random_;
};

}  // namespace demarc::health
