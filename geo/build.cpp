#include "geo/build.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <utility>

#include "geo/base/descriptor.h"
#include "geo/mmdb/writer.h"
#include "geo/network_csv.h"

namespace demarc::geo {
namespace {

using Written = Result<void, SystemError>;

Result<std::string, SystemError> read_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts{};
  if (!file.is_open() || ::fstat(file.number(), &facts) != 0) return system_error("open " + path);
  const auto expected = std::min(static_cast<std::size_t>(facts.st_size), csv_bytes_max);

  std::string text;
  constexpr std::size_t step = 1 << 20;
  for (std::size_t filled = 0;; text.resize(filled)) {
    if (filled > csv_bytes_max) {
      return failure(fmt::format("{}: is larger than {} bytes", path, csv_bytes_max));
    }
    text.resize(std::max(filled + step, expected));
    const ssize_t count = ::read(file.number(), text.data() + filled, text.size() - filled);
    if (count < 0 && errno != EINTR) return system_error("read " + path);
    if (count > 0) filled += static_cast<std::size_t>(count);
    if (count == 0) {
      text.resize(filled);
      return text;
    }
  }
}

/// A file that is not there yet under its name; gone again unless it was published.
class NewFile {
 public:
  explicit NewFile(std::string target) : target_(std::move(target)), path_(target_ + ".XXXXXX") {}
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (exists_) ::unlink(path_.c_str());
  }

  Written write(std::span<const std::uint8_t> bytes) {
    file_ = Descriptor(::mkostemp(path_.data(), O_CLOEXEC));
    if (!file_.is_open()) return system_error("create a file beside " + target_);
    exists_ = true;
    if (::fchmod(file_.number(), 0644) != 0) return system_error("set the mode of " + path_);
    for (std::size_t written = 0; written < bytes.size();) {
      const ssize_t count = ::write(file_.number(), bytes.data() + written, bytes.size() - written);
      if (count < 0 && errno != EINTR) return system_error("write " + path_);
      if (count > 0) written += static_cast<std::size_t>(count);
    }
    if (::fsync(file_.number()) != 0) return system_error("sync " + path_);
    return {};
  }

  /// After this the new name is on disk too, not in the page cache alone.
  Written publish() {
    if (::rename(path_.c_str(), target_.c_str()) != 0) return system_error("replace " + target_);
    exists_ = false;
    const std::size_t slash = target_.rfind('/');
    const std::string folder = slash == target_.npos ? "." : target_.substr(0, slash + 1);
    const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened.is_open() || ::fsync(opened.number()) != 0) return system_error("sync " + folder);
    return {};
  }

 private:
  std::string target_;
  std::string path_;
  Descriptor file_{-1};
  bool exists_ = false;
};

}  // namespace

Result<BuildSummary, SystemError> build_database(const BuildRequest& request,
                                                 Diagnostics& diagnostics) {
  if (request.inputs.empty()) return failure("no input file was given");
  NetworkList networks;
  const std::size_t errors_before = diagnostics.error_count();
  for (const std::string& input : request.inputs) {
    const auto text = read_file(input);
    if (!text) return std::unexpected(text.error());
    parse_networks(*text, input, networks, diagnostics);
  }
  const std::size_t errors = diagnostics.error_count() - errors_before;
  if (errors != 0) {
    return failure(fmt::format("{} not written: {} error{} in the input", request.output, errors,
                               errors == 1 ? "" : "s"));
  }

  const auto since_1970 = std::max<std::int64_t>(request.build_time.time_since_epoch().count(), 0);
  const auto image = build_mmdb(networks, {.database_type = request.database_type,
                                           .description = request.description,
                                           .build_epoch = static_cast<std::uint64_t>(since_1970)});
  if (!image) return std::unexpected(image.error());
  NewFile file(request.output);
  auto done = file.write(image->bytes);
  if (done) done = file.publish();
  if (!done) return std::unexpected(done.error());
  return BuildSummary{.networks = networks.ranges.size(),
                      .locations = image->record_count,
                      .nodes = image->node_count,
                      .record_bits = image->record_bits,
                      .size_bytes = image->bytes.size()};
}

}  // namespace demarc::geo
