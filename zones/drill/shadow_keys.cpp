#include "zones/drill/shadow_keys.h"

#include <algorithm>

#include "zones/drill/scenario_rules.h"
#include "zones/jws.h"
#include "zones/key_list.h"
#include "zones/token.h"

namespace demarc::zones::drill {

Result<ShadowKeys, std::string> replace_keys(Policy& policy) {
  ShadowKeys keys;
  if (!policy.approvals) return keys;
  for (ApprovalKey& key : policy.approvals->keys) {
    auto pair = make_key_pair(key.algorithm);
    if (!pair) return std::unexpected("a key for " + key.id + ": " + pair.error());
    key.public_key_pem = std::move(pair->public_key_pem);
    keys[key.id] = std::move(pair->private_key_pem);
  }
  // The list itself is not what is drilled: it is taken as signed, its end still counts.
  if (policy.approvals->key_list) {
    policy.approvals->key_list->digest = key_list_digest(*policy.approvals);
    policy.approvals->key_list->tokens.clear();
  }
  return keys;
}

Result<std::string, std::string> sign_token(const TokenPlan& plan, const Repository& repository,
                                            const ShadowKeys& keys, WallTime now) {
  const auto service = find_service(repository, plan.service);
  const auto& approvals = repository.policy.approvals;
  const auto secret = keys.find(plan.signed_by);
  if (!service || !approvals || secret == keys.end()) {
    return std::unexpected("token " + plan.id + ": its service or key is not in the repository");
  }
  const auto key = std::ranges::find(approvals->keys, plan.signed_by, &ApprovalKey::id);
  Claims claims;
  claims.issuer = "demarc-drill";
  claims.audience = approvals->audience;
  claims.id = plan.id;
  claims.issued_at = claims.not_before = std::chrono::floor<Seconds>(now);
  claims.expires = claims.not_before + std::chrono::floor<Seconds>(plan.lasts);
  claims.zone = plan.zone.empty()
                    ? repository.zones[repository.service(*service).zone].apex.text_without_dot()
                    : plan.zone;
  claims.service = repository.service(*service).owner.text_without_dot();
  claims.from = plan.from;
  claims.to = plan.to;
  claims.mode = plan.mode;
  claims.reason = plan.reason;
  claims.case_id = plan.case_id;
  claims.max_share = plan.max_share;
  return issue_token(claims, plan.signed_by, key->algorithm, secret->second);
}

}  // namespace demarc::zones::drill
