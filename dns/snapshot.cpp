#include "dns/snapshot.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "dns/transfer_serials.h"

namespace demarc::dns {

namespace {

ServiceSlot build_slot(const zones::Repository& repository, const zones::Views& views,
                       const zones::ClearedWeights& cleared, Moment now) {
  ServiceSlot slot;
  slot.answers =
      std::make_shared<const ServiceAnswers>(compile_service(repository, views, cleared));
  if (const auto end = cleared.valid_until()) {
    slot.wall_end_ms = end->time_since_epoch().count();
    slot.monotonic_end_ms = (now.monotonic + (*end - now.wall)).time_since_epoch().count();
  }
  return slot;
}

/// Puts a slot in its place. The same grants: their end by the monotonic clock never moves back
/// with the wall clock.
void put(ServiceSlot& slot, ServiceSlot next) {
  if (next.wall_end_ms == slot.wall_end_ms) {
    next.monotonic_end_ms = std::min(next.monotonic_end_ms, slot.monotonic_end_ms);
  }
  slot = std::move(next);
}

void put(Snapshot& snapshot, const zones::Repository& repository, const zones::Views& views,
         const zones::ClearedWeights& weights, Moment now) {
  if (weights.tenant().empty()) {
    return put(snapshot.services.at(zones::index_of(weights.service())),
               build_slot(repository, views, weights, now));
  }
  const auto parent = repository.service(weights.service()).tenants_of;
  if (!parent || !snapshot.tenants) return;
  const auto tenant = snapshot.tenants->find(*parent, weights.tenant());
  // Of a map that is gone, or of a class that the tenant has left: its present class decides.
  if (!tenant || snapshot.tenants->kind(*tenant).tenant_class != weights.service()) return;
  if (!weights.valid_until()) {
    snapshot.tenant_slots.erase(*tenant);
    return;
  }
  put(snapshot.tenant_slots[*tenant], build_slot(repository, views, weights, now));
}

}  // namespace

std::shared_ptr<const std::vector<ViewTable>> compile_views(const zones::Views& views,
                                                            const geo::LocationTable& locations) {
  auto tables = std::make_shared<std::vector<ViewTable>>();
  tables->reserve(views.view_count());
  for (std::size_t index = 0; index < views.view_count(); ++index) {
    ViewTable table;
    table.variant_of_class = views.variant_of_class(static_cast<zones::ViewId>(index));
    table.scopes = locations.scopes(table.variant_of_class);
    table.tells_clients_apart =
        std::ranges::adjacent_find(table.variant_of_class, std::not_equal_to{}) !=
        table.variant_of_class.end();
    tables->push_back(std::move(table));
  }
  return tables;
}

std::unique_ptr<const Snapshot> build_snapshot(const zones::Repository& repository,
                                               const zones::Views& views, SnapshotParts parts,
                                               std::span<const zones::ClearedWeights> cleared,
                                               Moment now, std::uint64_t generation) {
  auto snapshot = std::make_unique<Snapshot>();
  snapshot->generation = generation;
  snapshot->zones = std::move(parts.zones);
  snapshot->locations = std::move(parts.locations);
  snapshot->views = std::move(parts.views);
  snapshot->identity = std::move(parts.identity);
  snapshot->operators = std::move(parts.operators);
  snapshot->challenges = std::move(parts.challenges);
  snapshot->services.resize(repository.services.size());
  snapshot->tenants = repository.tenants;
  snapshot->transfers = std::move(parts.transfers);
  snapshot->serials = loaded_serials(*snapshot);
  for (const zones::ClearedWeights& weights : cleared) {
    put(*snapshot, repository, views, weights, now);
  }
  if (parts.before != nullptr) {
    continue_serials(*snapshot, *parts.before, now.wall);
  } else {
    begin_serials(*snapshot, now.wall);
  }
  return snapshot;
}

std::unique_ptr<const Snapshot> with_weights(const Snapshot& last,
                                             const zones::Repository& repository,
                                             const zones::Views& views,
                                             std::span<const zones::ClearedWeights> changed,
                                             Moment now) {
  auto snapshot = std::make_unique<Snapshot>(last);
  ++snapshot->generation;
  for (const zones::ClearedWeights& weights : changed) {
    put(*snapshot, repository, views, weights, now);
  }
  move_serials_on(*snapshot, last, now.wall);
  return snapshot;
}

std::unique_ptr<const Snapshot> with_local_names(const Snapshot& last,
                                                 std::shared_ptr<const OperatorView> operators,
                                                 std::shared_ptr<const Challenges> challenges) {
  auto snapshot = std::make_unique<Snapshot>(last);
  ++snapshot->generation;
  snapshot->operators = std::move(operators);
  snapshot->challenges = std::move(challenges);
  return snapshot;
}

}  // namespace demarc::dns
