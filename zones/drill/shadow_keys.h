// The keys of a shadow drill: as the policy has them, but fresh, so that approvals can be signed
// without anybody's private key. zones/drill/shadow.h signs with them.
#pragma once

#include <map>
#include <string>

#include "geo/base/result.h"
#include "zones/drill/scenario.h"
#include "zones/model.h"

namespace demarc::zones::drill {

/// Key id -> private key, PEM.
using ShadowKeys = std::map<std::string, std::string>;

/// Gives every key of the policy a new pair; id, person, role, algorithm and end stay.
[[nodiscard]] Result<ShadowKeys, std::string> replace_keys(Policy& policy);

/// Signs what the scenario plans, valid from `now`.
[[nodiscard]] Result<std::string, std::string> sign_token(const TokenPlan& plan,
                                                          const Repository& repository,
                                                          const ShadowKeys& keys, WallTime now);

}  // namespace demarc::zones::drill
