// Tenants, each that is somebody's business, and the sum of the others.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/diff/parts.h"
#include "zones/tenant_export.h"
#include "zones/tenants.h"

namespace demarc::zones::diff {
namespace {

// Legal changes beyond this are told in the sum alone.
constexpr std::size_t listed_max = 1000;

std::string state_text(const std::optional<TenantState>& state) {
  if (!state) return {};
  return fmt::format("{}home {}, residency {}, in {}{}", state->regulated ? "regulated, " : "",
                     state->home, state->residency, fmt::join(state->regions, ", "),
                     state->placement == Placement::hash ? " by hash" : "");
}

int strictness(const std::string& residency) {
  for (const Residency one : {Residency::none, Residency::soft, Residency::hard}) {
    if (to_text(one) == residency) return static_cast<int>(one);
  }
  return 0;
}

/// A tenant that is removed is answered by its service, or a wildcard: without its own duties.
ChangeEffect effect_of(const TenantChange& change) {
  if (!change.before) return ChangeEffect::touches;
  if (!change.after) return ChangeEffect::loosens;
  const int before = strictness(change.before->residency);
  const int after = strictness(change.after->residency);
  if (after < before || (change.before->regulated && !change.after->regulated)) {
    return ChangeEffect::loosens;
  }
  if (change.before->home != change.after->home) return ChangeEffect::loosens;
  if (after > before || change.before->regulated != change.after->regulated) {
    return ChangeEffect::tightens;
  }
  return ChangeEffect::touches;
}

std::string digest_text(const Repository& repository) {
  if (!repository.tenants) return {};
  return fmt::format("{} tenants, map {}", repository.tenants->size(),
                     repository.tenants->digest().substr(0, 16));
}

}  // namespace

void diff_tenants(Changes& changes) {
  const std::string before = digest_text(changes.from()), after = digest_text(changes.to());
  if (before == after) return;
  const TenantChanges found = zones::diff_tenants(changes.from(), changes.to(), listed_max);
  for (const TenantChange& one : found.list) {
    if (!one.is_legal) continue;
    changes.add({.kind = "tenant",
                 .subject = fmt::format("tenant {} of {}", one.tenant, one.service),
                 .rank = ChangeClass::legal,
                 .effect = effect_of(one),
                 .before = state_text(one.before),
                 .after = state_text(one.after)},
                "tenants.yaml", "");
  }
  changes.add({.kind = "tenants",
               .subject = fmt::format("{} tenants added, {} removed, {} moved, {} of them legal",
                                      found.added, found.removed, found.moved, found.legal),
               .rank = ChangeClass::traffic,
               .effect = ChangeEffect::touches,
               .before = before,
               .after = after},
              "tenants.yaml", "");
}

}  // namespace demarc::zones::diff
