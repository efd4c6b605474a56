// Grants: approval tokens of enough persons become a permission for crossings, for a while.
// zones/token.h checks one token, zones/steering.h keeps the grants, zones/gate.h obeys them. What
// a scope reaches is in zones/grant_scope.cpp.
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
  std::string service;                // owner name without the last dot; "*": every hard one
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
  std::string key_digest;  // of the key itself: another key under the same id does not count
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

/// The scope a token asks for, resolved against the repository, with what its template gives: its
/// zone and its hard service exist (or all hard services of the zone, or the tenant's class), the
/// regions exist, `from` has records at home and `to` records abroad, the mode covers the access.
[[nodiscard]] Result<GrantScope, Refusal> resolve_scope(const Repository& repository,
                                                        const Claims& claims);

/// Why a scope resolved earlier no longer resolves to the same; nothing: it still does.
[[nodiscard]] std::optional<std::string> lost_scope(const Repository& repository,
                                                    const GrantScope& scope);

/// Whose signatures a scope needs: of the first rule that matches, or for break-glass. Null: it
/// cannot be approved.
[[nodiscard]] const Required* find_required(const Approvals& approvals, const GrantScope& scope);

/// The roles that different persons do not fill yet, one item a missing person, in order; one
/// person fills one place alone, whatever keys and roles they have.
[[nodiscard]] std::vector<std::string> missing_roles(const Required& required,
                                                     const std::vector<Signature>& signatures);
/// Whether nothing is missing; what requires nobody is never satisfied.
[[nodiscard]] bool is_satisfied(const Required& required, const std::vector<Signature>& signatures);
/// "1 more: security".
[[nodiscard]] std::string missing_text(const Required& required,
                                       const std::vector<Signature>& signatures);

[[nodiscard]] Signature signature_of(const ApprovedToken& token);

/// A grant, or a waiting one, with one more valid token.
[[nodiscard]] Grant with_token(Grant grant, const ApprovedToken& token, const Required& required);

/// A new grant without signatures.
[[nodiscard]] Grant begin_grant(GrantScope scope, const std::string& first_token_id, WallTime now);

/// Why a grant made earlier no longer holds under this repository (a key, rule, template, region or
/// service is gone or changed); nothing: it still does.
[[nodiscard]] std::optional<std::string> lost_backing(const Repository& repository,
                                                      const Grant& grant);

/// A grant never outlives the keys it was signed with, also when a reload gave them an end.
void shorten_to_keys(const Repository& repository, Grant& grant);

/// What the gate needs of a complete grant for one service: for a class of tenants with the one
/// tenant it names, if it names one. Nothing: the grant does not reach the service.
[[nodiscard]] std::optional<Permission> permission_for(const Repository& repository,
                                                       const Grant& grant, ServiceId service);
/// The same for every service that the grant reaches, by id.
[[nodiscard]] std::vector<Permission> permission_of(const Repository& repository,
                                                    const Grant& grant);

}  // namespace demarc::zones
