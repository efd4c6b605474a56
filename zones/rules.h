// Rules across files: what base weights may not do for a hard service, and what services may not
// say of each other. "Files obey too": what crosses by its base weights does not load.
// zones/repository.h calls this last; the rules use what will decide at run time, zones/view.h,
// zones/plan.h and zones/gate.h, so that file and gate can not disagree.
#pragma once

#include "geo/base/diagnostics.h"
#include "zones/model.h"

namespace demarc::zones {

/// Checks a repository whose references are all resolved; sets `view` of every service.
///
/// Clients are walked one by one: every country of geo/countries.h, a client of no known country,
/// and one for each subdivision, ASN and network that a route names; for `nearest` also one beside
/// each region. A client's country and its network or ASN are not known together, so with
/// `home: client` what such a line does is a warning at most.
void check_rules(Repository& repository, Diagnostics& diagnostics);

}  // namespace demarc::zones
