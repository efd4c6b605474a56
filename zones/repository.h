// Loads a zone repository: policy.yaml, networks.yaml, tenants.yaml, zones/*.yaml and the files
// they include. The work is in zones/yaml/ (text to tree to values) and zones/rules.h (rules across
// files); the daemon and `demarc check` call this.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "geo/base/diagnostics.h"
#include "zones/model.h"

namespace demarc::zones {

namespace yaml {
struct ZoneFile;
}

/// What zone files said when they were last read, so that a reload parses only those that changed.
/// Names and bytes decide, never times. Master files are not in it: they are read each time.
struct ParsedZoneFiles {
  struct File {
    std::string digest;  // SHA-256 in hex of the text
    std::shared_ptr<const yaml::ZoneFile> values;
  };
  /// Text of the files that are kept; those beyond it are parsed each time. What is kept takes up
  /// to seven times as much memory as its text.
  std::size_t text_bytes_max = std::size_t{32} << 20U;
  std::map<std::string, File> files;  // by name; only those without findings
  std::size_t parsed = 0;             // zone files that the last load parsed
  std::size_t unchanged = 0;          // and those that it did not have to
};

/// Reads everything below `folder` and checks it. All findings of all files go to `diagnostics`,
/// ordered by place; the result is null if one of them is an error. Paths in findings are relative
/// to the folder. Touches nothing but files inside the folder; control thread or CLI, seconds for
/// 10,000 zones. With `known` (one load at a time) zone files that it has are not parsed again.
[[nodiscard]] std::unique_ptr<Repository> load_repository(const std::string& folder,
                                                          Diagnostics& diagnostics,
                                                          ParsedZoneFiles* known = nullptr);

}  // namespace demarc::zones
