// Whether an answer is what a check expects besides its status. Pure; health/judgement.h judges the
// whole answer, health/curl_transfers.cpp hears it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "geo/base/moment.h"
#include "zones/model.h"

namespace demarc::health {

/// What was heard of an answer; any bytes.
struct HeardAnswer {
  int status = 0;  // of HTTP
  bool is_http2 = false;
  std::string body;                                          // its beginning
  bool is_body_cut = false;                                  // there was more of it
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::optional<WallTime> certificate_end;                   // https, tls: when it stops being good
};

/// The first thing that is not as expected.
struct Unmet {
  std::string why;  // one short printable line
  /// The answer does not say it at all, cannot be read, or comes with an expired certificate: not
  /// that what was asked for is otherwise.
  bool is_silence = false;
  auto operator<=>(const Unmet&) const = default;
};

/// Nothing: all is as expected.
[[nodiscard]] std::optional<Unmet> find_unmet(const zones::ExpectedAnswer& expected,
                                              const HeardAnswer& heard, WallTime now);

/// One line of a header section, `NAME: VALUE` with its line break, any bytes; nothing: it is a
/// status line or none at all.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> read_header_line(
    std::string_view line);

}  // namespace demarc::health
