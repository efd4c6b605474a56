// The third step for `approvals` in policy.yaml: the key files and signatures it names are read,
// and its parts are checked against each other. zones/yaml/approvals_file.h gives the values.
#pragma once

#include <string>

#include "zones/model.h"
#include "zones/yaml/approvals_file.h"
#include "zones/yaml/repository_files.h"

namespace demarc::zones::yaml {

/// Where there are findings it is partial. `digests` collects what the policy's digest covers.
[[nodiscard]] Approvals build_approvals(const ApprovalsEntry& entry, const Reading& reading,
                                        RepositoryFiles& files, std::string& digests);

}  // namespace demarc::zones::yaml
