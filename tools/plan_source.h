// Where the two sides of a plan come from: a Git revision, a folder, or what a server loaded last.
// zones/diff/difference.h compares them; tools/cli_plan.cpp is the verb.
#pragma once

#include <string>

#include "geo/base/diagnostics.h"
#include "geo/base/result.h"
#include "zones/diff/difference.h"

namespace demarc::tools {

/// A private folder, gone with the object.
class PrivateFolder {
 public:
  [[nodiscard]] static Result<PrivateFolder, SystemError> make();
  PrivateFolder(PrivateFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PrivateFolder& operator=(PrivateFolder&&) = delete;
  ~PrivateFolder();
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  explicit PrivateFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// A revision's commit, as its full hash.
[[nodiscard]] Result<std::string, std::string> find_commit(const std::string& repository,
                                                           const std::string& revision);

/// Writes the files of a commit, those in or below the folder `repository`, into `target`. Neither
/// the index nor the working tree is touched, and no hook runs.
[[nodiscard]] Result<void, std::string> extract_commit(const std::string& repository,
                                                       const std::string& commit,
                                                       const std::string& target);

/// Loads a folder with the places of its files; null repository: `diagnostics` says why.
[[nodiscard]] zones::DiffSide load_side(const std::string& folder, Diagnostics& diagnostics);

}  // namespace demarc::tools
