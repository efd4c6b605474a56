// Steering's part for revocations: of a grant, of a token, of a key. Nothing hinders them, neither
// a freeze nor a doubtful clock: taking a permission back is always allowed.
#include <algorithm>

#include <fmt/format.h>

#include "zones/digest.h"
#include "zones/jws.h"
#include "zones/steering.h"
#include "zones/steering_step.h"

namespace demarc::zones {
namespace {

// A token that was never presented may end at any time; nobody waits this long for one.
constexpr auto revoked_token_kept = std::chrono::days(3653);
// Above the limit of tokens that are presented: a flood of those must not keep one from being
// revoked.
constexpr std::size_t revoked_tokens_max = used_tokens_max + 100'000;

Reply no(std::string text) { return Reply{false, std::move(text), {}}; }

bool is_signed_with(const Grant& grant, const std::string& digest, const std::string& pem) {
  return std::ranges::any_of(grant.signatures, [&](const Signature& signature) {
    return signature.key_digest == digest || signature.key_digest == sha256_hex(pem);
  });
}

bool has_token(const Grant& grant, const std::string& token_id) {
  return std::ranges::count(grant.signatures, token_id, &Signature::token_id) != 0;
}

}  // namespace

void Steering::on(Step& step, const GrantRevoked& event) {
  if (event.reason.empty()) {
    step.out.reply = no("a revocation needs a reason");
    return;
  }
  if (event.is_token && (event.id.empty() || state_.used_tokens.size() >= revoked_tokens_max)) {
    step.out.reply = no(event.id.empty() ? "expected the id of a token" : "too many are revoked");
    return;
  }
  const auto found = std::ranges::find_if(state_.grants, [&](const auto& known) {
    return (!event.is_token && known.first == event.id) || has_token(known.second, event.id);
  });
  std::string ended;
  if (found != state_.grants.end()) {
    ended = found->first;
    end_grant(step, ended, fmt::format("revoked by {}: {}", event.who, event.reason));
  }
  if (!event.is_token) {
    step.out.reply = ended.empty() ? no("there is no live grant `" + event.id + "`")
                                   : Reply{true, "ended " + ended, ended};
    return;
  }
  auto& until = state_.used_tokens[event.id];
  until = std::max(until, step.now + revoked_token_kept);
  step.out.save_state = true;
  auto fact = entry(step, "token-revoked", std::string(node_jurisdiction));
  fact.facts.emplace_back("token", event.id);
  fact.facts.emplace_back("who", event.who);
  fact.facts.emplace_back("why", event.reason);
  step.out.audit.push_back(std::move(fact));
  step.out.reply = Reply{true,
                         ended.empty() ? "the token `" + event.id + "` approves nothing any more"
                                       : "the token `" + event.id + "` is revoked, ended " + ended,
                         ended};
}

void Steering::on(Step& step, const KeyRevoked& event) {
  if (event.reason.empty()) {
    step.out.reply = no("a revocation needs a reason");
    return;
  }
  const ApprovalKey* key = nullptr;
  const auto find_in = [&](const std::vector<ApprovalKey>& keys) {
    const auto found = std::ranges::find(keys, event.key_id, &ApprovalKey::id);
    if (key == nullptr && found != keys.end()) key = &*found;
  };
  if (configuration_ && configuration_->repository->policy.approvals) {
    find_in(configuration_->repository->policy.approvals->keys);
  }
  if (state_.trusted_keys) find_in(state_.trusted_keys->keys);
  if (key == nullptr) {
    step.out.reply = no("the policy has no key `" + event.key_id + "`");
    return;
  }
  const std::string digest = public_key_digest(key->public_key_pem);
  if (state_.revoked_keys.contains(digest)) {
    step.out.reply = no("the key `" + event.key_id + "` is revoked already");
    return;
  }
  if (state_.revoked_keys.size() >= revoked_keys_max) {
    step.out.reply = no("too many keys are revoked");
    return;
  }
  state_.revoked_keys[digest] = {event.key_id, event.who, event.reason, step.now};
  step.out.save_state = true;
  auto fact = entry(step, "key-revoked", std::string(node_jurisdiction));
  fact.facts.emplace_back("key", event.key_id);
  fact.facts.emplace_back("key-sha256", digest);
  fact.facts.emplace_back("who", event.who);
  fact.facts.emplace_back("why", event.reason);
  step.out.audit.push_back(std::move(fact));
  std::vector<std::string> ended;
  for (const auto& [id, grant] : state_.grants) {
    if (is_signed_with(grant, digest, key->public_key_pem)) ended.push_back(id);
  }
  for (const std::string& id : ended) {
    end_grant(
        step, id,
        fmt::format("its key {} was revoked by {}: {}", event.key_id, event.who, event.reason));
  }
  if (state_.drill && std::ranges::count(state_.drill->key_digests, digest) != 0) {
    end_drill(step, event.who, "its key " + event.key_id + " was revoked: " + event.reason);
  }
  step.out.reply =
      Reply{true,
            fmt::format("the key `{}` is revoked, {} grant(s) ended; take it out of policy.yaml",
                        event.key_id, ended.size()),
            event.key_id};
}

}  // namespace demarc::zones
