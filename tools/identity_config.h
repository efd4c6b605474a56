// What demarcd.yaml says of the server's own identity and of its cookies, and what becomes of it.
// tools/daemon_config.h holds the settings, dns/identity.h is what query threads read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dns/identity.h"
#include "dns/tcp_connections.h"
#include "geo/base/moment.h"
#include "geo/base/result.h"

namespace demarc::tools {

/// More cookie secrets than this are a mistake: two are for a rollover.
inline constexpr std::size_t cookie_secrets_max = 4;

struct IdentityConfig {
  std::optional<std::string> nsid;  // empty: none is sent; nothing: the node's name
  bool says_chaos = true;           // version.bind and id.server
  bool has_cookies = true;
  std::vector<std::string> secret_files;  // the first signs; none: a random secret
  bool requires_cookie = false;
  dns::CookieSecret random_secret{};              // of this process
  Milliseconds tcp_idle = dns::TcpLimits{}.idle;  // what clients are told of it (RFC 7828)
  std::string certificate_file, key_file;         // of DNS over TLS; empty: none
};

/// Reads secrets, certificate and key anew, so that a reload rolls them over. The error names the
/// file.
[[nodiscard]] Result<std::shared_ptr<const dns::Identity>, std::string> build_identity(
    const IdentityConfig& config, const std::string& node);

/// The files of it, to be watched.
[[nodiscard]] std::vector<std::string> files_of(const IdentityConfig& config);

}  // namespace demarc::tools
