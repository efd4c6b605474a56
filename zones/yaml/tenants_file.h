// tenants.yaml, second step: a service to its tenants' lines and the CSV files that have more of
// them. Lines are handed over one by one, since there may be a million.
// zones/yaml/syntax.h streams them, zones/tenants_load.h makes tenants of them.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "zones/tenant_classes.h"
#include "zones/yaml/fields.h"

namespace demarc::zones::yaml {

/// About 200,000 lines, which take seconds; more tenants belong in CSV files, which are read in a
/// tenth of the time.
inline constexpr std::size_t tenants_yaml_bytes_max = std::size_t{16} << 20U;
inline constexpr std::size_t tenant_files_max = 1000;

/// One line. Words that are left out have the place of the line.
struct TenantEntry {
  TextAt service;
  TextAt tenant;
  std::array<std::string, tenant_word_count> words;
  std::array<Position, tenant_word_count> at;
};

/// What tenants.yaml says of one service beside the lines.
struct TenantsOfService {
  TextAt service;
  std::vector<TextAt> files;
};

/// Hands over what can be read of each line; findings go to the reading.
[[nodiscard]] std::vector<TenantsOfService> read_tenants_file(
    const Reading& reading, std::string_view text,
    const std::function<void(const TenantEntry&)>& take);

}  // namespace demarc::zones::yaml
