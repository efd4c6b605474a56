#include "zones/grant.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/digest.h"
#include "zones/jws.h"

namespace demarc::zones {

const Required* find_required(const Approvals& approvals, const GrantScope& scope) {
  if (scope.break_glass) {
    return approvals.break_glass ? &approvals.break_glass->require : nullptr;
  }
  const auto rule = std::ranges::find_if(approvals.rules, [&](const ApprovalRule& candidate) {
    return candidate.mode == scope.mode && (candidate.zone == "*" || candidate.zone == scope.zone);
  });
  return rule == approvals.rules.end() ? nullptr : &rule->require;
}

std::vector<std::string> missing_roles(const Required& required,
                                       const std::vector<Signature>& signatures) {
  std::vector<std::string> places;
  for (const auto& [role, count] : required) places.insert(places.end(), count, role);
  std::map<std::string, std::set<std::string>> roles_of;  // by person
  for (const Signature& signature : signatures) {
    roles_of[signature.person].insert(signature.role);
  }
  // Persons to places by augmenting paths: one with two roles must not block another's only place.
  std::map<std::string, std::size_t> seat_of;
  const std::function<bool(std::size_t, std::set<std::string>&)> seat =
      [&](std::size_t place, std::set<std::string>& tried) {
        for (const auto& [person, roles] : roles_of) {
          if (!roles.contains(places[place]) || !tried.insert(person).second) continue;
          const auto taken = seat_of.find(person);
          if (taken == seat_of.end() || seat(taken->second, tried)) {
            seat_of[person] = place;
            return true;
          }
        }
        return false;
      };
  std::vector<std::string> missing;
  for (std::size_t place = 0; place < places.size(); ++place) {
    std::set<std::string> tried;
    if (!seat(place, tried)) missing.push_back(places[place]);
  }
  return missing;
}

bool is_satisfied(const Required& required, const std::vector<Signature>& signatures) {
  return !required.empty() && missing_roles(required, signatures).empty();
}

std::string missing_text(const Required& required, const std::vector<Signature>& signatures) {
  const auto missing = missing_roles(required, signatures);
  return fmt::format("{} more: {}", missing.size(), fmt::join(missing, ", "));
}

Signature signature_of(const ApprovedToken& token) {
  return {.token_id = token.claims.id,
          .key_id = token.key_id,
          .key_digest = token.key_digest,
          .person = token.person,
          .role = token.role,
          .reason = token.claims.reason,
          .case_id = token.claims.case_id,
          .token = token.text};
}

Grant begin_grant(GrantScope scope, const std::string& first_token_id, WallTime now) {
  const std::string seed = fmt::format(
      "{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", scope.zone, scope.service, fmt::join(scope.from, ","),
      fmt::join(scope.to, ","), to_text(scope.mode), scope.change.value_or(""), scope.tenant,
      scope.max_share, scope.plan_template, scope.break_glass, first_token_id);
  return Grant{.id = "grant-" + sha256_hex(seed).substr(0, 10),
               .scope = std::move(scope),
               .signatures = {},
               .complete = false,
               .accepted = now,
               .ends = WallTime::max()};
}

Grant with_token(Grant grant, const ApprovedToken& token, const Required& required) {
  grant.signatures.push_back(signature_of(token));
  grant.ends = std::min(grant.ends, token.claims.expires);
  if (token.key_ends) grant.ends = std::min(grant.ends, *token.key_ends);
  grant.complete = is_satisfied(required, grant.signatures);
  return grant;
}

std::optional<std::string> lost_backing(const Repository& repository, const Grant& grant) {
  if (!repository.policy.approvals) return "the policy has no approvals any more";
  const Approvals& approvals = *repository.policy.approvals;
  for (const Signature& signature : grant.signatures) {
    const auto key = std::ranges::find(approvals.keys, signature.key_id, &ApprovalKey::id);
    if (key == approvals.keys.end()) return "the key " + signature.key_id + " was removed";
    // A state of format 1 has the digest of the key's file.
    const bool is_same_key = public_key_digest(key->public_key_pem) == signature.key_digest ||
                             sha256_hex(key->public_key_pem) == signature.key_digest;
    if (!is_same_key || key->person != signature.person || key->role != signature.role) {
      return "the key " + signature.key_id + " was changed";
    }
  }
  if (auto lost = lost_scope(repository, grant.scope)) return lost;
  const Required* required = find_required(approvals, grant.scope);
  if (required == nullptr) return "the rule that allowed it was removed";
  if (grant.complete && !is_satisfied(*required, grant.signatures)) {
    return "the rule requires more persons now";
  }
  return std::nullopt;
}

void shorten_to_keys(const Repository& repository, Grant& grant) {
  if (!repository.policy.approvals) return;
  for (const Signature& signature : grant.signatures) {
    for (const ApprovalKey& key : repository.policy.approvals->keys) {
      if (key.id == signature.key_id && key.not_after) {
        grant.ends = std::min(grant.ends, *key.not_after);
      }
    }
  }
}

}  // namespace demarc::zones
