// The key list: who may approve at all, under a version and a digest. The list before it signs the
// next one, so that nobody who merely edits files gives himself a key. zones/yaml/approvals_file.h
// reads it, zones/steering.h and tools/loader.h ask here before a list counts.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "zones/model.h"
#include "zones/steering_state.h"

namespace demarc::zones {

/// SHA-256 in hex of everything that decides who may approve what: version, audience, longest
/// life, keys (each by id, person, role, algorithm, public_key_digest, end), rules, break-glass,
/// drill, whom the next list needs, and the list's end. Canonical: order of keys and layout of
/// files do not matter, order of rules does.
[[nodiscard]] std::string key_list_digest(const Approvals& approvals);

/// Whether a policy's key list may count, given the one that was trusted last.
enum class KeyTrust : std::uint8_t {
  no_list,    // there is none and never was: the policy's keys count as they are
  same,       // the trusted one
  first_use,  // the first one: trusted from now on
  rotated,    // a newer one that the trusted one's persons signed
};

struct KeyTrustState {
  std::optional<TrustedKeys> trusted;
  std::function<bool(const std::string& token_id)> is_used;
  std::function<bool(const std::string& key_digest)> is_revoked;
  WallTime now;
};

/// The error says why not, as a finding without its place: "[key-list-rollback] ...; expected ...".
/// Nothing under this policy may be approved then. Pure.
[[nodiscard]] Result<KeyTrust, std::string> judge_key_list(const Policy& policy,
                                                           const KeyTrustState& state);

/// The state's part that judge_key_list() needs, copied: another thread may use it.
[[nodiscard]] KeyTrustState key_trust_of(const SteeringState& state);

/// What is remembered of a list that counts. Precondition: the policy has a key list.
[[nodiscard]] TrustedKeys trusted_keys_of(const Approvals& approvals);

}  // namespace demarc::zones
