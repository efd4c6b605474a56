// Networks from text: Debian's tor-geoipdb, and CSV files of networks that name their columns.
// Pure; geo/build.cpp reads the files and hands the list on to geo/mmdb/writer.h.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "geo/base/diagnostics.h"
#include "geo/mmdb/writer.h"

namespace demarc::geo {

struct CsvLimits {
  std::size_t line_bytes = 4'096;   // what any sensible row is far below
  std::size_t ranges = 20'000'000;  // of all files; a City database has about a third
  std::size_t errors = 100;         // of one file; then it is given up
};

/// Adds the networks of one file to `list`. Two forms, told apart by the first row:
///
///   16777216,16777471,AU                     no header: first,last,country, as tor-geoipdb has it,
///   2001:200::,2001:200:ffff::,JP            or network,country; IPv4 also as decimal numbers
///
///   network,country,subdivision,city,latitude,longitude,asn,as_organization
///   192.0.2.0/24,DE,DE-BY,"München",48.1,11.6,64500,"Example, Inc."
///
/// A header may give its columns in any order, by any of their usual names (`range_start`,
/// `country_iso_code`, ...; the table is in geo/network_csv.cpp); others are left unread. Fields
/// may be quoted as in RFC 4180 but not span lines; lines that begin with `#` are comments.
///
/// A country is an ISO 3166-1 code. Not known is an empty field, `??`, `-`, or a code of which
/// databases make a country though it is none (`EU` still says the continent); `UK` is GB.
///
/// Every fault is added to `diagnostics` with its place, the same faulty value only once; a row
/// with a fault is left out. The caller writes nothing when there were errors.
void parse_networks(std::string_view text, const std::string& file, NetworkList& list,
                    Diagnostics& diagnostics, const CsvLimits& limits = {});

}  // namespace demarc::geo
