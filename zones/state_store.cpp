#include "zones/state_store.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <unistd.h>

#include "geo/base/descriptor.h"

namespace demarc::zones {
namespace {

Result<void, SystemError> write_synced(const std::string& path, std::string_view content) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.is_open()) return system_error("open " + path);
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t written = ::write(file.number(), content.data() + done, content.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return system_error("write " + path);
    done += static_cast<std::size_t>(written);
  }
  if (::fsync(file.number()) != 0) return system_error("sync " + path);
  return {};
}

class LocalState final : public StateStore {
 public:
  explicit LocalState(std::string folder) : path_(std::move(folder) + "/state.json") {}

  Result<std::optional<SteeringState>, SystemError> load() override {
    std::error_code error;
    const bool exists = std::filesystem::exists(path_, error);
    if (error) return failure("look for " + path_ + ": " + error.message());
    if (!exists) return std::nullopt;
    std::ifstream in(path_, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in) return failure("read " + path_);
    auto state = parse_state(text);
    if (!state) return failure(path_ + ": " + state.error());
    return std::move(*state);
  }

  Result<void, SystemError> save(const SteeringState& state) override {
    return replace_file(path_, write_state(state));
  }

 private:
  std::string path_;
};

}  // namespace

Result<void, SystemError> replace_file(const std::string& path, std::string_view content) {
  const std::string next = path + ".next";
  if (auto written = write_synced(next, content); !written) {
    ::unlink(next.c_str());
    return written;
  }
  if (::rename(next.c_str(), path.c_str()) != 0) return system_error("rename " + next);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const Descriptor opened(
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) return system_error("open " + folder);
  if (::fsync(opened.number()) != 0) return system_error("sync " + folder);
  return {};
}

Result<std::unique_ptr<StateStore>, SystemError> open_local_state(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return failure("create folder " + folder + ": " + error.message());
  return std::make_unique<LocalState>(folder);
}

}  // namespace demarc::zones
