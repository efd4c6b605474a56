// What a zone transfer says of one service: the records that answer a client whose place is
// unknown, without any grant. A secondary answers everybody alike and knows no end of a grant, so a
// crossing never reaches one. dns/service_compiler.cpp keeps them with the service,
// dns/transfer_stream.h sends them.
#pragma once

#include <cstdint>
#include <vector>

#include "zones/cleared_weights.h"
#include "zones/model.h"
#include "zones/view.h"

namespace demarc::dns {

/// The records side by side, each in wire format with its owner in full: all addresses of the
/// choice that the weights have for unknown clients, each once, and for `https:` one HTTPS record
/// with hints of just those; or the CNAME of its heaviest record if none has addresses; and the TXT
/// record of the service's mode, at home. Nothing at all for a choice without records, for a
/// tenant's own weights, and for a choice that is not whole, which only a crossing is. Takes
/// cleared weights alone: what is not eligible cannot be among them.
[[nodiscard]] std::vector<std::uint8_t> transfer_records(const zones::Service& service,
                                                         const zones::Views& views,
                                                         const zones::ClearedWeights& cleared);

}  // namespace demarc::dns
