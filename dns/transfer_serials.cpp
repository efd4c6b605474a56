#include "dns/transfer_serials.h"

#include <algorithm>
#include <chrono>

namespace demarc::dns {

namespace {

std::uint32_t later(std::uint32_t serial, std::uint32_t other) noexcept {
  return zones::is_serial_after(other, serial) ? other : serial;
}

/// The seconds since 1970, or one more than before if that is later.
std::uint32_t next_serial(std::uint32_t before, WallTime now) {
  return later(before + 1, zones::serial_of(now));
}

std::span<const std::uint8_t> records_of(const Snapshot& snapshot, zones::ServiceId service) {
  const auto& answers = snapshot.services[zones::index_of(service)].answers;
  return answers ? answers->transfer_records() : std::span<const std::uint8_t>{};
}

bool is_same(const Snapshot& left, const TransferZone& left_zone, const Snapshot& right,
             const TransferZone& right_zone) {
  return left_zone.digest == right_zone.digest &&
         std::ranges::equal(left_zone.services, right_zone.services,
                            [&](zones::ServiceId a, zones::ServiceId b) {
                              return left.services[zones::index_of(a)].answers ==
                                         right.services[zones::index_of(b)].answers ||
                                     std::ranges::equal(records_of(left, a), records_of(right, b));
                            });
}

}  // namespace

std::vector<std::uint32_t> loaded_serials(const Snapshot& snapshot) {
  std::vector<std::uint32_t> serials;
  const TransferTable* const transfers = snapshot.transfers.get();
  if (transfers == nullptr) return serials;
  for (std::uint32_t zone = 0; zone < transfers->zone_count(); ++zone) {
    serials.push_back(snapshot.zones->version(zone).serial);
  }
  return serials;
}

void move_serials_on(Snapshot& next, const Snapshot& last, WallTime now) {
  for (std::uint32_t zone = 0; zone < next.serials.size(); ++zone) {
    const TransferZone* const transfer = next.transfers->find(zone);
    if (transfer == nullptr || is_same(next, *transfer, last, *transfer)) continue;
    next.serials[zone] = next_serial(last.serials[zone], now);
  }
}

void continue_serials(Snapshot& next, const Snapshot& last, WallTime now) {
  if (last.transfers == nullptr) return;
  for (std::uint32_t zone = 0; zone < next.serials.size(); ++zone) {
    const TransferZone* const transfer = next.transfers->find(zone);
    if (transfer == nullptr) continue;
    const auto before = last.transfers->find_apex(transfer->apex);
    if (!before) continue;
    const std::uint32_t serial = last.serials[*before];
    if (zones::is_serial_after(next.serials[zone], serial)) continue;
    next.serials[zone] = is_same(next, *transfer, last, *last.transfers->find(*before))
                             ? serial
                             : next_serial(serial, now);
  }
}

void begin_serials(Snapshot& next, WallTime now) {
  for (std::uint32_t zone = 0; zone < next.serials.size(); ++zone) {
    const TransferZone* const transfer = next.transfers->find(zone);
    if (transfer == nullptr || transfer->services.empty()) continue;
    next.serials[zone] = later(next.serials[zone] + 2, zones::serial_of(now) + 1);
  }
}

bool note_serials(const Snapshot& snapshot, zones::SerialBook& book) {
  bool has_changed = false;
  for (std::uint32_t zone = 0; zone < snapshot.serials.size(); ++zone) {
    const TransferZone* const transfer = snapshot.transfers->find(zone);
    if (transfer == nullptr) continue;
    const auto known = book.find(transfer->apex.text_without_dot());
    if (known == book.end() || known->second.second == snapshot.serials[zone]) continue;
    known->second.second = snapshot.serials[zone];
    has_changed = true;
  }
  return has_changed;
}

}  // namespace demarc::dns
