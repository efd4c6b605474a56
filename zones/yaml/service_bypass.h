// Static records beside a hard service that would tell clients where it is without asking the gate:
// one decision a name, for all its types (DESIGN.md section 4, rule 4). zones/yaml/zone_rules.h
// calls it for a zone's services.
#pragma once

#include <span>

#include "zones/model.h"
#include "zones/yaml/fields.h"

namespace demarc::zones::yaml {

/// Reports RRsets at the owner of a hard service, or at names like `_8443._https.OWNER` (RFC 9460
/// §2.3) and wildcards over them, that carry addresses, or HTTPS and SVCB that lead anywhere but to
/// the owner or have address hints; and CNAME, DNAME and NS that lead those names elsewhere. A,
/// AAAA, CNAME and HTTPS at the owner itself are reported for every service elsewhere.
void check_bypasses(const Zone& zone, std::span<const Service> services, Diagnostics& diagnostics);

}  // namespace demarc::zones::yaml
