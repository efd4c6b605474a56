// One real question over UDP, as a resolver would ask it: so that a drill reports what was answered
// and not what should have been. For the command line; never used by the server.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dns/sockets.h"
#include "geo/base/address.h"
#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "zones/name.h"

namespace demarc::tools {

struct WireAnswer {
  unsigned rcode = 0;
  std::vector<geo::Address> addresses;  // of A records
  std::optional<zones::Name> cname;     // the last CNAME's target
  std::optional<std::uint32_t> ttl;     // the first record's, seconds
};

/// Asks for A, waits at most `timeout`. The error says what failed, or that nothing came.
[[nodiscard]] Result<WireAnswer, SystemError> ask_dns(const dns::Endpoint& server,
                                                      const zones::Name& name,
                                                      Milliseconds timeout);

/// Reads an answer to a question with this id; nothing for bytes that are none. Any bytes are fine.
[[nodiscard]] std::optional<WireAnswer> parse_dns_answer(std::string_view message,
                                                         std::uint16_t id);

}  // namespace demarc::tools
