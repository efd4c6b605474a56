#include "zones/key_list.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "zones/digest.h"
#include "zones/jws.h"
#include "zones/signoff.h"
#include "zones/time_text.h"

namespace demarc::zones {
namespace {

using nlohmann::json;

json time_or_null(const std::optional<WallTime>& time) {
  return time ? json(to_rfc3339(*time)) : json();
}

json keys_json(const std::vector<ApprovalKey>& keys) {
  json list = json::array();
  for (const ApprovalKey& key : keys) {
    list.push_back({{"id", key.id},
                    {"person", key.person},
                    {"role", key.role},
                    {"alg", key.algorithm == KeyAlgorithm::EdDSA ? "EdDSA" : "ES256"},
                    {"sha256", public_key_digest(key.public_key_pem)},
                    {"not-after", time_or_null(key.not_after)}});
  }
  std::sort(list.begin(), list.end());
  return list;
}

json rules_json(const std::vector<ApprovalRule>& rules) {
  json list = json::array();
  for (const ApprovalRule& rule : rules) {
    list.push_back({{"zone", rule.zone}, {"mode", to_text(rule.mode)}, {"require", rule.require}});
  }
  return list;
}

std::unexpected<std::string> untrusted(std::string text) {
  return std::unexpected<std::string>(std::move(text));
}

/// The old list's persons sign the new list by its digest, and by its version, for people to read.
Result<void, std::string> check_signatures(const Approvals& next, const TrustedKeys& trusted,
                                           const KeyTrustState& state) {
  Approvals old;
  old.audience = next.audience;
  old.keys = trusted.keys;
  const KeyList& list = *next.key_list;
  const auto signatures = check_signoff(list.tokens, {.type = TokenType::key_list,
                                                      .approvals = old,
                                                      .required = trusted.require,
                                                      .what = list.digest,
                                                      .now = state.now,
                                                      .is_used = state.is_used,
                                                      .is_revoked = state.is_revoked});
  if (!signatures) {
    return untrusted(fmt::format(
        "[key-list-unsigned] key list {} is not signed as list {} requires: [{}] {}; expected "
        "tokens of type key-list for keys-sha256 {} under `signatures`",
        list.version, trusted.version, to_text(signatures.error().kind), signatures.error().text,
        list.digest));
  }
  for (const std::string& text : list.tokens) {
    const auto token = check_token(text, old, state.now);
    if (!token || token->claims.version != list.version) {
      return untrusted(
          fmt::format("[key-list-unsigned] a signature names another version; expected version {}",
                      list.version));
    }
  }
  return {};
}

}  // namespace

std::string key_list_digest(const Approvals& approvals) {
  const KeyList list = approvals.key_list.value_or(KeyList{});
  json body = {{"version", list.version},
               {"audience", approvals.audience},
               {"max-duration", approvals.max_duration.count()},
               {"keys", keys_json(approvals.keys)},
               {"rules", rules_json(approvals.rules)},
               {"drill", approvals.drill},
               {"require", list.require},
               {"not-after", time_or_null(list.not_after)}};
  if (const auto& glass = approvals.break_glass) {
    body["break-glass"] = {{"max-duration", glass->max_duration.count()},
                           {"require", glass->require},
                           {"review", glass->review}};
  }
  return sha256_hex("demarc key list\n" + body.dump());
}

Result<KeyTrust, std::string> judge_key_list(const Policy& policy, const KeyTrustState& state) {
  const bool has_list = policy.approvals && policy.approvals->key_list;
  if (!state.trusted) return has_list ? KeyTrust::first_use : KeyTrust::no_list;
  const TrustedKeys& trusted = *state.trusted;
  if (!has_list) {
    return untrusted(fmt::format(
        "[key-list-missing] no `approvals.key-list`, though list {} was trusted; expected that "
        "one, or a newer one that it signed",
        trusted.version));
  }
  const KeyList& list = *policy.approvals->key_list;
  if (list.digest == trusted.digest) return KeyTrust::same;
  if (list.version <= trusted.version) {
    return untrusted(fmt::format(
        "[key-list-rollback] key list {} with other content than the trusted list {}; expected "
        "a higher version, signed",
        list.version, trusted.version));
  }
  if (auto checked = check_signatures(*policy.approvals, trusted, state); !checked) {
    return std::unexpected(checked.error());
  }
  return KeyTrust::rotated;
}

KeyTrustState key_trust_of(const SteeringState& state) {
  std::set<std::string> used, revoked;
  for (const auto& [id, end] : state.used_tokens) used.insert(id);
  for (const auto& [digest, key] : state.revoked_keys) revoked.insert(digest);
  return {.trusted = state.trusted_keys,
          .is_used = [used = std::move(used)](const std::string& id) { return used.contains(id); },
          .is_revoked = [revoked = std::move(revoked)](
                            const std::string& digest) { return revoked.contains(digest); },
          .now = state.trusted_wall};
}

TrustedKeys trusted_keys_of(const Approvals& approvals) {
  const KeyList& list = *approvals.key_list;
  return {.version = list.version,
          .digest = list.digest,
          .keys = approvals.keys,
          .require = list.require};
}

}  // namespace demarc::zones
