// Grants: approval tokens of enough persons become a permission for crossings, for a while.
// zones/token.h checks one token, zones/steering.h keeps the grants, zones/gate.h obeys them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "zones/gate.h"
#include "zones/model.h"
#include "zones/token.h"

namespace demarc::zones {

/// What tokens must agree on to count together. Names, not ids: they outlive a reload.
struct GrantScope {
  std::string zone;                   // apex without the last dot
  std::string service;                // owner name without the last dot
  std::vector<std::string> from, to;  // regions, sorted
  std::string jurisdictions;          // of those regions, as they were: "eu=EU us=US"
  Mode mode = Mode::read_only;
  std::optional<std::string> change;
  std::string tenant;         // empty: of all
  unsigned max_share = 100;   // percent
  std::string plan_template;  // id and digest of the template that gave it; empty: none
  bool break_glass = false;

  auto operator<=>(const GrantScope&) const = default;
};

/// One signature under a grant, as the audit trail and a restart need it.
struct Signature {
  std::string token_id;  // jti
  std::string key_id;
  std::string key_digest;  // SHA-256 of the key's PEM: another key under the same id does not count
  std::string person;
  std::string role;
  std::string reason;
  std::string case_id;
  std::string token;  // as presented: evidence, for the trail and an export

  auto operator<=>(const Signature&) const = default;
};

/// Signatures of one scope. Complete: a live grant. Else it waits for more persons.
struct Grant {
  std::string id;  // "grant-" and ten hexadecimal digits
  GrantScope scope;
  std::vector<Signature> signatures;
  bool complete = false;
  WallTime accepted;
  WallTime ends;  // exclusive; the earliest end of its tokens and keys

  auto operator<=>(const Grant&) const = default;
};

/// The scope a token asks for, resolved against the repository: its zone and its hard service
/// exist, the regions exist, `from` has records at home and `to` records abroad, the mode covers
/// the service.
[[nodiscard]] Result<GrantScope, Refusal> resolve_scope(const Repository& repository,
                                                        const Claims& claims);

/// The rule that decides what a scope needs; the first match, or null: cannot be approved.
[[nodiscard]] const ApprovalRule* find_rule(const Approvals& approvals, const GrantScope& scope);

/// Whether different persons fill every role the rule requires; one person fills one place alone,
/// whatever keys and roles they have.
[[nodiscard]] bool is_satisfied(const ApprovalRule& rule, const std::vector<Signature>& signatures);

/// A grant, or a waiting one, with one more valid token.
[[nodiscard]] Grant with_token(Grant grant, const ApprovedToken& token, const Approvals& approvals,
                               const ApprovalRule& rule);

/// A new grant without signatures.
[[nodiscard]] Grant begin_grant(GrantScope scope, const std::string& first_token_id, WallTime now);

/// Why a grant made earlier no longer holds under this repository (a key, rule, region or service
/// is gone or changed); nothing: it still does.
[[nodiscard]] std::optional<std::string> lost_backing(const Repository& repository,
                                                      const Grant& grant);

/// A grant never outlives the keys it was signed with, also when a reload gave them an end.
void shorten_to_keys(const Repository& repository, Grant& grant);

/// What the gate needs of a complete grant; nothing if the service is gone.
[[nodiscard]] std::optional<Permission> permission_of(const Repository& repository,
                                                      const Grant& grant);

}  // namespace demarc::zones
