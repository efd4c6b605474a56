// Answers for the names of dns/local_names.h, where no zone has the QNAME. dns/responder.cpp asks
// before it says NXDOMAIN or takes a wildcard.
#pragma once

#include "dns/reply.h"
#include "dns/steered_reply.h"
#include "dns/zone_table.h"

namespace demarc::dns {

/// Whether the QNAME could be one of them: no record, service or mode stands at it.
[[nodiscard]] bool may_be_local(const Match& match, const Node& node) noexcept;

/// Answers if the QNAME is a name of ours that this client may know; false: it is none, or none
/// for this client, and `reply` is as it was. Who may ask for an operator's name is judged by
/// `asked.client` alone, never by its ECS option. `zone` is the zone that the QNAME is in.
/// Allocates nothing, but for `_geo` where networks.yaml names the client's network.
[[nodiscard]] bool add_local_name(const Asked& asked, std::uint32_t zone, Reply& reply) noexcept;

}  // namespace demarc::dns
