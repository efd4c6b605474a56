// Asks one configured resolver for the addresses of a name, by UDP and, when truncated, TCP.
// health/resolver_message.h makes and reads the messages; tools/ground_watch.h asks now and then.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "geo/base/address.h"
#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "zones/name.h"

namespace demarc::health {

struct ResolverConfig {
  geo::Address address;
  std::uint16_t port = 53;
  Milliseconds timeout{1000};  // of one try
  unsigned tries = 2;
};

struct ResolvedName {
  std::vector<geo::Address> addresses;  // of both families; empty: none, or no such name
  bool is_validated = false;            // the resolver set AD on every reply
};

/// Asks for A and AAAA, one after the other; blocks for at most 2 * tries * timeout and as much
/// again over TCP. A socket, and so a port, of its own for each try; `random` gives the ID and the
/// letters' case. The error says what went wrong. Any thread.
[[nodiscard]] Result<ResolvedName, std::string> resolve_name(
    const ResolverConfig& config, const zones::Name& name,
    const std::function<std::uint64_t()>& random);

}  // namespace demarc::health
