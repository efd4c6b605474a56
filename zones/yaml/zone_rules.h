// What may not stand beside what among the static records of a zone (RFC 1034 §3.6.2, RFC 2181 §5
// and §10.1), and beside its services.
// zones/yaml/zone_model.h collects the records (zones/rrsets.h) and services.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "geo/base/diagnostics.h"
#include "zones/model.h"

namespace demarc::zones::yaml {

/// Where the records of a zone came from.
struct RecordSources {
  std::vector<std::string> files;  // by RRsets::Origin::file; the first is the zone file
  Place zone;                      // for findings about the zone as a whole

  [[nodiscard]] Place place(const RRsets::Origin& origin) const {
    return {files.at(origin.file), origin.line, origin.column};
  }
  /// "zones/a.zone:7", for a finding that has its own place elsewhere.
  [[nodiscard]] std::string text(const RRsets::Origin& origin) const {
    return fmt::format("{}:{}", files.at(origin.file), origin.line);
  }
};

/// Makes RRsets of the records that were added, sorted: equal RDATA is dropped, the lowest TTL of a
/// set counts, and where they were written is forgotten. Findings: misplaced or missing SOA and NS,
/// CNAME and DNAME beside other data, RRsets that fit no message; warnings: different TTLs.
void finish_rrsets(RRsets& rrsets, const RecordSources& sources, Diagnostics& diagnostics);

/// Findings: services beside static records that would answer the same question, below a
/// delegation, or twice; warnings: nameservers inside the zone that have no address.
void check_services(const Zone& zone, std::span<const Service> services,
                    const RecordSources& sources, Diagnostics& diagnostics);

}  // namespace demarc::zones::yaml
