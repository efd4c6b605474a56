// Steering's part for the key list: judged by zones/key_list.h whenever a configuration is loaded.
// tools/loader.h keeps an untrusted one from getting this far; should one, it approves nothing.
#include <fmt/format.h>

#include "zones/key_list.h"
#include "zones/steering.h"
#include "zones/steering_step.h"

namespace demarc::zones {

void Steering::trust_keys(Step& step) {
  const Policy& policy = configuration_->repository->policy;
  keys_untrusted_.reset();
  KeyTrustState state = key_trust_of(state_);
  state.now = step.now;
  const auto judged = judge_key_list(policy, state);
  if (!judged) {
    keys_untrusted_ = judged.error();
    auto fact = entry(step, "keys-refused", std::string(node_jurisdiction));
    fact.facts.emplace_back("why", judged.error());
    step.out.audit.push_back(std::move(fact));
    step.out.alerts_raised.push_back(
        {"key-list", "nothing can be approved: " + judged.error(), step.now, AlertLevel::critical});
    return;
  }
  step.out.alerts_ended.emplace_back("key-list");
  if (*judged == KeyTrust::no_list || *judged == KeyTrust::same) return;
  const std::uint32_t before = state_.trusted_keys ? state_.trusted_keys->version : 0;
  state_.trusted_keys = trusted_keys_of(*policy.approvals);
  step.out.save_state = true;
  auto fact = entry(step, "keys-trusted", std::string(node_jurisdiction));
  fact.facts.emplace_back("why", *judged == KeyTrust::first_use
                                     ? "the first key list that was seen"
                                     : fmt::format("signed as list {} requires", before));
  fact.facts.emplace_back("version", std::to_string(state_.trusted_keys->version));
  fact.facts.emplace_back("keys-sha256", state_.trusted_keys->digest);
  const auto& tokens = policy.approvals->key_list->tokens;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    fact.facts.emplace_back(fmt::format("token-{}", i + 1), tokens[i]);
  }
  step.out.audit.push_back(std::move(fact));
}

}  // namespace demarc::zones
