#include "health/grpc_health.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace demarc::health {
namespace {

constexpr std::size_t frame_bytes = 5;  // whether it is compressed, and its length
constexpr std::uint8_t field_one_text = 0x0a;
constexpr std::uint8_t field_one_number = 0x08;

/// gRPC's own codes; those that a health service gives.
std::string status_text(std::string_view code) {
  if (code == "5") return "NOT_FOUND: it does not know the service";
  if (code == "12") return "UNIMPLEMENTED: it has no health service";
  if (code == "14") return "UNAVAILABLE";
  const bool is_number = !code.empty() && code.size() <= 3 &&
                         std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? fmt::format("status {}", code) : std::string("a status that is no number");
}

/// Protocol Buffers' base-128 number, at the front of `bytes`; nothing: it does not end.
std::optional<std::uint64_t> take_number(std::string_view& bytes) {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    number |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if (byte < 0x80) return number;
  }
  return std::nullopt;
}

/// Field 1 of a message that has no other; left out it is 0, which is unknown.
Result<GrpcHealth, std::string> read_message(std::string_view message) {
  std::uint64_t status = 0;
  while (!message.empty()) {
    const auto key = take_number(message);
    const auto value = key == field_one_number ? take_number(message) : std::nullopt;
    if (!value) return std::unexpected(std::string("not a health message"));
    status = *value;
  }
  if (status > static_cast<std::uint64_t>(GrpcHealth::service_unknown)) {
    return std::unexpected(std::string("a serving status that nobody knows"));
  }
  return static_cast<GrpcHealth>(status);
}

}  // namespace

std::string_view to_text(GrpcHealth health) noexcept {
  switch (health) {
    case GrpcHealth::unknown:
      return "UNKNOWN";
    case GrpcHealth::serving:
      return "SERVING";
    case GrpcHealth::not_serving:
      return "NOT_SERVING";
    case GrpcHealth::service_unknown:
      return "SERVICE_UNKNOWN";
  }
  return "UNKNOWN";
}

std::string write_grpc_request(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  std::string message;
  if (!path.empty()) {
    message += static_cast<char>(field_one_text);
    std::size_t length = path.size();
    for (; length >= 0x80; length >>= 7U) message += static_cast<char>(0x80U | (length & 0x7fU));
    message += static_cast<char>(length);
    message += path;
  }
  std::string frame(1, '\0');
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    frame += static_cast<char>(message.size() >> shift & 0xffU);
  }
  return frame + message;
}

Result<GrpcHealth, std::string> read_grpc_answer(const HeardAnswer& heard) {
  const auto status =
      std::ranges::find(heard.headers, "grpc-status", &std::pair<std::string, std::string>::first);
  if (status == heard.headers.end()) return std::unexpected(std::string("no grpc-status"));
  if (status->second != "0") return std::unexpected(status_text(status->second));
  const std::string_view body = heard.body;
  if (body.size() < frame_bytes) return std::unexpected(std::string("no message"));
  if (body[0] != '\0') return std::unexpected(std::string("a compressed message"));
  std::size_t length = 0;
  for (std::size_t i = 1; i < frame_bytes; ++i) {
    length = length << 8U | static_cast<std::uint8_t>(body[i]);
  }
  if (length != body.size() - frame_bytes) return std::unexpected(std::string("not one message"));
  return read_message(body.substr(frame_bytes));
}

}  // namespace demarc::health
