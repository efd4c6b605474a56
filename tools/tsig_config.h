// `tsig-keys` of demarcd.yaml: the keys that zone transfers and NOTIFY are signed with, by name.
// The secrets are in files of their own, never in the repository. tools/daemon_config.h holds the
// settings, dns/tsig.h is what they are for.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dns/tsig.h"
#include "geo/base/result.h"
#include "zones/yaml/fields.h"

namespace demarc::tools {

inline constexpr std::size_t tsig_keys_max = 256;
/// Shorter secrets are guessed too easily (RFC 8945 §10 wants as many bytes as the MAC has; keys of
/// 128 bits are about).
inline constexpr std::size_t tsig_secret_bytes_min = 16;
inline constexpr std::size_t tsig_secret_bytes_max = 512;

struct TsigKeyConfig {
  zones::Name name;
  std::string secret_file;
};

/// Reads the list; paths are relative to `folder`. Findings go to the reading.
[[nodiscard]] std::vector<TsigKeyConfig> read_tsig_keys(const zones::yaml::Reading& reading,
                                                        const zones::yaml::Node& node,
                                                        const std::filesystem::path& folder);

/// Reads the secrets anew, so that a reload changes them. The error names the file: it cannot be
/// read, every user can read it, or it has no secret in base64.
[[nodiscard]] Result<dns::TsigKeys, std::string> load_tsig_keys(
    const std::vector<TsigKeyConfig>& keys);

}  // namespace demarc::tools
