#include "zones/yaml/repository_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "zones/digest.h"

namespace demarc::zones::yaml {
namespace {

namespace fs = std::filesystem;

class File {
 public:
  // O_NONBLOCK: opening a pipe that somebody put there must not wait for its writer.
  explicit File(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

std::unexpected<std::string> errno_text() {
  return std::unexpected(fmt::format("{}; expected a readable file", std::strerror(errno)));
}

Result<std::string, std::string> read_whole(const std::string& path, std::size_t bytes_max) {
  const File file(path);
  struct stat status{};
  if (file.descriptor() < 0 || ::fstat(file.descriptor(), &status) != 0) return errno_text();
  if (!S_ISREG(status.st_mode)) {
    return std::unexpected("not a regular file; expected a regular file");
  }
  std::string content;
  // Growing by doubling would need twice the memory for a large file.
  if (status.st_size > 0) {
    content.reserve(std::min(static_cast<std::size_t>(status.st_size), bytes_max) + 1);
  }
  std::string chunk(std::size_t{64} << 10U, '\0');
  while (true) {
    const ssize_t count = ::read(file.descriptor(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_text();
    if (count == 0) return content;
    content.append(chunk, 0, static_cast<std::size_t>(count));
    if (content.size() > bytes_max) {
      return std::unexpected(
          fmt::format("more than {0} bytes; expected at most {0} bytes", bytes_max));
    }
  }
}

bool is_inside(const fs::path& folder, const fs::path& path) {
  const auto [folder_end, unused] =
      std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return folder_end == folder.end();
}

bool leaves(const fs::path& path) {
  return path.is_absolute() || std::ranges::find(path, "..") != path.end();
}

}  // namespace

Result<RepositoryFiles, std::string> RepositoryFiles::open(const std::string& folder) {
  std::error_code error;
  const fs::path canonical = fs::canonical(folder, error);
  if (error) return std::unexpected(error.message());
  if (!fs::is_directory(canonical, error)) return std::unexpected("Not a directory");
  RepositoryFiles files;
  files.folder_ = canonical.string();
  return files;
}

bool RepositoryFiles::exists(const std::string& path) const {
  if (leaves(path)) return false;  // what lies outside is nothing to choose from; read() says so
  std::error_code error;
  // Not exists(): a dangling link is a broken file, not a missing one.
  return fs::symlink_status(fs::path(folder_) / path, error).type() != fs::file_type::not_found;
}

Result<std::string, std::string> RepositoryFiles::read(const std::string& path,
                                                       std::size_t bytes_max) {
  const fs::path relative(path);
  if (leaves(relative)) {
    return std::unexpected("a path that leaves the repository; expected one inside it");
  }
  std::error_code error;
  const fs::path canonical = fs::canonical(fs::path(folder_) / relative, error);
  if (error) return std::unexpected(error.message() + "; expected a readable file");
  if (!is_inside(folder_, canonical)) {
    return std::unexpected("a link that leaves the repository; expected a file inside it");
  }
  auto content = read_whole(canonical.string(), bytes_max);
  if (content) read_.push_back(fmt::format("{} {}", path, sha256_hex(*content)));
  return content;
}

Result<ZoneFileNames, std::string> RepositoryFiles::zone_files() const {
  ZoneFileNames names;
  std::error_code error;
  fs::directory_iterator entry(fs::path(folder_) / "zones", error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.')) continue;  // editors and version control keep such files
    if (name.ends_with(".yaml")) names.yaml.push_back("zones/" + name);
    if (name.ends_with(".yml")) names.ignored.push_back("zones/" + name);
    if (names.yaml.size() > zone_files_max) {
      return std::unexpected(fmt::format("more than {} zone files", zone_files_max));
    }
  }
  if (error) return std::unexpected(error.message());
  std::ranges::sort(names.yaml);
  std::ranges::sort(names.ignored);
  return names;
}

std::string RepositoryFiles::digest() const {
  std::vector<std::string> lines = read_;
  std::ranges::sort(lines);
  return sha256_hex(fmt::format("{}", fmt::join(lines, "\n")));
}

}  // namespace demarc::zones::yaml
