// A grant's scope: what a token asks for, and which services, regions and tenants that reaches.
#include "zones/grant.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/residency_rules.h"
#include "zones/steering_state.h"
#include "zones/tenants.h"

namespace demarc::zones {
namespace {

template <typename... Args>
std::unexpected<Refusal> refuse(RefusalKind kind, fmt::format_string<Args...> text,
                                Args&&... args) {
  return std::unexpected(Refusal{kind, fmt::format(text, std::forward<Args>(args)...)});
}

constexpr std::string_view all_services = "*";

std::optional<std::size_t> find_zone_exactly(const Repository& repository,
                                             const std::string& text) {
  const auto name = Name::parse_absolute(text);
  const Zone* zone = name ? repository.find_zone(*name) : nullptr;
  if (zone == nullptr || zone->apex != *name) return std::nullopt;
  return static_cast<std::size_t>(zone - repository.zones.data());
}

/// By the absolute owner name, or else by the YAML label in this zone: a scope keeps the owner, and
/// means the same service whatever labels a reload brings. Never a class of tenants: those are
/// named by their service and tenant alone.
std::optional<ServiceId> find_service_in(const Repository& repository, std::size_t zone,
                                         const std::string& text) {
  const auto is_here = [&](const Service& service) {
    return service.zone == zone && !service.tenants_of;
  };
  const auto name = Name::parse_absolute(text);
  if (const auto id = name ? repository.find_service(*name) : std::nullopt) {
    if (is_here(repository.service(*id))) return id;
  }
  for (const ServiceId id : repository.zones[zone].services) {
    if (is_here(repository.service(id)) && repository.service(id).label == text) return id;
  }
  return std::nullopt;
}

/// Tenants are labels of names on the wire, where case means nothing.
std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

/// What a token names, found in the repository.
struct Target {
  std::size_t zone = 0;
  std::optional<ServiceId> service;       // nothing: all of the zone
  std::optional<ServiceId> tenant_class;  // with a tenant
};

Result<Target, Refusal> find_target(const Repository& repository, const Claims& claims) {
  Target target;
  const auto zone = find_zone_exactly(repository, claims.zone);
  if (!zone) return refuse(RefusalKind::scope, "there is no zone `{}`", claims.zone);
  target.zone = *zone;
  if (claims.service == all_services) return target;
  target.service = find_service_in(repository, *zone, claims.service);
  if (!target.service) {
    return refuse(RefusalKind::scope, "the zone `{}` has no service `{}`", claims.zone,
                  claims.service);
  }
  if (!claims.tenant) return target;
  if (repository.tenants) {
    target.tenant_class = repository.tenants->class_of(*target.service, lower_case(*claims.tenant));
  }
  if (!target.tenant_class) {
    return refuse(RefusalKind::scope, "`{}` has no tenant `{}`", claims.service, *claims.tenant);
  }
  return target;
}

/// A service without its tenants' classes would leave those behind who have no name of their own in
/// the token; a tenant's token reaches that tenant's class alone.
bool is_reached(const Repository& repository, const Target& target, ServiceId id) {
  const Service& service = repository.service(id);
  if (service.residency != Residency::hard) return false;
  if (target.tenant_class) return id == *target.tenant_class;
  if (!target.service) return service.zone == target.zone;
  return id == *target.service || service.tenants_of == target.service;
}

std::vector<ServiceId> reached(const Repository& repository, const Target& target) {
  std::vector<ServiceId> list;
  for (std::size_t i = 0; i < repository.services.size(); ++i) {
    const ServiceId id{static_cast<std::uint32_t>(i)};
    if (is_reached(repository, target, id)) list.push_back(id);
  }
  return list;
}

/// Whether all clients have the same home there; else it is the client's own. A class of tenants
/// has one, the tenants' home.
bool has_one_home(const Service& service) { return service.home_kind != HomeKind::client; }

/// Whether the service could answer from this region without a grant, for at least some clients.
bool can_be_home(const Policy& policy, const Service& service, RegionId region) {
  if (!has_one_home(service)) return true;  // any region is home to some
  return service.home && policy.is_inside(*service.home, policy.region(region).jurisdiction);
}

bool has_record_in(const Service& service, RegionId region) {
  return std::ranges::count(service.records, region, &Record::region) != 0;
}

enum class Side : std::uint8_t { from, to };

Result<RegionId, Refusal> check_region(const Policy& policy, const Service& service,
                                       const std::string& name, Side side) {
  const auto region = policy.find_region(name);
  if (!region) return refuse(RefusalKind::scope, "the policy has no region `{}`", name);
  if (!has_record_in(service, *region)) {
    return refuse(RefusalKind::scope, "`{}` has no record in region `{}`",
                  service.owner.text_without_dot(), name);
  }
  if (side == Side::from && !can_be_home(policy, service, *region)) {
    return refuse(RefusalKind::scope, "`from` names `{}`, which is not at home", name);
  }
  if (side == Side::to && has_one_home(service) && can_be_home(policy, service, *region)) {
    return refuse(RefusalKind::scope, "`to` names `{}`, which is at home and needs no grant", name);
  }
  return *region;
}

std::vector<RegionId> regions_for(const Policy& policy, const Service& service,
                                  const std::vector<std::string>& names, Side side) {
  std::vector<RegionId> regions;
  for (const auto& name : names) {
    if (const auto region = check_region(policy, service, name, side)) regions.push_back(*region);
  }
  return regions;
}

/// Every region that is named must mean something to at least one service that is reached.
Result<void, Refusal> check_regions(const Repository& repository,
                                    const std::vector<ServiceId>& services, const Claims& claims) {
  for (const auto& [names, side] :
       {std::pair{&claims.from, Side::from}, std::pair{&claims.to, Side::to}}) {
    for (const auto& name : *names) {
      std::optional<Refusal> wrong;
      bool used = false;
      for (const ServiceId id : services) {
        const auto region = check_region(repository.policy, repository.service(id), name, side);
        used = used || region.has_value();
        if (!region && !wrong) wrong = region.error();
      }
      if (!used && wrong) return std::unexpected(*wrong);
    }
  }
  return {};
}

/// The homes whose clients would be sent away: the service's one, or those of the regions left.
std::vector<JurisdictionId> homes_of(const Policy& policy, const Service& service,
                                     const std::vector<std::string>& from) {
  if (has_one_home(service)) {
    return service.home ? std::vector{*service.home} : std::vector<JurisdictionId>{};
  }
  std::vector<JurisdictionId> homes;
  for (const RegionId region : regions_for(policy, service, from, Side::from)) {
    homes.push_back(policy.region(region).jurisdiction);
  }
  return homes;
}

/// A region where no rule lets any of the services go is refused now, whoever signs: the gate would
/// refuse it in the bad hour.
Result<void, Refusal> check_rules(const Repository& repository,
                                  const std::vector<ServiceId>& services, const Claims& claims) {
  const Policy& policy = repository.policy;
  for (const auto& name : claims.to) {
    std::optional<RuleMatch> denied;
    bool allowed = false;
    for (const ServiceId id : services) {
      const Service& service = repository.service(id);
      const auto to = check_region(policy, service, name, Side::to);
      if (!to) continue;
      for (const JurisdictionId home : homes_of(policy, service, claims.from)) {
        const auto match = match_rule(
            policy,
            crossing_of(repository, service, home, policy.region(*to).jurisdiction, claims.mode));
        allowed = allowed || match.effect == Effect::allow;
        if (match.effect == Effect::deny && !denied) denied = match;
      }
    }
    if (!allowed && denied) {
      return refuse(RefusalKind::denied, "the residency rule `{}` denies going to `{}`",
                    denied->rule_id, name);
    }
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

bool is_same_service(const Repository& repository, const std::string& zone, const std::string& one,
                     const std::string& other) {
  const auto found = find_zone_exactly(repository, zone);
  const auto a = found ? find_service_in(repository, *found, one) : std::nullopt;
  return a && a == find_service_in(repository, *found, other);
}

/// The claims with what the template says in their place; what they say themselves must be the
/// same.
Result<Claims, Refusal> with_template(const Repository& repository, Claims claims) {
  const auto& templates = repository.policy.templates;
  const auto plan = std::ranges::find(templates, *claims.plan_template, &PlanTemplate::id);
  if (plan == templates.end()) {
    return refuse(RefusalKind::scope, "the policy has no template `{}`", *claims.plan_template);
  }
  const auto differs = [&](std::string_view claim) {
    return refuse(RefusalKind::scope, "`{}` is not what the template `{}` says", claim, plan->id);
  };
  const auto zone = Name::parse_absolute(plan->zone);
  if (!claims.zone.empty() && Name::parse_absolute(claims.zone) != zone) return differs("zone");
  if (!claims.service.empty() &&
      !is_same_service(repository, plan->zone, claims.service, plan->service)) {
    return differs("service");
  }
  if (!claims.from.empty() && claims.from != plan->from) return differs("from");
  if (!claims.to.empty() && claims.to != plan->to) return differs("to");
  if (claims.mode_is_given && claims.mode != plan->mode) return differs("mode");
  if (claims.max_share && *claims.max_share != plan->max_share) return differs("max-share");
  const auto life = claims.expires - std::min(claims.issued_at, claims.not_before);
  if (life > plan->max_duration) {
    return refuse(RefusalKind::overlong, "it lives {} s, the template `{}` allows {} s",
                  std::chrono::floor<Seconds>(life).count(), plan->id, plan->max_duration.count());
  }
  claims.zone = plan->zone;
  claims.service = plan->service;
  claims.from = plan->from;
  claims.to = plan->to;
  claims.mode = plan->mode;
  claims.max_share = plan->max_share;
  claims.plan_template = plan->id + " " + plan->digest;
  return claims;
}

Claims claims_of(const GrantScope& scope) {
  Claims claims{.zone = scope.zone,
                .service = scope.service,
                .from = scope.from,
                .to = scope.to,
                .mode = scope.mode};
  if (!scope.tenant.empty()) claims.tenant = scope.tenant;
  return claims;
}

/// The target of a scope as seen from one service, without a search: asked for each service that is
/// ruled and each grant. Nothing: the scope is of another service or zone.
std::optional<Target> target_around(const Repository& repository, const GrantScope& scope,
                                    ServiceId id) {
  const Service& service = repository.service(id);
  if (Name::parse_absolute(scope.zone) != repository.zones[service.zone].apex) return std::nullopt;
  Target target{.zone = service.zone};
  if (scope.service == all_services) return target;
  const ServiceId named = service.tenants_of.value_or(id);
  if (Name::parse_absolute(scope.service) != repository.service(named).owner) return std::nullopt;
  target.service = named;
  if (scope.tenant.empty()) return target;
  if (repository.tenants) {
    target.tenant_class = repository.tenants->class_of(named, scope.tenant);
  }
  return target.tenant_class ? std::optional(target) : std::nullopt;
}

std::optional<Permission> permission_at(const Repository& repository, const Grant& grant,
                                        const Target& target, ServiceId id) {
  const Service& service = repository.service(id);
  if (!is_reached(repository, target, id) || !covers(grant.scope.mode, service.access)) {
    return std::nullopt;
  }
  const Policy& policy = repository.policy;
  Permission permission{
      .grant_id = grant.id,
      .service = id,
      .from = regions_for(policy, service, grant.scope.from, Side::from),
      .to = regions_for(policy, service, grant.scope.to, Side::to),
      .mode = grant.scope.mode,
      .end = grant.ends,
      .max_share = grant.scope.max_share,
      .tenant = grant.scope.tenant,
      .case_id = grant.signatures.empty() ? std::string{} : grant.signatures.front().case_id};
  if (permission.from.empty() || permission.to.empty()) return std::nullopt;
  if (grant.scope.change) {
    // That change alone: of this very service, and not once more of home has failed.
    const std::string zone = repository.zones[service.zone].apex.text_without_dot();
    if (change_id(zone, service.owner.text_without_dot(), grant.scope.from, grant.scope.to) !=
        *grant.scope.change) {
      return std::nullopt;
    }
    permission.only_failed = permission.from;
  }
  return permission;
}

}  // namespace

Result<GrantScope, Refusal> resolve_scope(const Repository& repository, const Claims& asked) {
  Claims claims = asked;
  if (claims.plan_template) {
    auto filled = with_template(repository, std::move(claims));
    if (!filled) return std::unexpected(filled.error());
    claims = std::move(*filled);
  }
  const auto target = find_target(repository, claims);
  if (!target) return std::unexpected(target.error());
  auto services = reached(repository, *target);
  if (services.empty()) {
    return refuse(RefusalKind::scope, "`{}` has no hard residency and needs no grant",
                  claims.service);
  }
  std::erase_if(services,
                [&](ServiceId id) { return !covers(claims.mode, repository.service(id).access); });
  if (services.empty()) {
    return refuse(RefusalKind::mode, "mode `{}` does not cover the access of `{}`",
                  to_text(claims.mode), claims.service);
  }
  if (auto checked = check_regions(repository, services, claims); !checked) {
    return std::unexpected(checked.error());
  }
  if (auto lawful = check_rules(repository, services, claims); !lawful) {
    return std::unexpected(lawful.error());
  }
  return GrantScope{.zone = repository.zones[target->zone].apex.text_without_dot(),
                    .service = target->service
                                   ? repository.service(*target->service).owner.text_without_dot()
                                   : std::string(all_services),
                    .from = claims.from,
                    .to = claims.to,
                    .jurisdictions = jurisdictions_of(repository.policy, claims),
                    .mode = claims.mode,
                    .change = claims.change,
                    .tenant = lower_case(claims.tenant.value_or("")),
                    .max_share = claims.max_share.value_or(100),
                    .plan_template = claims.plan_template.value_or(""),
                    .break_glass = claims.type == TokenType::break_glass};
}

std::optional<std::string> lost_scope(const Repository& repository, const GrantScope& scope) {
  if (!scope.plan_template.empty() &&
      std::ranges::none_of(repository.policy.templates, [&](const PlanTemplate& plan) {
        return plan.id + " " + plan.digest == scope.plan_template;
      })) {
    return "the template " + scope.plan_template.substr(0, scope.plan_template.find(' ')) +
           " was changed or removed";
  }
  const auto now = resolve_scope(repository, claims_of(scope));
  if (!now) return now.error().text;
  if (now->jurisdictions != scope.jurisdictions) {
    return "its regions lie in other jurisdictions now: " + now->jurisdictions;
  }
  return std::nullopt;
}

std::optional<Permission> permission_for(const Repository& repository, const Grant& grant,
                                         ServiceId service) {
  const auto target = target_around(repository, grant.scope, service);
  return target ? permission_at(repository, grant, *target, service) : std::nullopt;
}

std::vector<Permission> permission_of(const Repository& repository, const Grant& grant) {
  std::vector<Permission> list;
  const auto target = find_target(repository, claims_of(grant.scope));
  if (!target) return list;
  for (const ServiceId id : reached(repository, *target)) {
    if (auto permission = permission_at(repository, grant, *target, id)) {
      list.push_back(std::move(*permission));
    }
  }
  return list;
}

}  // namespace demarc::zones
