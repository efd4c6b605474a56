#include "tools/last_good.h"

#include <cstdio>
#include <utility>

#include <fcntl.h>

#include "tools/clock.h"
#include "tools/identity_config.h"
#include "tools/log.h"
#include "tools/tsig_config.h"

namespace demarc::tools {
namespace {

std::string candidate_of(const DaemonConfig& config) { return config.state + "/candidate"; }

}  // namespace

std::string last_good_of(const DaemonConfig& config) { return config.state + "/last-good"; }

Result<Loaded, LoadErrors> load_copy(const DaemonConfig& config, LoadedBefore before) {
  const std::string copy = candidate_of(config);
  const auto copied = copy_repository(config.repository, copy);
  if (!copied) log_warning("repository-not-copied error={}", copied.error().text());
  auto tsig_keys = load_tsig_keys(config.tsig_keys);
  if (!tsig_keys) return std::unexpected(LoadErrors{tsig_keys.error()});
  auto loaded = load({.repository = copied ? copy : config.repository,
                      .geoip = config.geoip,
                      .serials = std::move(before.serials),
                      .now = read_clocks().wall,
                      .keys = std::move(before.keys),
                      .tsig_keys = std::move(*tsig_keys),
                      .parsed = &before.parsed,
                      .served = std::move(before.served)});
  if (!loaded) return loaded;
  auto identity = build_identity(config.identity, config.node);
  if (!identity) return std::unexpected(LoadErrors{identity.error()});
  loaded->parts.identity = std::move(*identity);
  if (!copied) return loaded;
  const std::string good = last_good_of(config);
  // In one step, so that no instant is without a last good copy.
  if (::renameat2(AT_FDCWD, copy.c_str(), AT_FDCWD, good.c_str(), RENAME_EXCHANGE) != 0 &&
      ::rename(copy.c_str(), good.c_str()) != 0) {
    log_warning("last-good-not-kept error={}", system_error("rename " + copy).error().text());
  }
  return loaded;
}

}  // namespace demarc::tools
