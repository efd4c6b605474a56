// demarcd.yaml: where the daemon listens and finds its things. Paths are relative to the file.
// tools/daemon.h uses it; tools/README.md is its reference.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dns/rate_limit.h"
#include "dns/sockets.h"
#include "geo/base/diagnostics.h"
#include "tools/identity_config.h"

namespace demarc::tools {

struct DaemonConfig {
  std::string node = "demarc";
  std::vector<dns::Endpoint> listen;
  std::vector<dns::Endpoint> tls_listen;  // DNS over TLS; its certificate is in `identity`
  unsigned threads = 1;                   // UDP threads an address; `auto`: one a core
  std::string repository;
  std::vector<std::string> geoip;
  std::string state;
  std::string audit;
  std::string control;
  std::optional<dns::Endpoint> http;  // metrics and status; left out: none
  std::vector<geo::Prefix> proxy_peers;
  dns::RateLimit rate_limit;  // left out: none
  IdentityConfig identity;    // NSID, CHAOS names, cookies
  std::string token_drop;     // folder of tokens to present; empty: none
  std::string probe_ca;       // PEM; empty: the system's
  bool debug_verbs = false;   // `debug-stall` on the control socket, for drills and tests
};

/// Reads and checks `path`. Every finding goes to `diagnostics`; nothing comes back if one is an
/// error.
[[nodiscard]] std::optional<DaemonConfig> read_daemon_config(const std::string& path,
                                                             Diagnostics& diagnostics);

/// "127.0.0.1:5300", "[::1]:0"; nothing for other text.
[[nodiscard]] std::optional<dns::Endpoint> parse_endpoint(std::string_view text);

}  // namespace demarc::tools
