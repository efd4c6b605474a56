#include "zones/tenants.h"

#include <algorithm>

namespace demarc::zones {

std::optional<ServiceId> TenantMap::class_of(ServiceId service, std::string_view tenant) const {
  const auto found = classes_.find({service, std::string(tenant)});
  return found == classes_.end() ? std::nullopt : std::optional(found->second);
}

std::size_t TenantMap::regulated_in(ServiceId tenant_class) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      classes_, [&](const auto& known) { return known.second == tenant_class; }));
}

}  // namespace demarc::zones
