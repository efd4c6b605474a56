// gRPC's health service as bytes: the question of grpc.health.v1.Health/Check, and what its answer
// says. Small enough to be written out: one field each. health/curl_transfers.cpp carries it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "geo/base/result.h"
#include "health/expectation.h"

namespace demarc::health {

inline constexpr std::string_view grpc_health_path = "/grpc.health.v1.Health/Check";

/// HealthCheckResponse.ServingStatus.
enum class GrpcHealth : std::uint8_t { unknown, serving, not_serving, service_unknown };
[[nodiscard]] std::string_view to_text(GrpcHealth health) noexcept;

/// The message with its length before it; `path` is "" for the whole server, else "/SERVICE".
[[nodiscard]] std::string write_grpc_request(std::string_view path);

/// Body and `grpc-status` of an answer, any bytes. The error says what is wrong, or which error the
/// server tells.
[[nodiscard]] Result<GrpcHealth, std::string> read_grpc_answer(const HeardAnswer& heard);

}  // namespace demarc::health
