// The bytes of an MMDB file (MaxMind DB format 2.0): checked from end to end, then walked.
// Pure: geo/mmdb/file.cpp brings the bytes, and lets libmaxminddb read only what passed here.
//
//   +--------------------------+----------+---------------+--------+-----------+
//   | tree: node_count nodes   | 16 zeros | data section  | marker | metadata  |
//   | of two records each      |          | maps, strings |        | (a map)   |
//   +--------------------------+----------+---------------+--------+-----------+
//   a record r:  r < node_count   the next node        r == node_count   nothing known
//                otherwise        data at offset r - node_count - 16
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "geo/base/result.h"
#include "geo/ranges.h"

namespace demarc::geo {

inline constexpr std::string_view mmdb_marker = "\xab\xcd\xefMaxMind.com";
inline constexpr std::size_t mmdb_separator_bytes = 16;
/// The metadata lies within so many bytes of the end.
inline constexpr std::size_t mmdb_metadata_bytes_max = std::size_t{128} * 1024;

/// The types of the data section that we write or look at.
enum class MmdbType : std::uint8_t {
  pointer = 1,
  text = 2,
  float64 = 3,
  bytes = 4,
  uint16 = 5,
  uint32 = 6,
  map = 7,
  int32 = 8,
  uint64 = 9,
  uint128 = 10,
  array = 11,
  boolean = 14,
  float32 = 15,
};

/// Nesting of one record's maps and arrays; those of GeoIP2 are four deep.
inline constexpr unsigned mmdb_depth_max = 32;
/// Values of one record, pointers followed: a bound for files whose pointers fan out. A City record
/// with all its languages has below 200.
inline constexpr unsigned mmdb_values_max = 10'000;
/// Nodes visited in a walk, as a multiple of the file's: a tree visits each once, files that share
/// subtrees some of them several times, a loop without end.
inline constexpr std::uint64_t mmdb_visits_per_node_max = 16;

/// What the metadata says, and where the parts are. Borrows the file's bytes.
struct MmdbLayout {
  std::uint32_t node_count = 0;
  unsigned record_bits = 0;  // 24, 28 or 32
  unsigned ip_version = 0;   // 4 or 6
  std::string database_type;
  std::uint64_t build_epoch = 0;  // seconds since 1970; 0: not said
  std::span<const std::uint8_t> tree;
  std::span<const std::uint8_t> data;

  /// `side` is 0 for the left record of `node`, 1 for the right one.
  [[nodiscard]] std::uint32_t record(std::uint32_t node, unsigned side) const noexcept;
};

/// Reads and checks the metadata, the sizes and every record of the tree. The error says what is
/// wrong in words that follow the file's name.
[[nodiscard]] Result<MmdbLayout, std::string> check_mmdb_layout(std::span<const std::uint8_t> file);

/// Checks the value at `offset` of the data section with all that it holds and points to; it has to
/// be a map, as every database that we know stores one. Empty if all is well.
[[nodiscard]] std::string check_mmdb_record(std::span<const std::uint8_t> data, std::size_t offset);

/// Where each address's record is: its offset in the data section plus one, or 0.
struct MmdbRanges {
  RangeMap<Key4> ipv4;
  RangeMap<Key6> ipv6;  // 0 in ::/96 and where embedded_ranges are: those are IPv4's
  std::size_t networks = 0;
};

/// Walks the whole tree of a layout that was checked.
[[nodiscard]] Result<MmdbRanges, std::string> walk_mmdb(const MmdbLayout& layout);

}  // namespace demarc::geo
