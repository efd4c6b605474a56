// Everything about one tenant: its names, its law, its class, and what it is answered now.
// tools/cli_tenant.cpp asks for it of files, tools/control_verbs.cpp of a running server.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "geo/base/result.h"
#include "zones/steering.h"
#include "zones/tenants.h"

namespace demarc::tools {

/// A tenant of a repository: by name, by opaque label, or by the whole name on the wire. `service`
/// may be empty where the name is clear without it. The error is for people.
[[nodiscard]] Result<zones::TenantId, std::string> find_tenant(const zones::Repository& repository,
                                                               const std::string& name,
                                                               const std::string& service);

/// The service that has the tenants: by owner or label; empty: the only one.
[[nodiscard]] Result<zones::ServiceId, std::string> find_tenants_service(
    const zones::Repository& repository, const std::string& service);

/// Precondition: a configuration is loaded.
[[nodiscard]] Result<nlohmann::json, std::string> tenant_report(const zones::Steering& steering,
                                                                const std::string& name,
                                                                const std::string& service);
[[nodiscard]] std::string tenant_text(const nlohmann::json& report);

/// Where hashing would place tenants, the first choice first; names need not be tenants. `home`
/// empty: the tenant's, else the service's own.
struct PlaceRequest {
  std::vector<std::string> names;
  std::string service;
  std::string home;
};
[[nodiscard]] Result<nlohmann::json, std::string> place_tenants(const zones::Repository& repository,
                                                                const PlaceRequest& request);

}  // namespace demarc::tools
