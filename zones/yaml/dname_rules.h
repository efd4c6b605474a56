// Where a DNAME may stand (RFC 6672 §2.3, §2.4, §3.3): it takes all names below it away, so none of
// them may have data of its own. zones/yaml/zone_rules.h calls it for a zone.
#pragma once

#include "geo/base/diagnostics.h"
#include "zones/model.h"
#include "zones/yaml/zone_rules.h"

namespace demarc::zones::yaml {

/// Reports a second DNAME of an owner, one at a wildcard or at a delegation, and records below one.
/// `records` are in order, and duplicates may be among them. What a delegation hides, the DNAMEs
/// there included, is not looked at.
void check_dnames(const RRsets& records, const RecordSources& sources, Diagnostics& diagnostics);

/// Reports a service below a DNAME of its zone, and one at its owner where names below the service
/// have a meaning: those of tenants, and those that tell of a hard service.
void check_dname_of(const Zone& zone, const Service& service, Diagnostics& diagnostics);

}  // namespace demarc::zones::yaml
