// Writes a database: networks with what is known of them become the bytes of an MMDB file in
// GeoIP2's layout. geo/network_csv.h reads the networks, geo/build.h puts the bytes on disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "geo/base/address.h"
#include "geo/base/result.h"
#include "geo/location.h"

namespace demarc::geo {

/// A Location and the names that people like to see beside it. `network_mark` is ignored.
struct NetworkLocation {
  Location location;
  std::string city;             // English name; empty: not known
  std::string as_organization;  // empty: not known

  auto operator<=>(const NetworkLocation&) const = default;
};

/// Addresses `first` to `last` of one family, `first` not above `last`.
struct NetworkRange {
  Address first;
  Address last;
  std::uint32_t location = 0;  // index into NetworkList::locations
};

struct NetworkList {
  std::vector<NetworkLocation> locations;
  std::vector<NetworkRange> ranges;
};

struct MmdbMetadata {
  std::string database_type;
  std::string description;        // English
  std::uint64_t build_epoch = 0;  // seconds since 1970; an argument, so that builds repeat
};

struct MmdbImage {
  std::vector<std::uint8_t> bytes;
  std::uint32_t node_count = 0;
  unsigned record_bits = 0;
  std::size_t record_count = 0;  // distinct locations in the data section
};

/// The whole file: one tree for both families with IPv4 in ::/96, and ::ffff:0:0/96 (v4-mapped) and
/// 2002::/16 (6to4) as further ways to it. IPv6 ranges that reach over these are cut there.
///
/// Where ranges overlap, the narrower one wins field by field, by merged(); of equal ranges the
/// later one does. Equal input gives equal bytes. Fails when more than overlap_max ranges cover one
/// address or the file would pass what its largest record size can address.
[[nodiscard]] Result<MmdbImage, SystemError> build_mmdb(const NetworkList& networks,
                                                        const MmdbMetadata& metadata);

}  // namespace demarc::geo
