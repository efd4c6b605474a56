// `demarc geo build`: text files of networks become an MMDB file on disk.
// The story goes on in geo/network_csv.h (text to networks) and geo/mmdb/writer.h (to bytes).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "geo/base/diagnostics.h"
#include "geo/base/result.h"

namespace demarc::geo {

struct BuildRequest {
  std::vector<std::string> inputs;  // read in this order; parse_networks() says what they may hold
  std::string output;
  /// What the file calls itself. Programs that look for "City" or "Country" in it need such a name.
  std::string database_type = "Demarc-GeoIP";
  std::string description = "Networks and their locations, by demarc geo build";
  std::chrono::sys_seconds build_time{};  // goes into the file; nothing else differs between runs
};

struct BuildSummary {
  std::size_t networks = 0;   // rows read
  std::size_t locations = 0;  // distinct ones in the file
  std::uint32_t nodes = 0;
  unsigned record_bits = 0;
  std::size_t size_bytes = 0;
};

/// One input file may be so large; tor-geoipdb has 26 MB.
inline constexpr std::size_t csv_bytes_max = std::size_t{2} << 30;

/// Reads all inputs, reports every fault in `diagnostics`, and replaces `output` in one step (a new
/// file beside it, fsync, rename), so that a reader sees the old file or the new one. On any error,
/// faults in the input included, `output` stays as it was.
[[nodiscard]] Result<BuildSummary, SystemError> build_database(const BuildRequest& request,
                                                               Diagnostics& diagnostics);

}  // namespace demarc::geo
