// The values of one health check as written: what to ask, how often, and what to do on failure.
// zones/yaml/service_file.h reads the service around it, zones/yaml/check_model.h finds its record.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zones/model.h"
#include "zones/yaml/fields.h"

namespace demarc::zones::yaml {

inline constexpr Milliseconds interval_min{100};
inline constexpr Milliseconds interval_max{std::chrono::hours{1}};
inline constexpr Milliseconds timeout_min{10};
inline constexpr Milliseconds timeout_default{4000};  // or the interval, if that is shorter
inline constexpr unsigned count_max = 100;            // for fall and rise
inline constexpr std::size_t commands_max = 100;      // of one on-fail
inline constexpr std::size_t status_ranges_max = 20;

inline constexpr Milliseconds degraded_above_min{1};

/// One `set-weight NAME WEIGHT`.
struct CommandEntry {
  std::string name;
  std::uint16_t weight = 0;
};

/// `calculated:`; the others are still names.
struct CalculatedEntry {
  Position at;
  std::optional<At<unsigned>> at_least;  // nothing: all
  std::vector<TextAt> checks;
  bool is_inverted = false;
};

struct CheckEntry {
  Position at;
  bool is_readable = false;    // there is an endpoint, or a calculation, that can be asked for
  TextAt endpoint;             // as written
  std::optional<TextAt> name;  // instead of the endpoint in the check's key
  std::optional<TextAt> of;    // the record that it speaks for, as written
  ProbeScheme scheme = ProbeScheme::https;
  std::string host;  // empty: nobody's
  std::uint16_t port = 443;
  std::string path = "/";
  std::optional<At<ProbeAt>> probe_at;
  Milliseconds interval{10'000};
  std::optional<At<Milliseconds>> timeout;
  unsigned fall = 3;
  unsigned rise = 2;
  unsigned ok = 1;
  Milliseconds degraded_above{0};
  Milliseconds certificate_every{0};
  unsigned votes = 1;
  std::vector<TextAt> vantages;  // that tell what they see of it
  std::optional<CalculatedEntry> calculated;
  ProbeMethod method = ProbeMethod::get;
  HttpVersion http_version = HttpVersion::http1_1;
  std::vector<StatusRange> expect_status;
  std::optional<TextAt> query;
  ExpectedAnswer expect;
  std::optional<At<Silence>> silence;
  bool is_canary = false;
  bool has_on_fail = false;
  Position on_fail_at;
  std::vector<CommandEntry> on_fail;
};

[[nodiscard]] CheckEntry read_check(const Reading& reading, const Node& node);

/// "set-weight api.eu 0; set-weight api.us 100"; nothing for any other text.
[[nodiscard]] std::optional<std::vector<CommandEntry>> parse_on_fail(std::string_view text);

/// "192.0.2.1:80" or "[2001:db8::1]:80"; nothing for any other text.
[[nodiscard]] std::optional<ProbeAt> parse_probe_at(std::string_view text);

}  // namespace demarc::zones::yaml
