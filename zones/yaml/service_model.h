// The third step for a service: regions, jurisdictions and records that were named become ids, and
// the rules inside one service are checked. Rules between services are in zones/rules.h.
// zones/yaml/service_file.h gives the values, zones/yaml/check_model.h adds the health checks.
#pragma once

#include <optional>

#include "zones/model.h"
#include "zones/yaml/policy_model.h"
#include "zones/yaml/repository_files.h"
#include "zones/yaml/service_file.h"

namespace demarc::zones::yaml {

/// What a service is resolved against. Borrows everything for the call.
struct ServiceScope {
  const Reading& reading;
  const Policy& policy;
  PolicyState policy_state = PolicyState::read;
  RepositoryFiles& files;
  const Name& apex;
  std::size_t zone = 0;  // index into Repository::zones
  std::uint32_t zone_ttl = 0;
};

/// The whole service, or nothing and at least one finding.
[[nodiscard]] std::optional<Service> build_service(const ServiceScope& scope,
                                                   const ServiceEntry& entry);

}  // namespace demarc::zones::yaml
