// Tenants: customers of a service who have a home of their own (DESIGN.md section 3, tenants.yaml).
// Tenants that are steered alike are one class, a service of its own in the model
// (Service::tenants_of): gate, steering and compiler treat it like any other. This is the map from
// names to classes; dns/ asks it for a query's first label, zones/grant.h for a token's tenant.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "zones/model.h"

namespace demarc::zones {

/// Immutable once loaded; any number of threads may read it.
class TenantMap {
 public:
  /// By the service that has the tenants, and the tenant's name.
  using Classes = std::map<std::pair<ServiceId, std::string>, ServiceId>;

  TenantMap() = default;
  TenantMap(Classes classes, std::string digest)
      : classes_(std::move(classes)), digest_(std::move(digest)) {}

  /// The class of a tenant of `service`; nothing if it has no such tenant.
  [[nodiscard]] std::optional<ServiceId> class_of(ServiceId service, std::string_view tenant) const;
  /// How many tenants with hard residency a class has.
  [[nodiscard]] std::size_t regulated_in(ServiceId tenant_class) const;
  /// SHA-256 in hex of the whole map, canonical; it is in every audit entry.
  [[nodiscard]] const std::string& digest() const noexcept { return digest_; }

 private:
  Classes classes_;
  std::string digest_;
};

}  // namespace demarc::zones
