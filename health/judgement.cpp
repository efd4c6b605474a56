#include "health/judgement.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "health/grpc_health.h"

namespace demarc::health {
namespace {

/// What a good status or handshake is worth after the check's own expectations.
ProbeResult judge_expectations(const Probe& probe, const HeardAnswer& heard, std::string detail,
                               WallTime now) {
  const auto unmet = find_unmet(probe.expect, heard, now);
  if (!unmet) return {.outcome = ProbeOutcome::pass, .detail = std::move(detail)};
  detail = fmt::format("{}, but {}", detail, unmet->why);
  if (unmet->is_silence) return judge_silence(probe, std::move(detail));
  return {.detail = std::move(detail)};
}

}  // namespace

ProbeResult judge_http(const Probe& probe, const HeardAnswer& heard, WallTime now) {
  std::string detail = fmt::format("HTTP {}", heard.status);
  const bool is_expected =
      std::ranges::any_of(probe.expect_status, [&](const zones::StatusRange& range) {
        return heard.status >= range.first && heard.status <= range.last;
      });
  if (!is_expected) return judge_silence(probe, std::move(detail));
  if (probe.http_version == zones::HttpVersion::http2 && !heard.is_http2) {
    return judge_silence(probe, detail + ", but the server chose HTTP/1.1, expected HTTP/2");
  }
  return judge_expectations(probe, heard, std::move(detail), now);
}

ProbeResult judge_grpc(const Probe& probe, const HeardAnswer& heard, WallTime now) {
  if (heard.status != 200) return judge_silence(probe, fmt::format("HTTP {}", heard.status));
  if (heard.is_body_cut) return judge_silence(probe, "gRPC: the answer is too long");
  const auto status = read_grpc_answer(heard);
  if (!status) return judge_silence(probe, "gRPC: " + status.error());
  if (*status != GrpcHealth::serving) {
    return {.detail = fmt::format("gRPC: {}", to_text(*status))};
  }
  return judge_expectations(probe, heard, "gRPC: SERVING", now);
}

ProbeResult judge_handshake(const Probe& probe, const HeardAnswer& heard, WallTime now) {
  return judge_expectations(probe, heard, "TLS handshake", now);
}

ProbeResult judge_silence(const Probe& probe, std::string detail) {
  const bool is_failure = probe.silence == zones::Silence::failure;
  return {.outcome = is_failure ? ProbeOutcome::fail : ProbeOutcome::silent,
          .detail = std::move(detail)};
}

}  // namespace demarc::health
