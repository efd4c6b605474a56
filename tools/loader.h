// Everything that is made of files, made at once: repository, databases, views, location table,
// zone table. Runs beside the control thread; what it makes is handed over whole or not at all.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dns/snapshot.h"
#include "geo/base/diagnostics.h"
#include "geo/database.h"
#include "zones/events.h"
#include "zones/ground.h"
#include "zones/key_list.h"
#include "zones/repository.h"
#include "zones/serials.h"

namespace demarc::tools {

struct Loaded {
  std::shared_ptr<const zones::Configuration> configuration;
  std::shared_ptr<const geo::Databases> databases;
  dns::SnapshotParts parts;
  zones::SerialBook serials;
  zones::GroundReport ground;
  std::vector<std::string> warnings;  // findings that are no errors, one line each
  std::size_t zone_files_parsed = 0;
  std::size_t zone_files_unchanged = 0;  // known from the load before, not parsed again
};

struct LoadRequest {
  std::string repository;
  std::vector<std::string> geoip;
  zones::SerialBook serials;
  WallTime now;
  std::optional<zones::KeyTrustState> keys;  // nothing: any key list is fine
  /// Those that zones may name in `transfer:`; nothing: no zone can be transferred, whatever it
  /// says.
  std::optional<dns::TsigKeys> tsig_keys;
  /// Borrowed: what is known of zone files, and will be. Null: all are parsed.
  zones::ParsedZoneFiles* parsed = nullptr;
  /// What is served: the parts of it that would be the same are kept. Null: nothing is.
  std::shared_ptr<const dns::ZoneTable> served;
};

/// One line for each thing that is wrong.
using LoadErrors = std::vector<std::string>;

/// Any thread; seconds for large repositories.
[[nodiscard]] Result<Loaded, LoadErrors> load(const LoadRequest& request);

/// Copies a repository's files (nothing hidden, so no `.git`) to `target`, replacing it.
[[nodiscard]] Result<void, SystemError> copy_repository(const std::string& repository,
                                                        const std::string& target);

}  // namespace demarc::tools
