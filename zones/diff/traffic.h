// Who is answered differently: every country of geo/countries.h, and what routes name besides,
// walked on both sides of a difference. Base weights and borders decide, as at run time; health,
// orders and grants are left out. zones/diff/difference.h calls this first.
#pragma once

#include <map>
#include <vector>

#include "zones/diff/change.h"
#include "zones/model.h"

namespace demarc::zones::diff {

/// Sets `view` of every service on both sides. Ordered by service.
[[nodiscard]] std::vector<TrafficShift> build_traffic(Repository& from, Repository& to);

/// Who is left out of that walk on either side: single tenants, and networks of networks.yaml, for
/// where such a network would lie without its line is in a database that a plan does not read.
[[nodiscard]] std::vector<std::string> not_walked(const Repository& from, const Repository& to);

}  // namespace demarc::zones::diff
