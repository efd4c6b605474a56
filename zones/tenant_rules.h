// What may not stand beside tenants: names that a zone has and a tenant wants as well.
// zones/tenants_load.h asks when the map is complete; rules of classes are in zones/rules.h.
#pragma once

#include <functional>

#include "geo/base/diagnostics.h"
#include "zones/model.h"
#include "zones/tenants.h"

namespace demarc::zones {

/// Static records, services and zones below a service with tenants: none may be at or below a
/// tenant's name, and no wildcard may cover those of tenants that do not exist.
void check_tenant_names(const Repository& repository, const TenantMap& map,
                        Diagnostics& diagnostics,
                        const std::function<Place(TenantId)>& place_of);

}  // namespace demarc::zones
