// What a health check can ask, and what it can expect of the answer. zones/model.h has the check,
// zones/yaml/check_file.h reads it, health/probe.h asks.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "geo/base/address.h"
#include "geo/base/moment.h"

namespace demarc::zones {

enum class ProbeScheme : std::uint8_t {
  http,
  https,
  tcp,      // a connection
  tls,      // a handshake
  dns,      // one question over UDP
  icmp,     // an echo
  grpc,     // its health service, over HTTP/2
  grpcs,    // the same over TLS
  file,     // what somebody else wrote there
  program,  // what it ends with
};

/// What each scheme has and does.
struct SchemeFacts {
  std::string_view name;
  std::optional<std::uint16_t> default_port;
  bool has_certificate = false;
  bool asks_http = false;  // with what may be set of a request, and expected of an answer
  bool is_by_libcurl = true;
  bool is_local = false;  // a name in a folder of the node's own, not a host
};

[[nodiscard]] constexpr SchemeFacts facts_of(ProbeScheme scheme) noexcept {
  switch (scheme) {
    case ProbeScheme::http:
      return {.name = "http", .default_port = 80, .asks_http = true};
    case ProbeScheme::https:
      return {.name = "https", .default_port = 443, .has_certificate = true, .asks_http = true};
    case ProbeScheme::tcp:
      return {.name = "tcp"};
    case ProbeScheme::tls:
      return {.name = "tls", .has_certificate = true};
    case ProbeScheme::dns:
      return {.name = "dns", .default_port = 53, .is_by_libcurl = false};
    case ProbeScheme::icmp:
      return {.name = "icmp", .default_port = 0, .is_by_libcurl = false};
    case ProbeScheme::grpc:
      return {.name = "grpc"};
    case ProbeScheme::grpcs:
      return {.name = "grpcs", .default_port = 443, .has_certificate = true};
    case ProbeScheme::file:
      return {.name = "file", .default_port = 0, .is_by_libcurl = false, .is_local = true};
    case ProbeScheme::program:
      return {.name = "program", .default_port = 0, .is_by_libcurl = false, .is_local = true};
  }
  return {.name = "tcp"};
}

enum class ProbeMethod : std::uint8_t { get, head };
/// With `http2` the answer must be in it, too. Over http `http2` is spoken from the first byte
/// (RFC 9113 §3.3).
enum class HttpVersion : std::uint8_t { http1_1, http2 };

/// Nothing is asked after the connection, or the handshake.
[[nodiscard]] constexpr bool is_bare(ProbeScheme scheme) noexcept {
  return scheme == ProbeScheme::tcp || scheme == ProbeScheme::tls;
}
[[nodiscard]] constexpr bool asks_grpc(ProbeScheme scheme) noexcept {
  return scheme == ProbeScheme::grpc || scheme == ProbeScheme::grpcs;
}
[[nodiscard]] constexpr bool has_certificate(ProbeScheme scheme) noexcept {
  return facts_of(scheme).has_certificate;
}

struct StatusRange {
  std::uint16_t first = 200;
  std::uint16_t last = 299;
  auto operator<=>(const StatusRange&) const = default;
};

struct ProbeAt {
  geo::Address address;
  std::uint16_t port = 0;
  auto operator<=>(const ProbeAt&) const = default;
};

struct ExpectedHeader {
  std::string name;   // lower case
  std::string value;  // the whole of it
  auto operator<=>(const ExpectedHeader&) const = default;
};

/// A value in a JSON object: text by itself, anything else as JSON writes it (`3`, `true`, `null`);
/// or a comparison with a number (zones/comparison.h).
struct ExpectedValue {
  std::string pointer;  // RFC 6901
  std::string text;     // "ok", "3", "< 0.05"
  auto operator<=>(const ExpectedValue&) const = default;
};

/// What an answer must be besides its status; whatever is not named may be anything.
struct ExpectedAnswer {
  std::string body;  // occurs in it; empty: no matter
  std::vector<ExpectedHeader> headers;
  std::vector<ExpectedValue> values;
  std::string query_value;           // a comparison; set: the answer is that of a Prometheus query
  std::vector<std::string> answers;  // dns: RDATA that must be there, as written
  Milliseconds certificate_left{0};  // https, tls: the certificate is good for so long at least
  auto operator<=>(const ExpectedAnswer&) const = default;
};

/// What it means that an answer says nothing of the record: none came, or not one that can be read.
enum class Silence : std::uint8_t {
  failure,  // the endpoint itself is asked, and should have answered
  stale,    // somebody else is asked, whose own failure is none of the record's
};

}  // namespace demarc::zones
