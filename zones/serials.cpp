#include "zones/serials.h"

#include <chrono>

namespace demarc::zones {
namespace {

constexpr std::uint16_t type_soa = 6;
constexpr std::size_t soa_numbers_bytes = 20;  // serial, refresh, retry, expire, minimum

void write_serial(Zone& zone, std::uint32_t serial) {
  zone.serial = serial;
  for (RRset& rrset : zone.rrsets) {
    if (rrset.type != type_soa || rrset.owner != zone.apex) continue;
    Rdata& soa = rrset.rdata.front();
    const std::size_t at = soa.size() - soa_numbers_bytes;
    for (std::size_t i = 0; i < 4; ++i) soa[at + i] = static_cast<char>(serial >> (24 - 8 * i));
  }
}

}  // namespace

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
    write_serial(zone, serial);
  }
}

}  // namespace demarc::zones
