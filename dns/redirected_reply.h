// The answer to a name below a DNAME (RFC 6672): the DNAME, the CNAME made of it, and what the new
// name leads to in our own zones. dns/responder.cpp calls it; dns/moved_answer.h moves what was
// rendered for other names. Chains that begin with a CNAME of a zone are rendered at load, by the
// same rules (dns/zone_compiler.h).
#pragma once

#include "dns/reply.h"
#include "dns/steered_reply.h"
#include "dns/zone_table.h"

namespace demarc::dns {

/// Appends the whole answer to the QNAME, whose closest encloser `match` has a DNAME.
///
/// Follows CNAMEs and DNAMEs, cname_chain_max of them at most, as a chain of CNAMEs is followed: a
/// service answers by its own choice for this client, a delegation by its referral. The chain
/// stops, and the client asks on, at a name of no zone of ours, a tenant's, one that tells a mode,
/// and one for a challenge. YXDOMAIN where a name would become too long (§2.2). Allocates nothing.
void add_redirected(const Asked& asked, const Match& match, Reply& reply) noexcept;

}  // namespace demarc::dns
