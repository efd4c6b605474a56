// The serials of zones that may be transferred: they move on with whatever a transfer would give,
// so also when steering changes an answer, and never go back (RFC 1982). dns/snapshot.h carries
// them; zones/serials.h gave each zone the one it has at load.
#pragma once

#include <cstdint>
#include <vector>

#include "dns/snapshot.h"
#include "geo/base/moment.h"
#include "zones/serials.h"

namespace demarc::dns {

/// By zone, as loaded; empty where nobody may have any zone.
[[nodiscard]] std::vector<std::uint32_t> loaded_serials(const Snapshot& snapshot);

/// After a change of weights: a zone whose transfer would differ from `last`'s gets its next
/// serial. Both are of one load.
void move_serials_on(Snapshot& next, const Snapshot& last, WallTime now);

/// After a load: no zone's serial falls behind that of `last`, found by its apex, and one whose
/// transfer would differ comes after it.
void continue_serials(Snapshot& next, const Snapshot& last, WallTime now);

/// After a start. The run before may have given one serial more than `book` knows, for another
/// content: zones with services begin beyond it, and beyond the clock of that moment.
void begin_serials(Snapshot& next, WallTime now);

/// Writes the serials of zones that may be transferred into `book`; whether it changed.
bool note_serials(const Snapshot& snapshot, zones::SerialBook& book);

}  // namespace demarc::dns
