// Shared by the tests that probe real servers: a probe of a backend, and one result of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "health/curl_transfers.h"
#include "tests/support/http_backend.h"

namespace demarc::health {

inline constexpr const char* probed_host = "api.eu.example.sov";

inline geo::Address loopback() { return geo::Address::ipv4(0x7f000001); }

/// Asks `port` on 127.0.0.1 as if it were http://api.eu.example.sov:port/health.
inline Probe local_probe(std::uint16_t port, zones::ProbeScheme scheme = zones::ProbeScheme::http) {
  return {.scheme = scheme,
          .host = probed_host,
          .port = port,
          .path = "/health",
          .addresses = {loopback()},
          .connect_port = port,
          .timing = {.interval = std::chrono::seconds{10}, .timeout = std::chrono::seconds{5}},
          .expect_status = {{200, 299}}};
}

/// One probe from its start to its end, as target 1; nothing if it has not ended by `deadline`.
inline std::optional<ProbeResult> probe_once(
    CurlTransfers& transfers, const Probe& probe,
    std::chrono::milliseconds deadline = std::chrono::seconds{15}) {
  transfers.start(TargetId{1}, probe);
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (std::chrono::steady_clock::now() < end) {
    const auto finished = transfers.wait(Milliseconds{50});
    if (!finished.empty()) return finished.front().result;
  }
  return std::nullopt;
}

/// The same, by transfers that know nothing of earlier ones.
inline std::optional<ProbeResult> probe_once(
    const Probe& probe, const TransferOptions& options = {},
    std::chrono::milliseconds deadline = std::chrono::seconds{15}) {
  auto transfers = CurlTransfers::create(options);
  if (!transfers) return std::nullopt;
  return probe_once(**transfers, probe, deadline);
}

}  // namespace demarc::health
