#include "tools/plan_source.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include <stdlib.h>

#include "tools/child.h"
#include "zones/repository.h"

namespace demarc::tools {
namespace {

namespace fs = std::filesystem;

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// The first line of what git says.
Result<std::string, std::string> git(const std::string& folder, std::vector<std::string> arguments,
                                     const std::map<std::string, std::string>& environment = {}) {
  std::vector<std::string> argv = {"git", "-C", folder};
  std::ranges::move(arguments, std::back_inserter(argv));
  auto result = run_child(argv, environment);
  if (!result) return std::unexpected(result.error().text());
  if (result->exit_code != 0) return std::unexpected(first_line(result->err));
  return first_line(result->out);
}

void add_places(const fs::path& root, const std::string& name, zones::PlaceIndex& places) {
  std::ifstream in(root / name, std::ios::binary);
  if (!in) return;
  places.add_file(
      name, std::string{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()});
}

}  // namespace

Result<PrivateFolder, SystemError> PrivateFolder::make() {
  std::error_code error;
  std::string shape = (fs::temp_directory_path(error) / "demarc-plan-XXXXXX").string();
  if (error || ::mkdtemp(shape.data()) == nullptr) return system_error("make " + shape);
  return PrivateFolder(std::move(shape));
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Result<std::string, std::string> find_commit(const std::string& repository,
                                             const std::string& revision) {
  auto commit = git(
      repository, {"rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"});
  if (commit && !commit->empty()) return commit;
  return std::unexpected("`" + revision + "` is no revision of the Git repository " + repository +
                         (commit || commit.error().empty() ? "" : ": " + commit.error()));
}

Result<void, std::string> extract_commit(const std::string& repository, const std::string& commit,
                                         const std::string& target) {
  const auto top = git(repository, {"rev-parse", "--show-toplevel"});
  if (!top) return std::unexpected(top.error());
  auto prefix = git(repository, {"rev-parse", "--show-prefix"});
  if (!prefix) return std::unexpected(prefix.error());
  if (prefix->ends_with('/')) prefix->pop_back();
  // An index of our own: the operator's is not touched.
  const std::map<std::string, std::string> index = {{"GIT_INDEX_FILE", target + ".index"}};
  const auto read = git(*top, {"read-tree", commit + ":" + *prefix}, index);
  if (!read) return std::unexpected(read.error());
  const auto written =
      git(*top, {"checkout-index", "--all", "--quiet", "--prefix=" + target + "/"}, index);
  std::error_code ignored;
  fs::remove(target + ".index", ignored);
  if (!written) return std::unexpected(written.error());
  return {};
}

zones::DiffSide load_side(const std::string& folder, Diagnostics& diagnostics) {
  zones::DiffSide side;
  side.repository = zones::load_repository(folder, diagnostics);
  if (!side.repository) return side;
  add_places(folder, "policy.yaml", side.places);
  add_places(folder, "networks.yaml", side.places);
  for (const zones::Zone& zone : side.repository->zones) add_places(folder, zone.file, side.places);
  return side;
}

}  // namespace demarc::tools
