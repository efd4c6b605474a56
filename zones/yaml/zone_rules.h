// From single static records to the RRsets of a zone, and what may not stand beside what
// (RFC 1034 §3.6.2, RFC 2181 §5 and §10.1).
// zones/yaml/zone_model.h collects the records and services.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "geo/base/diagnostics.h"
#include "zones/master_file.h"
#include "zones/model.h"

namespace demarc::zones::yaml {

/// Where the records of a zone came from.
struct RecordSources {
  std::vector<std::string> files;  // by StaticRecord::file; the first is the zone file
  Place zone;                      // for findings about the zone as a whole

  [[nodiscard]] Place place(const StaticRecord& record) const {
    return {files.at(record.file), record.line, record.column};
  }
};

/// Orders the records and joins them to RRsets: equal RDATA is dropped, the lowest TTL of a set
/// counts. Findings: records outside the zone, misplaced or missing SOA and NS, CNAME beside other
/// data; warnings: different TTLs.
[[nodiscard]] std::vector<RRset> build_rrsets(const Name& apex, std::vector<StaticRecord> records,
                                              const RecordSources& sources,
                                              Diagnostics& diagnostics);

/// Findings: services beside static records that would answer the same question, below a
/// delegation, or twice; warnings: nameservers inside the zone that have no address.
void check_services(const Zone& zone, std::span<const Service> services,
                    const RecordSources& sources, Diagnostics& diagnostics);

}  // namespace demarc::zones::yaml
