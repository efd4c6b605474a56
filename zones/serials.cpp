#include "zones/serials.h"

#include <chrono>

namespace demarc::zones {
std::uint32_t serial_of(WallTime now) {
  return static_cast<std::uint32_t>(std::chrono::floor<Seconds>(now.time_since_epoch()).count());
}

void assign_serials(Repository& repository, SerialBook& book, WallTime now) {
  const std::uint32_t by_clock = serial_of(now);
  for (Zone& zone : repository.zones) {
    if (zone.serial_is_fixed) continue;
    const auto known = book.find(zone.apex.text_without_dot());
    std::uint32_t serial = by_clock;
    if (known != book.end()) {
      const auto& [digest, before] = known->second;
      serial = digest == zone.digest               ? before
               : is_serial_after(by_clock, before) ? by_clock
                                                   : before + 1;
    }
    book[zone.apex.text_without_dot()] = {zone.digest, serial};
    zone.serial = serial;
    zone.rrsets.set_serial(serial);
  }
}

}  // namespace demarc::zones
