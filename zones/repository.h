// Loads a zone repository: policy.yaml, networks.yaml, tenants.yaml, zones/*.yaml and the files they
// include. The work is in zones/yaml/ (text to tree to values) and zones/rules.h (rules across
// files); the daemon and `demarc check` call this.
#pragma once

#include <memory>
#include <string>

#include "geo/base/diagnostics.h"
#include "zones/model.h"

namespace demarc::zones {

/// Reads everything below `folder` and checks it. All findings of all files go to `diagnostics`,
/// ordered by place; the result is null if one of them is an error. Paths in findings are relative
/// to the folder. Touches nothing but files inside the folder; control thread or CLI, seconds for
/// 10,000 zones.
[[nodiscard]] std::unique_ptr<Repository> load_repository(const std::string& folder,
                                                          Diagnostics& diagnostics);

}  // namespace demarc::zones
