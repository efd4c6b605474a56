// The files of a zone repository: read once, whole or in pieces, and never from outside its folder.
// zones/repository.h reads everything through this.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "geo/base/result.h"
#include "zones/byte_source.h"

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

  /// As read(), for a file that is not held in memory: `use` takes its bytes, as many as it wants.
  /// What comes back is the SHA-256 in hex of the whole content; on an error `use` may have had a
  /// part of it, which then means nothing, or nothing at all.
  [[nodiscard]] Result<std::string, std::string> read_pieces(
      const std::string& path, std::size_t bytes_max,
      const std::function<void(const ByteSource&)>& use);

  /// How large a file is now; 0 if read() would not read it.
  [[nodiscard]] std::size_t size_bytes(const std::string& path) const;

  [[nodiscard]] Result<ZoneFileNames, std::string> zone_files() const;

  /// SHA-256 in hex over names and contents of all that was read.
  [[nodiscard]] std::string digest() const;

 private:
  [[nodiscard]] Result<std::string, std::string> canonical(const std::string& path) const;

  std::string folder_;             // canonical
  std::vector<std::string> read_;  // "path digest"
};

}  // namespace demarc::zones::yaml
