// Master files (RFC 1035 §5, RFC 2308 §4): static records from text, each with its line.
// zones/master_entries.h splits the text, zones/rdata.h reads the RDATA;
// zones/yaml/zone_model.h puts the records into a zone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "geo/base/diagnostics.h"
#include "zones/byte_source.h"
#include "zones/master_entries.h"
#include "zones/name.h"
#include "zones/rrsets.h"

namespace demarc::zones {

/// Enough for ten million names with their data.
inline constexpr std::size_t master_file_bytes_max = std::size_t{512} << 20U;
/// Of the text, held in memory at once.
inline constexpr std::size_t master_window_bytes = std::size_t{1} << 20U;
/// Findings after which the rest of a master file is left out.
inline constexpr std::size_t master_findings_max = 50;

/// One static record before it becomes part of an RRset.
struct StaticRecord {
  Name owner;
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;
  Rdata rdata;
  std::uint32_t line = 0;
};

struct MasterSource {
  ByteSource bytes;
  std::string file;  // for findings
  Name origin;
  std::uint32_t default_ttl = 0;  // until a $TTL
  std::size_t window_bytes = master_window_bytes;
};

/// Takes a record, which is good until it returns.
using RecordSink = std::function<void(const StaticRecord&)>;

/// Gives the records of the file to `sink` in their order. $ORIGIN and $TTL are known; $INCLUDE and
/// $GENERATE are findings. After a bad record it goes on with the next. Whether records lie inside
/// the zone is the caller's question.
void parse_master_file(const MasterSource& source, Diagnostics& diagnostics,
                       const RecordSink& sink);

}  // namespace demarc::zones
