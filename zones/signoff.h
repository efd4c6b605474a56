// Sign-offs: several persons' tokens that together say yes to one thing that is no crossing: a
// drill, a review, a new key list. zones/token.h checks each of them, this whether they suffice.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "zones/grant.h"
#include "zones/model.h"
#include "zones/token.h"

namespace demarc::zones {

struct SignoffNeeds {
  TokenType type = TokenType::drill;
  const Approvals& approvals;
  const Required& required;
  std::string what;  // the drill's name, the reviewed grant's id, the key list's digest
  WallTime now;
  /// Whether a token id was used or a key (public_key_digest) revoked before.
  std::function<bool(const std::string& token_id)> is_used;
  std::function<bool(const std::string& key_digest)> is_revoked;
};

/// All tokens hold, name `what`, are of `type`, and different persons fill every role of
/// `required`; else the first refusal. Signatures are in the order of the tokens. Pure.
[[nodiscard]] Result<std::vector<Signature>, Refusal> check_signoff(
    std::span<const std::string> tokens, const SignoffNeeds& needs);

}  // namespace demarc::zones
