#include "tests/support/http2_answer.h"

#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace demarc::testing {

namespace {

// RFC 9113 §6: the frame types and flags that are needed here.
constexpr std::uint8_t data_frame = 0;
constexpr std::uint8_t headers_frame = 1;
constexpr std::uint8_t settings_frame = 4;
constexpr std::uint8_t ack_flag = 1;
constexpr std::uint8_t end_stream_flag = 1;
constexpr std::uint8_t end_headers_flag = 4;
constexpr std::size_t frame_header_bytes = 9;
constexpr std::string_view preface_rest = "SM\r\n\r\n";

/// Length (24 bits), type, flags, stream (31 bits), then the payload (RFC 9113 §4.1).
std::string frame(std::uint8_t type, std::uint8_t flags, std::string_view stream,
                  std::string_view payload) {
  std::string bytes;
  for (const int shift : {16, 8, 0}) bytes += static_cast<char>(payload.size() >> shift & 0xff);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  return bytes.append(stream).append(payload);
}

/// `:status` is name 8 of HPACK's static table, its value plain text (RFC 7541 §6.2.2).
std::string status_field(int status) {
  const std::string text = fmt::format("{}", status);
  return std::string("\x08") + static_cast<char>(text.size()) + text;
}

/// Name and value plain text (RFC 7541 §6.2.2), each below 127 bytes.
std::string plain_field(const std::string& name, const std::string& value) {
  std::string field(1, '\0');
  for (const std::string& part : {name, value}) field += static_cast<char>(part.size()) + part;
  return field;
}

}  // namespace

bool is_http2_preface(std::string_view head) { return head.starts_with("PRI * HTTP/2.0\r\n"); }

void answer_http2(Stream& stream, int status, std::string_view body,
                  const std::vector<std::pair<std::string, std::string>>& trailers) {
  const std::string connection(4, '\0');
  if (!stream.take(preface_rest.size())) return;
  if (!stream.write(frame(settings_frame, 0, connection, ""))) return;
  while (const auto header = stream.take(frame_header_bytes)) {
    const auto byte = [&header](std::size_t at) {
      return std::size_t{static_cast<std::uint8_t>((*header)[at])};
    };
    const std::size_t size = byte(0) << 16U | byte(1) << 8U | byte(2);
    if (!stream.take(size)) return;
    if (byte(3) == settings_frame && (byte(4) & ack_flag) == 0) {
      stream.write(frame(settings_frame, ack_flag, connection, ""));
    }
    const bool is_of_request = byte(3) == headers_frame || byte(3) == data_frame;
    if (!is_of_request || (byte(4) & end_stream_flag) == 0) continue;
    const std::string_view asked_on = std::string_view(*header).substr(5);
    stream.write(frame(headers_frame, end_headers_flag, asked_on, status_field(status)));
    const std::uint8_t last = trailers.empty() ? end_stream_flag : 0;
    stream.write(frame(data_frame, last, asked_on, body));
    std::string fields;
    for (const auto& [name, value] : trailers) fields += plain_field(name, value);
    constexpr std::uint8_t ends = end_headers_flag | end_stream_flag;
    if (!trailers.empty()) stream.write(frame(headers_frame, ends, asked_on, fields));
    stream.wait_for_end();
    return;
  }
}

}  // namespace demarc::testing
