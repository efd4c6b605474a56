// The repository is loaded from a copy of our own, and the last one that was good is kept: it is
// served again after a restart amid a bad edit. tools/daemon.cpp loads by it.
#pragma once

#include <memory>
#include <string>

#include "tools/daemon_config.h"
#include "tools/loader.h"

namespace demarc::tools {

/// The folder of the last good copy, in `state`; there may be none yet.
[[nodiscard]] std::string last_good_of(const DaemonConfig& config);

/// What a load goes on from.
struct LoadedBefore {
  zones::SerialBook serials;
  zones::KeyTrustState keys;
  zones::ParsedZoneFiles& parsed;
  std::shared_ptr<const dns::ZoneTable> served;  // null: nothing is served yet
};

/// Loads from a private copy, so that an edit in the middle of it changes nothing, and keeps that
/// as the last good one if it is. One at a time, any thread; seconds for large repositories.
[[nodiscard]] Result<Loaded, LoadErrors> load_copy(const DaemonConfig& config, LoadedBefore before);

}  // namespace demarc::tools
