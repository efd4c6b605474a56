// The files of a zone repository: read whole, once, and never from outside its folder.
// zones/repository.h reads everything through this.
#pragma once

#include <string>
#include <vector>

#include "geo/base/result.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t zone_files_max = 1'000'000;

/// Names in the folder `zones`, in order.
struct ZoneFileNames {
  std::vector<std::string> yaml;     // "zones/example.com.yaml"
  std::vector<std::string> ignored;  // look like zone files, but do not end in .yaml
};

class RepositoryFiles {
 public:
  /// The error says why the folder cannot be read.
  [[nodiscard]] static Result<RepositoryFiles, std::string> open(const std::string& folder);

  /// Whether there is something by this name, readable or not; never anything outside.
  [[nodiscard]] bool exists(const std::string& path) const;

  /// The content. `path` is relative to the folder; the error (what was found; what was expected)
  /// speaks of absolute paths, `..`, symbolic links that lead out, what is no regular file, and
  /// files over `bytes_max`. A file is never opened outside the folder.
  [[nodiscard]] Result<std::string, std::string> read(const std::string& path,
                                                      std::size_t bytes_max);

  [[nodiscard]] Result<ZoneFileNames, std::string> zone_files() const;

  /// SHA-256 in hex over names and contents of all that was read.
  [[nodiscard]] std::string digest() const;

 private:
  std::string folder_;             // canonical
  std::vector<std::string> read_;  // "path digest"
};

}  // namespace demarc::zones::yaml
