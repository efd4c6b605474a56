// Whether an answer is what a check expects besides its status. Pure;
// health/curl_transfers.cpp hears the answer.
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
  std::string body;                                          // its beginning
  bool is_body_cut = false;                                  // there was more of it
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::optional<WallTime> certificate_end;                   // https, tls: when it stops being good
};

/// The first thing that is not as expected, as one short printable line; nothing: all is.
[[nodiscard]] std::optional<std::string> find_unmet(const zones::ExpectedAnswer& expected,
                                                    const HeardAnswer& heard, WallTime now);

/// One line of a header section, `NAME: VALUE` with its line break, any bytes; nothing: it is a
/// status line or none at all.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> read_header_line(
    std::string_view line);

}  // namespace demarc::health
