// Master files (RFC 1035 §5, RFC 2308 §4): static records from text, each with its line.
// zones/rdata.h reads the RDATA; zones/yaml/zone_model.h puts the records into a zone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "geo/base/diagnostics.h"
#include "zones/model.h"
#include "zones/name.h"

namespace demarc::zones {

/// Enough for a million names with their data; the file is held in memory while it is read.
inline constexpr std::size_t master_file_bytes_max = std::size_t{512} << 20U;
/// One record with all its continuation lines. 65,535 bytes of RDATA as \DDD escapes fit.
inline constexpr std::size_t master_line_bytes_max = std::size_t{512} << 10U;
/// Findings after which the rest of a master file is left out.
inline constexpr std::size_t master_findings_max = 50;

/// One static record before it becomes part of an RRset.
struct StaticRecord {
  Name owner;
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;
  Rdata rdata;
  std::uint32_t file = 0;  // the caller's number of the file
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct MasterSource {
  std::string_view text;
  std::string file;               // for findings
  std::uint32_t file_number = 0;  // for StaticRecord::file
  Name origin;
  std::uint32_t default_ttl = 0;  // until a $TTL
};

/// Appends the records of the file in their order. $ORIGIN and $TTL are known; $INCLUDE and
/// $GENERATE are findings. After a bad record it goes on with the next. Whether records lie inside
/// the zone is the caller's question.
void parse_master_file(const MasterSource& source, Diagnostics& diagnostics,
                       std::vector<StaticRecord>& records);

}  // namespace demarc::zones
