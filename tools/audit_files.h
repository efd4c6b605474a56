// Files beside the audit trail that the daemon makes: its log key, and copies of each policy that
// was in force. tools/controller.h uses them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "geo/base/result.h"
#include "zones/audit/note.h"
#include "zones/model.h"

namespace demarc::tools {

/// The signer of checkpoints; its key is made at first use, mode 0600.
[[nodiscard]] Result<zones::NoteSigner, SystemError> log_signer(const std::string& key_path,
                                                                const std::string& origin);

/// `policies/DIGEST/` in the trail's folder.
[[nodiscard]] std::string policy_folder(const std::string& audit, const std::string& digest);
using NamedTexts = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Result<void, SystemError> write_policy_copy(const std::string& audit,
                                                          const std::string& digest,
                                                          const NamedTexts& files);
/// policy.yaml as it was read, and the approval keys by their ids.
[[nodiscard]] NamedTexts policy_files(const zones::Policy& policy);

}  // namespace demarc::tools
