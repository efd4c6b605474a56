// What a zone that may be transferred must not have: a secondary answers every client alike, and
// knows no weights.
// zones/yaml/zone_model.h checks with it; zones/yaml/transfer_file.h read what is checked.
#pragma once

#include <span>

#include "geo/base/diagnostics.h"
#include "zones/model.h"

namespace demarc::zones::yaml {

/// Findings, of a zone with `transfer:`: hard services whose home depends on the client, and
/// services with tenants (transfer-crosses); services beside a serial of the editor's own, which
/// cannot follow steering (transfer-serial); a record that no signed message has room for
/// (transfer-record-size).
void check_transfer(const Zone& zone, std::span<const Service> services, Diagnostics& diagnostics);

}  // namespace demarc::zones::yaml
