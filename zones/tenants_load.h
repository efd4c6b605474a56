// Loads tenants.yaml and the CSV files it names into the model: the map, and a service for each
// class of tenants. zones/repository.h calls this when all zones are read;
// zones/yaml/tenants_file.h and zones/tenants_csv.h bring the lines, zones/tenant_classes.h says
// what they mean.
#pragma once

#include "geo/base/diagnostics.h"
#include "zones/model.h"
#include "zones/yaml/repository_files.h"

namespace demarc::zones {

/// Findings of one file beyond these are counted, not told.
inline constexpr std::size_t tenant_findings_max = 100;

/// Reads the tenants of a repository whose policy and zones are complete. Findings go to
/// `diagnostics`; then `repository.tenants` stays null.
void load_tenants(yaml::RepositoryFiles& files, Repository& repository, Diagnostics& diagnostics);

}  // namespace demarc::zones
