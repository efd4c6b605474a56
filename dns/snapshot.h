// What query threads read: all of it immutable, built by the control thread beside the last one.
// dns/published.h hands it over, dns/responder.h answers from it.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "dns/identity.h"
#include "dns/local_names.h"
#include "dns/reply.h"
#include "dns/steered_answers.h"
#include "dns/transfer_table.h"
#include "dns/zone_table.h"
#include "geo/base/moment.h"
#include "geo/location_table.h"
#include "zones/cleared_weights.h"
#include "zones/model.h"
#include "zones/tenants.h"
#include "zones/view.h"

namespace demarc::dns {

/// What a view makes of locations.
struct ViewTable {
  std::vector<zones::VariantId> variant_of_class;
  std::vector<std::uint8_t> scopes;  // by block; empty: the view is the same at every address
  bool tells_clients_apart = false;  // else nobody's location needs to be found
};

inline constexpr std::int64_t never_ms = std::numeric_limits<std::int64_t>::max();

/// A service, with the end of the grants its answers rely on by both clocks: whichever says that
/// they have ended is believed, so a wall clock set back prolongs nothing.
struct ServiceSlot {
  std::shared_ptr<const ServiceAnswers> answers;  // null: SERVFAIL
  std::int64_t wall_end_ms = never_ms;
  std::int64_t monotonic_end_ms = never_ms;
};

struct TenantHash {
  std::size_t operator()(const zones::TenantId& id) const noexcept {
    return (std::size_t{id.set} << 32 | id.line) * 0x9e37'79b9'7f4a'7c15;
  }
};

/// The shared parts belong to the control side: it alone copies and destroys snapshots, query
/// threads only look through the pointers and touch no reference count.
struct Snapshot {
  std::uint64_t generation = 0;
  std::shared_ptr<const ZoneTable> zones;
  std::shared_ptr<const geo::LocationTable> locations;
  std::shared_ptr<const std::vector<ViewTable>> views;  // by ViewId
  std::vector<ServiceSlot> services;                    // by ServiceId
  std::shared_ptr<const Identity> identity;             // never null
  std::shared_ptr<const OperatorView> operators;        // null: no zone has operator names
  std::shared_ptr<const Challenges> challenges;         // null: none
  std::shared_ptr<const zones::TenantMap> tenants;      // null: no service has any
  /// Tenants under a grant of their own, who are not answered as their class; mostly empty.
  std::unordered_map<zones::TenantId, ServiceSlot, TenantHash> tenant_slots;
  std::shared_ptr<const TransferTable> transfers;  // null: no keys, and nobody may have any zone
  /// By zone: what its SOA says in the place of what was rendered, as it follows what a transfer
  /// gives (dns/transfer_serials.h). Empty: nobody may have any zone.
  std::vector<std::uint32_t> serials;
};

/// The serial of today into the SOA that an answer ends with, if it does. All of the answer was
/// appended last.
inline void add_serial(const Snapshot& snapshot, const Answer& answer, Reply& reply) noexcept {
  if (answer.soa_zone_plus_1 == 0 || snapshot.serials.empty()) return;
  reply.set_soa_serial(snapshot.serials[answer.soa_zone_plus_1 - 1]);
}

/// The views of a loaded repository. `views` has classified every location of `locations`.
[[nodiscard]] std::shared_ptr<const std::vector<ViewTable>> compile_views(
    const zones::Views& views, const geo::LocationTable& locations);

/// What does not change with the weights.
struct SnapshotParts {
  std::shared_ptr<const ZoneTable> zones;
  std::shared_ptr<const geo::LocationTable> locations;
  std::shared_ptr<const std::vector<ViewTable>> views;
  std::shared_ptr<const Identity> identity = std::make_shared<const Identity>();
  std::shared_ptr<const TransferTable> transfers;
  /// Borrowed by build_snapshot(): whose serials go on. Null: the process has just begun.
  const Snapshot* before = nullptr;
  std::shared_ptr<const OperatorView> operators = {};
  std::shared_ptr<const Challenges> challenges = {};
};

/// The snapshot of a loaded repository. A service that `cleared` does not name answers SERVFAIL.
/// `now` relates the end of grants to the monotonic clock. Control thread.
[[nodiscard]] std::unique_ptr<const Snapshot> build_snapshot(
    const zones::Repository& repository, const zones::Views& views, SnapshotParts parts,
    std::span<const zones::ClearedWeights> cleared, Moment now, std::uint64_t generation);

/// `last` with the answers of some services rendered anew, all else shared; the next generation.
/// Weights for one tenant (ClearedWeights::tenant) win over those of its class as long as they rely
/// on a grant; weights that rely on none end that. Those of a class the tenant is not in do
/// neither. `repository` and `views` are those `last` was built from. Control thread; microseconds
/// a changed service, and a copy of ten thousand pointers at most.
[[nodiscard]] std::unique_ptr<const Snapshot> with_weights(
    const Snapshot& last, const zones::Repository& repository, const zones::Views& views,
    std::span<const zones::ClearedWeights> changed, Moment now);

/// `last` with other local names; the next generation. `operators` was made for the repository
/// that `last` was built from. Control thread.
[[nodiscard]] std::unique_ptr<const Snapshot> with_local_names(
    const Snapshot& last, std::shared_ptr<const OperatorView> operators,
    std::shared_ptr<const Challenges> challenges);

}  // namespace demarc::dns
