// What the server says of itself, and the secrets of its cookies: the same for every zone.
// tools/ fills it from demarcd.yaml, dns/snapshot.h carries it to dns/responder.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "dns/cookies.h"
#include "dns/tls.h"

namespace demarc::dns {

/// Longer texts are cut off by who fills this: an OPT must fit beside any question.
inline constexpr std::size_t nsid_size_max = 128;
/// One character-string of a TXT record (RFC 1035 §3.3).
inline constexpr std::size_t chaos_text_size_max = 255;

/// Immutable; any thread may read it.
struct Identity {
  std::string nsid;     // RFC 5001; empty: none is sent
  std::string version;  // TXT CH version.bind. and version.server.; empty: refused
  std::string server;   // TXT CH id.server. and hostname.bind. (RFC 4892); empty: refused
  CookieSecrets cookie_secrets;
  bool requires_cookie = false;  // over UDP a client that knows cookies must show a good one
  std::uint16_t keepalive = 0;   // of an idle TCP connection, in 100 ms (RFC 7828)
  std::shared_ptr<const TlsContext> tls;  // for new connections; null: none are taken
};

}  // namespace demarc::dns
