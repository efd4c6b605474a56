// The part of an answer that depends on who asks: the choice for the client's location, drawn by
// weight, as long as its grants live. dns/responder.cpp calls it, dns/reply.h takes the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "dns/query.h"
#include "dns/reply.h"
#include "dns/snapshot.h"
#include "dns/wire.h"
#include "dns/worker.h"
#include "geo/base/address.h"
#include "zones/tenants.h"

namespace demarc::dns {

/// Who asks what; all borrowed.
struct Asked {
  const Snapshot& snapshot;
  Worker& worker;
  const Query& query;
  const geo::Address& client;
};

enum class Chain : bool { no, yes };

/// Where in the message the service's owner stands: the QNAME, or the target of a CNAME before it.
struct SteeredPlace {
  std::uint16_t owner_at = header_size;
  Chain after_cname = Chain::no;
};

/// Appends what service `service` answers this client: records, NODATA with the SOA, or SERVFAIL;
/// the ECS scope, and an extended error where the answer is not simply the healthy records.
///
/// From the end of the grants on (by either clock) the fenced choice answers; until then no TTL of
/// an answer that needs them reaches beyond it.
void add_steered(const Asked& asked, std::uint32_t service, SteeredPlace place,
                 Reply& reply) noexcept;

/// Appends the addresses that the steered targets of `answer` would be answered with now, for this
/// client: as add_steered() chooses them, as far as they fit. Nothing for a target that is a CNAME,
/// NODATA or SERVFAIL to it. The scope becomes the longest of those that matter. `answer` was
/// appended whole; `shift` as then. Nothing: it was rendered for another message, and its names are
/// written again.
void add_target_addresses(const Asked& asked, const Answer& answer,
                          std::optional<std::size_t> shift, Reply& reply) noexcept;

/// The tenant of `service` whose label is the QNAME's first; nothing if there is none, or if the
/// QNAME is not directly below the service's owner, which has `owner_size` bytes.
[[nodiscard]] std::optional<zones::TenantId> find_tenant(const Asked& asked, std::uint32_t service,
                                                         std::size_t owner_size) noexcept;

/// Appends what that tenant is answered: as its class, or by a grant of its own.
void add_steered_tenant(const Asked& asked, zones::TenantId tenant, Reply& reply) noexcept;

/// Whether the grants of a slot still live, by both clocks; false where it has none.
[[nodiscard]] bool is_under_grant(const ServiceSlot& slot, const Worker& worker) noexcept;

/// Appends the TXT record that tells the mode of service `service`: that of its exception for as
/// long as the exception lives, as for add_steered(); NODATA for other types but ANY.
void add_mode(const Asked& asked, std::uint32_t service, Reply& reply) noexcept;

}  // namespace demarc::dns
