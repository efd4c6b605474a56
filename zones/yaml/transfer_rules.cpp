#include "zones/yaml/transfer_rules.h"

#include "zones/rdata.h"

namespace demarc::zones::yaml {
namespace {

/// A message has 65,535 bytes, and beside one record its header, a question, the record's owner and
/// fixed part, an OPT and a TSIG.
constexpr std::size_t rdata_bytes_max = 64'000;

void check_home(const Service& service, Diagnostics& diagnostics) {
  const bool is_hard = service.residency == Residency::hard;
  if (service.home_kind == HomeKind::client && is_hard) {
    diagnostics.error(service.place, "transfer-crosses",
                      "hard service `{}` has `home: client` in a zone with `transfer:`, and a "
                      "secondary answers every client alike; expected it in a zone of its own "
                      "without `transfer:`",
                      service.label);
  }
  if (service.home_kind == HomeKind::tenant) {
    diagnostics.error(service.place, "transfer-crosses",
                      "service `{}` has tenants in a zone with `transfer:`, and a secondary does "
                      "not know their names; expected it in a zone of its own without `transfer:`",
                      service.label);
  }
}

}  // namespace

void check_transfer(const Zone& zone, std::span<const Service> services, Diagnostics& diagnostics) {
  if (!zone.transfer) return;
  const Place& place = zone.transfer->place;
  if (zone.serial_is_fixed && !services.empty()) {
    diagnostics.error(place, "transfer-serial",
                      "the zone has services and a serial of its own, which cannot follow them; "
                      "expected `soa:` without `serial`");
  }
  for (const Service& service : services) check_home(service, diagnostics);
  for (const RRset rrset : zone.rrsets) {
    for (const std::string_view rdata : rrset.rdata()) {
      if (rdata.size() <= rdata_bytes_max) continue;
      diagnostics.error(place, "transfer-record-size",
                        "{} {} has a record of {} bytes; expected at most {} in a zone that is "
                        "transferred",
                        rrset.owner().text(), type_to_text(rrset.type), rdata.size(),
                        rdata_bytes_max);
    }
  }
}

}  // namespace demarc::zones::yaml
