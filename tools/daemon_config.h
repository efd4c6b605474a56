// demarcd.yaml: where the daemon listens and finds its things. Paths are relative to the file.
// tools/daemon.h uses it; tools/README.md is its reference.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dns/rate_limit.h"
#include "dns/sockets.h"
#include "dns/tcp_connections.h"
#include "geo/base/diagnostics.h"
#include "geo/base/moment.h"
#include "tools/alerts_config.h"
#include "tools/identity_config.h"
#include "tools/tsig_config.h"
#include "tools/vantage_config.h"

namespace demarc::tools {

/// The audit trail: `audit: FOLDER`, or a map.
struct AuditConfig {
  std::map<std::string, std::string> jurisdictions;  // folders of their logs; others: the trail's
  std::string key;                                   // default: audit-key.pem in `state`
  std::string origin;                                // default: the node's name and "/audit"
  std::uint64_t rotate_mib = 64;                     // size of a log file after which it rotates
  Milliseconds retention{0};                         // of rotated details; 0: for ever
  Milliseconds checkpoint_interval{std::chrono::hours{1}};
};

struct DaemonConfig {
  std::string node = "demarc";
  std::vector<dns::Endpoint> listen;
  std::vector<dns::Endpoint> tls_listen;  // DNS over TLS; its certificate is in `identity`
  unsigned threads = 1;                   // UDP threads an address; `auto`: one a core
  bool steers_by_cpu = false;             // `cpu-steering`
  std::string user;  // to become once the sockets are bound; empty: nobody else
  std::string repository;
  std::vector<std::string> geoip;
  std::string state;
  std::string audit;  // the folder
  AuditConfig trail;
  std::string control;
  std::optional<dns::Endpoint> http;  // metrics and status; left out: none
  std::vector<geo::Prefix> proxy_peers;
  dns::RateLimit rate_limit;  // left out: none
  dns::TcpLimits tcp;         // of TCP and TLS
  std::vector<TsigKeyConfig> tsig_keys;
  IdentityConfig identity;                            // NSID, CHAOS names, cookies
  Milliseconds history{std::chrono::hours{24 * 92}};  // of checks, in `state`; 0: none
  std::string token_drop;                             // folder of tokens to present; empty: none
  /// Asked, now and then, for the addresses of CNAME endpoints; left out: nobody is.
  std::optional<dns::Endpoint> resolver;
  bool resolver_require_ad = true;  // believe only what it validated
  AlertsConfig alerts;
  std::string probe_ca;  // PEM; empty: the system's
  std::string evidence;  // folder of the files that `file:` checks read; empty: none
  std::string programs;  // folder of the programs that `program:` checks run; empty: off
  std::optional<VantageConfig> vantage;  // whom this node tells what its checks find
  bool debug_verbs = false;  // `debug-stall` on the control socket, for drills and tests
};

/// Reads and checks `path`. Every finding goes to `diagnostics`; nothing comes back if one is an
/// error.
[[nodiscard]] std::optional<DaemonConfig> read_daemon_config(const std::string& path,
                                                             Diagnostics& diagnostics);

/// "127.0.0.1:5300", "[::1]:0"; nothing for other text.
[[nodiscard]] std::optional<dns::Endpoint> parse_endpoint(std::string_view text);

}  // namespace demarc::tools
