#include "zones/grant.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/digest.h"

namespace demarc::zones {
namespace {

template <typename... Args>
std::unexpected<Refusal> refuse(RefusalKind kind, fmt::format_string<Args...> text,
                                Args&&... args) {
  return std::unexpected(Refusal{kind, fmt::format(text, std::forward<Args>(args)...)});
}

const Zone* find_zone_exactly(const Repository& repository, const std::string& text) {
  const auto name = Name::parse_absolute(text);
  const Zone* zone = name ? repository.find_zone(*name) : nullptr;
  return zone != nullptr && zone->apex == *name ? zone : nullptr;
}

/// By the YAML label in this zone, or by the absolute owner name.
const Service* find_service_in(const Repository& repository, const Zone& zone,
                               const std::string& text) {
  const auto name = Name::parse_absolute(text);
  for (const ServiceId id : zone.services) {
    const Service& service = repository.service(id);
    if (service.label == text || (name && service.owner == *name)) return &service;
  }
  return nullptr;
}

/// Whether the service could answer from this region without a grant, for at least some clients.
bool can_be_home(const Policy& policy, const Service& service, RegionId region) {
  const JurisdictionId where = policy.region(region).jurisdiction;
  if (service.home_kind == HomeKind::jurisdiction) {
    return service.home && policy.is_inside(*service.home, where);
  }
  return true;  // home is the client's own: any region is home to some
}

bool has_record_in(const Service& service, RegionId region) {
  return std::ranges::count(service.records, region, &Record::region) != 0;
}

Result<void, Refusal> check_region(const Policy& policy, const Service& service,
                                   const std::string& name, bool home) {
  const auto region = policy.find_region(name);
  if (!region) return refuse(RefusalKind::scope, "the policy has no region `{}`", name);
  if (!has_record_in(service, *region)) {
    return refuse(RefusalKind::scope, "`{}` has no record in region `{}`",
                  service.owner.text_without_dot(), name);
  }
  const bool fixed = service.home_kind == HomeKind::jurisdiction;
  if (home && !can_be_home(policy, service, *region)) {
    return refuse(RefusalKind::scope, "`from` names `{}`, which is not at home", name);
  }
  if (!home && fixed && can_be_home(policy, service, *region)) {
    return refuse(RefusalKind::scope, "`to` names `{}`, which is at home and needs no grant", name);
  }
  return {};
}

/// What was approved is a place under a law, not a name. Precondition: the regions exist.
std::string jurisdictions_of(const Policy& policy, const Claims& claims) {
  std::vector<std::string> parts;
  for (const auto* names : {&claims.from, &claims.to}) {
    for (const auto& name : *names) {
      const Region& region = policy.region(*policy.find_region(name));
      parts.push_back(name + "=" + policy.jurisdiction(region.jurisdiction).name);
    }
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

}  // namespace

Result<GrantScope, Refusal> resolve_scope(const Repository& repository, const Claims& claims) {
  const Zone* zone = find_zone_exactly(repository, claims.zone);
  if (zone == nullptr) return refuse(RefusalKind::scope, "there is no zone `{}`", claims.zone);
  const Service* service = find_service_in(repository, *zone, claims.service);
  if (service == nullptr) {
    return refuse(RefusalKind::scope, "the zone `{}` has no service `{}`", claims.zone,
                  claims.service);
  }
  if (service->residency != Residency::hard) {
    return refuse(RefusalKind::scope, "`{}` has no hard residency and needs no grant",
                  claims.service);
  }
  for (const auto& name : claims.from) {
    if (auto wrong = check_region(repository.policy, *service, name, true); !wrong) {
      return std::unexpected(wrong.error());
    }
  }
  for (const auto& name : claims.to) {
    if (auto wrong = check_region(repository.policy, *service, name, false); !wrong) {
      return std::unexpected(wrong.error());
    }
  }
  if (!covers(claims.mode, service->access)) {
    return refuse(RefusalKind::mode, "mode `{}` does not cover the service's access `{}`",
                  to_text(claims.mode), to_text(service->access));
  }
  return GrantScope{.zone = zone->apex.text_without_dot(),
                    .service = service->owner.text_without_dot(),
                    .from = claims.from,
                    .to = claims.to,
                    .jurisdictions = jurisdictions_of(repository.policy, claims),
                    .mode = claims.mode,
                    .change = claims.change};
}

const ApprovalRule* find_rule(const Approvals& approvals, const GrantScope& scope) {
  const auto rule = std::ranges::find_if(approvals.rules, [&](const ApprovalRule& candidate) {
    return candidate.mode == scope.mode && (candidate.zone == "*" || candidate.zone == scope.zone);
  });
  return rule == approvals.rules.end() ? nullptr : &*rule;
}

bool is_satisfied(const ApprovalRule& rule, const std::vector<Signature>& signatures) {
  std::vector<std::string> places;
  for (const auto& [role, count] : rule.require) places.insert(places.end(), count, role);
  if (places.empty()) return false;

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
  for (std::size_t place = 0; place < places.size(); ++place) {
    std::set<std::string> tried;
    if (!seat(place, tried)) return false;
  }
  return true;
}

Grant begin_grant(GrantScope scope, const std::string& first_token_id, WallTime now) {
  const std::string seed = fmt::format(
      "{}|{}|{}|{}|{}|{}|{}", scope.zone, scope.service, fmt::join(scope.from, ","),
      fmt::join(scope.to, ","), to_text(scope.mode), scope.change.value_or(""), first_token_id);
  return Grant{.id = "grant-" + sha256_hex(seed).substr(0, 10),
               .scope = std::move(scope),
               .signatures = {},
               .complete = false,
               .accepted = now,
               .ends = WallTime::max()};
}

Grant with_token(Grant grant, const ApprovedToken& token, const Approvals& approvals,
                 const ApprovalRule& rule) {
  const auto key = std::ranges::find(approvals.keys, token.key_id, &ApprovalKey::id);
  grant.signatures.push_back({.token_id = token.claims.id,
                              .key_id = token.key_id,
                              .key_digest = sha256_hex(key->public_key_pem),
                              .person = token.person,
                              .role = token.role,
                              .reason = token.claims.reason,
                              .case_id = token.claims.case_id});
  grant.ends = std::min(grant.ends, token.claims.expires);
  if (key->not_after) grant.ends = std::min(grant.ends, *key->not_after);
  grant.complete = is_satisfied(rule, grant.signatures);
  return grant;
}

std::optional<std::string> lost_backing(const Repository& repository, const Grant& grant) {
  if (!repository.policy.approvals) return "the policy has no approvals any more";
  const Approvals& approvals = *repository.policy.approvals;
  for (const Signature& signature : grant.signatures) {
    const auto key = std::ranges::find(approvals.keys, signature.key_id, &ApprovalKey::id);
    if (key == approvals.keys.end()) return "the key " + signature.key_id + " was removed";
    if (sha256_hex(key->public_key_pem) != signature.key_digest ||
        key->person != signature.person || key->role != signature.role) {
      return "the key " + signature.key_id + " was changed";
    }
  }
  const Claims claims{.zone = grant.scope.zone,
                      .service = grant.scope.service,
                      .from = grant.scope.from,
                      .to = grant.scope.to,
                      .mode = grant.scope.mode};
  const auto scope = resolve_scope(repository, claims);
  if (!scope) return scope.error().text;
  if (scope->jurisdictions != grant.scope.jurisdictions) {
    return "its regions lie in other jurisdictions now: " + scope->jurisdictions;
  }
  const ApprovalRule* rule = find_rule(approvals, grant.scope);
  if (rule == nullptr) return "the rule that allowed it was removed";
  if (grant.complete && !is_satisfied(*rule, grant.signatures)) {
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

std::optional<Permission> permission_of(const Repository& repository, const Grant& grant) {
  const auto owner = Name::parse_absolute(grant.scope.service);
  const auto service = owner ? repository.find_service(*owner) : std::nullopt;
  if (!service) return std::nullopt;
  Permission permission{.grant_id = grant.id,
                        .service = *service,
                        .from = {},
                        .to = {},
                        .mode = grant.scope.mode,
                        .end = grant.ends};
  const auto resolve = [&](const std::vector<std::string>& names, std::vector<RegionId>& regions) {
    for (const auto& name : names) {
      const auto region = repository.policy.find_region(name);
      if (!region) return false;
      regions.push_back(*region);
    }
    return true;
  };
  if (!resolve(grant.scope.from, permission.from) || !resolve(grant.scope.to, permission.to)) {
    return std::nullopt;
  }
  return permission;
}

}  // namespace demarc::zones
