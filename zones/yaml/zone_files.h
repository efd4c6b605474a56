// The first two steps for all zone files: text to tree to values, on several cores, and not at all
// for a file that has the bytes it had before. zones/repository.h keeps what is known of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "geo/base/diagnostics.h"
#include "zones/repository.h"
#include "zones/yaml/repository_files.h"
#include "zones/yaml/zone_file.h"

namespace demarc::zones::yaml {

/// One zone file after the second step.
struct ZoneReading {
  std::string file;
  std::string digest;                      // SHA-256 in hex of the text
  std::shared_ptr<const ZoneFile> values;  // null: unreadable, or no YAML of ours
  Diagnostics findings;
};

/// Reads the files of these names; the results have their order. With `known`, files that it has
/// are not parsed again, and it has afterwards what this load read without findings. A first load
/// uses all cores; a later one only its own thread, since the other cores answer queries.
[[nodiscard]] std::vector<ZoneReading> read_zone_files(const std::vector<std::string>& names,
                                                       RepositoryFiles& files,
                                                       ParsedZoneFiles* known);

}  // namespace demarc::zones::yaml
