// What a probe's answer is worth: pass, failure, or no word about the endpoint at all. Pure;
// health/curl_transfers.cpp hears the answers.
#pragma once

#include <string>

#include "health/expectation.h"
#include "health/probe.h"

namespace demarc::health {

/// A whole answer of HTTP: its status, its version, and what the check expects of it.
[[nodiscard]] ProbeResult judge_http(const Probe& probe, const HeardAnswer& heard, WallTime now);

/// An answer of gRPC's health service (health/grpc_health.h).
[[nodiscard]] ProbeResult judge_grpc(const Probe& probe, const HeardAnswer& heard, WallTime now);

/// A handshake that went well, and what the check expects of its certificate.
[[nodiscard]] ProbeResult judge_handshake(const Probe& probe, const HeardAnswer& heard,
                                          WallTime now);

/// No answer, or none that can be read; what that means is the check's to say.
[[nodiscard]] ProbeResult judge_silence(const Probe& probe, std::string detail);

}  // namespace demarc::health
