// The third step for a zone: SOA, nameservers, static records and master files become RRsets, the
// services are built, and what may not stand beside what is checked.
// zones/yaml/zone_file.h gives the values, zones/master_file.h the included records,
// zones/yaml/zone_rules.h the rules.
#pragma once

#include <memory>
#include <string>

#include "zones/model.h"
#include "zones/yaml/policy_model.h"
#include "zones/yaml/repository_files.h"
#include "zones/yaml/zone_file.h"

namespace demarc::zones::yaml {

/// A zone file after the second step.
struct LoadedZone {
  std::string file;
  std::string digest;  // SHA-256 in hex of the file
  Name apex;
  std::shared_ptr<const ZoneFile> values;
};

/// Adds the zone and its services to `repository`, whose policy is complete. Findings make the
/// zone partial; services with findings are left out.
void add_zone(const LoadedZone& loaded, PolicyState policy_state, const Reading& reading,
              RepositoryFiles& files, Repository& repository);

}  // namespace demarc::zones::yaml
