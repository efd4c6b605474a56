// SOA serials for zones whose file names none: they follow the content and never go backwards.
// The daemon assigns them after loading (zones/repository.h) and keeps the book with its state.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "geo/base/moment.h"
#include "zones/model.h"

namespace demarc::zones {

/// apex text -> digest of the zone's content, serial it was given.
using SerialBook = std::map<std::string, std::pair<std::string, std::uint32_t>>;

/// Whether `a` comes after `b` in serial number arithmetic (RFC 1982 §3.2).
[[nodiscard]] constexpr bool is_serial_after(std::uint32_t a, std::uint32_t b) noexcept {
  return a != b && static_cast<std::uint32_t>(a - b) < 0x80000000U;
}

/// The seconds since 1970.
[[nodiscard]] std::uint32_t serial_of(WallTime now);

/// Gives every zone without a fixed serial one and writes it into its SOA: the same content keeps
/// its serial; changed content gets the seconds since 1970, or one more than before if that is
/// later (RFC 1982 order). A zone that had a generated serial keeps its entry when its file goes
/// away.
void assign_serials(Repository& repository, SerialBook& book, WallTime now);

}  // namespace demarc::zones
