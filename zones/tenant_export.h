// A tenant map in words: its digest, the JSON that applications read, and what changed between two.
// zones/tenants.h is the map, zones/README.md documents both formats; `demarc tenant` and
// `demarc plan` print them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "zones/digest.h"
#include "zones/model.h"
#include "zones/tenants.h"

namespace demarc::zones {

/// SHA-256 of the canonical text: for each service, by owner name, "service OWNER LABELS", then for
/// each tenant, by name, "NAME HOME RESIDENCY REGION,REGION PLACEMENT REGULATED SENSITIVITY"; every
/// line with a line feed. The order of files and lines does not matter.
[[nodiscard]] Sha256 tenants_digest(const Repository& repository, const TenantMap& map);

/// JSON, one tenant a line, written in pieces: a million are never text at once. `service` limits
/// the tenants, not the digest, which is always that of the whole map.
void export_tenants(const Repository& repository, std::optional<ServiceId> service,
                    const std::function<void(std::string_view)>& write);

enum class TenantChangeKind : std::uint8_t { added, removed, moved };

/// One side of a change, in words.
struct TenantState {
  std::string home, residency;
  std::vector<std::string> regions;
  Placement placement = Placement::line;
  bool regulated = false;
  std::string sensitivity;
  auto operator<=>(const TenantState&) const = default;
};

struct TenantChange {
  TenantChangeKind kind = TenantChangeKind::moved;
  std::string service;  // owner without the last dot
  std::string tenant;
  std::optional<TenantState> before, after;
  /// Somebody has to look at it with the law in mind: a regulated tenant is touched, or a tenant
  /// becomes or stops being regulated or hard, or gets another home.
  bool is_legal = false;
};

struct TenantChanges {
  std::size_t added = 0, removed = 0, moved = 0, legal = 0;
  std::vector<TenantChange> list;  // legal ones first, by service and name; cut at `list_max`
};

/// What a new map changes; services are told apart by owner, regions and jurisdictions by name. A
/// repository without tenants counts as an empty map. One pass over both, well below a second for
/// a million tenants.
[[nodiscard]] TenantChanges diff_tenants(const Repository& before, const Repository& after,
                                         std::size_t list_max = 10'000);

/// A tenant's line in words.
[[nodiscard]] TenantState tenant_state(const Policy& policy, const TenantKind& kind);

}  // namespace demarc::zones
