// What is probed: the checks of a repository, the same question asked once.
// health/checks.h keeps what we believe of each target, health/curl_transfers.h asks.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "geo/base/address.h"
#include "geo/base/moment.h"
#include "health/verdict_machine.h"
#include "zones/model.h"

namespace demarc::health {

/// One target while it is probed; never used again after the target is gone.
enum class TargetId : std::uint64_t {};

/// One question and how it is judged. Equal probes are the same target.
struct Probe {
  zones::ProbeScheme scheme = zones::ProbeScheme::https;
  std::string host;  // for Host and SNI; resolved if there are no addresses
  std::uint16_t port = 443;
  std::string path = "/";  // with its query; of a local one the file's name; empty for tcp, tls
  zones::ProbeMethod method = zones::ProbeMethod::get;
  zones::HttpVersion http_version = zones::HttpVersion::http1_1;
  std::vector<geo::Address> addresses;  // where to connect; the first that accepts is asked
  std::uint16_t connect_port = 443;     // differs from `port` with `probe-at`
  CheckTiming timing;
  std::vector<zones::StatusRange> expect_status;  // empty for tcp and tls
  zones::ExpectedAnswer expect;
  zones::Silence silence = zones::Silence::failure;
  Milliseconds certificate_every{0};  // how long a TLS session may be resumed; 0: never

  /// "https://api.eu.example.sov:8443/health"; "tcp://host:port".
  [[nodiscard]] std::string url() const;

  auto operator<=>(const Probe&) const = default;
};

/// A probe and the checks that use its results.
struct ProbeTarget {
  Probe probe;
  std::vector<std::string> keys;  // zones::HealthCheck::key; at least one
};

/// What one probe found. `detail` is short, printable and made by us: "HTTP 503", "connection
/// refused", "timeout after 4000 ms", "certificate: certificate has expired".
struct ProbeResult {
  ProbeOutcome outcome = ProbeOutcome::fail;
  std::string detail;
  std::chrono::microseconds latency{0};
  std::optional<WallTime> certificate_end;  // https, tls: when the server's own certificate ends
};

/// The end of one probe.
struct FinishedProbe {
  TargetId target{};
  ProbeResult result;
  bool is_timeout = false;  // the result is a failure because time ran out
};

/// All checks of a repository that ask something themselves. Two that ask the same of the same
/// addresses with the same timing and expectations become one target with two keys. In a fixed
/// order for a given repository.
[[nodiscard]] std::vector<ProbeTarget> build_targets(const zones::Repository& repository);

}  // namespace demarc::health
