// What a service says of HTTPS beside its addresses (RFC 9460 §7), as text.
// dns/https_record.h makes the records of it, zones/diff/text.h and tools/explain.h tell it.
#pragma once

#include <span>
#include <string>

#include "geo/base/address.h"
#include "zones/model.h"

namespace demarc::zones {

/// The RDATA of the HTTPS record that answers with `addresses`, in presentation format, as dig
/// prints it: `1 . alpn="h2,h3" port=8443 ipv4hint=192.0.2.10 ipv6hint=2001:db8::10`.
[[nodiscard]] std::string https_text(const HttpsBinding& binding,
                                     std::span<const geo::Address> addresses);

}  // namespace demarc::zones
