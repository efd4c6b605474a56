#include "zones/yaml/repository_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <span>
#include <system_error>

#include <fmt/format.h>

#include "zones/digest.h"

namespace demarc::zones::yaml {
namespace {

namespace fs = std::filesystem;

std::unexpected<std::string> errno_text() {
  return std::unexpected(fmt::format("{}; expected a readable file", std::strerror(errno)));
}

/// An open regular file, its bytes counted and hashed as they are read.
class File {
 public:
  // O_NONBLOCK: opening a pipe that somebody put there must not wait for its writer.
  File(const std::string& path, std::size_t bytes_max)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
        bytes_max_(bytes_max) {
    struct stat status{};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
      state_ = errno_text();
    } else if (!S_ISREG(status.st_mode)) {
      state_ = std::unexpected("not a regular file; expected a regular file");
    } else {
      size_bytes_ = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
      if (size_bytes_ > bytes_max) state_ = too_large();
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  /// The next bytes; 0 at the end of the file, and for good once state() is an error.
  std::size_t read(std::span<char> buffer) {
    if (!state_) return 0;
    ssize_t count = 0;
    do {
      count = ::read(descriptor_, buffer.data(), buffer.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) state_ = errno_text();
    if (count <= 0) return 0;
    const auto bytes = static_cast<std::size_t>(count);
    // It may have grown since it was opened.
    if (bytes > bytes_max_ - read_bytes_) state_ = too_large();
    if (!state_) return 0;
    read_bytes_ += bytes;
    hash_.add({buffer.data(), bytes});
    return bytes;
  }

  /// Reads to the end.
  void read_rest() {
    std::string chunk(chunk_bytes, '\0');
    while (read(chunk) != 0) continue;
  }

  [[nodiscard]] const Result<void, std::string>& state() const noexcept { return state_; }
  /// When it was opened.
  [[nodiscard]] std::size_t size_bytes() const noexcept { return size_bytes_; }
  /// Of what was read, once.
  [[nodiscard]] std::string digest() { return to_hex(hash_.finish()); }

  static constexpr std::size_t chunk_bytes = std::size_t{64} << 10U;

 private:
  [[nodiscard]] std::unexpected<std::string> too_large() const {
    return std::unexpected(
        fmt::format("more than {0} bytes; expected at most {0} bytes", bytes_max_));
  }

  int descriptor_;
  std::size_t bytes_max_;
  Result<void, std::string> state_;
  std::size_t size_bytes_ = 0;
  std::size_t read_bytes_ = 0;
  Sha256Stream hash_;
};

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

Result<std::string, std::string> RepositoryFiles::canonical(const std::string& path) const {
  const fs::path relative(path);
  if (leaves(relative)) {
    return std::unexpected("a path that leaves the repository; expected one inside it");
  }
  std::error_code error;
  const fs::path whole = fs::canonical(fs::path(folder_) / relative, error);
  if (error) return std::unexpected(error.message() + "; expected a readable file");
  if (!is_inside(folder_, whole)) {
    return std::unexpected("a link that leaves the repository; expected a file inside it");
  }
  return whole.string();
}

Result<std::string, std::string> RepositoryFiles::read(const std::string& path,
                                                       std::size_t bytes_max) {
  const auto whole = canonical(path);
  if (!whole) return whole;
  File file(*whole, bytes_max);
  std::string content;
  // Growing by doubling would need twice the memory for a large file.
  if (file.state()) content.reserve(file.size_bytes() + 1);
  std::string chunk(File::chunk_bytes, '\0');
  while (const std::size_t count = file.read(chunk)) content.append(chunk, 0, count);
  if (!file.state()) return std::unexpected(file.state().error());
  read_.push_back(fmt::format("{} {}", path, file.digest()));
  return content;
}

Result<std::string, std::string> RepositoryFiles::read_pieces(
    const std::string& path, std::size_t bytes_max,
    const std::function<void(const ByteSource&)>& use) {
  const auto whole = canonical(path);
  if (!whole) return whole;
  File file(*whole, bytes_max);
  if (file.state()) use([&file](std::span<char> buffer) { return file.read(buffer); });
  file.read_rest();
  if (!file.state()) return std::unexpected(file.state().error());
  std::string digest = file.digest();
  read_.push_back(fmt::format("{} {}", path, digest));
  return digest;
}

std::size_t RepositoryFiles::size_bytes(const std::string& path) const {
  const auto whole = canonical(path);
  std::error_code error;
  if (!whole || !fs::is_regular_file(*whole, error)) return 0;
  const auto size = fs::file_size(*whole, error);
  return error ? 0 : static_cast<std::size_t>(size);
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
