#include "zones/audit/log.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace demarc::zones {

namespace {

constexpr mode_t private_file = 0600;  // who failed over where is nobody else's business

/// Holds the folder's lock for a scope.
class Locked {
 public:
  explicit Locked(const Descriptor& lock) : number_(lock.number()) {
    while (::flock(number_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
  ~Locked() { ::flock(number_, LOCK_UN); }

 private:
  int number_;
};

}  // namespace

DiskCalls DiskCalls::real() {
  return {[](int file, const void* bytes, std::size_t size) { return ::write(file, bytes, size); },
          [](int file) { return ::fdatasync(file); }};
}

AuditLog::AuditLog(AuditLog&&) noexcept = default;
AuditLog& AuditLog::operator=(AuditLog&&) noexcept = default;
AuditLog::~AuditLog() = default;

Result<AuditLog, SystemError> AuditLog::open(const std::string& folder, std::string node,
                                             DiskCalls calls) {
  AuditLog log;
  log.folder_ = folder;
  log.node_ = std::move(node);
  log.calls_ = std::move(calls);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return failure("create folder " + folder + ": " + error.message());
  const std::string lock_path = folder + "/.lock";
  log.lock_ = Descriptor(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, private_file));
  if (!log.lock_.is_open()) return system_error("open " + lock_path);

  const Locked locked(log.lock_);
  if (auto read = log.read_index(); !read) return std::unexpected(read.error());
  if (auto repaired = log.repair_logs(); !repaired) return std::unexpected(repaired.error());
  return log;
}

Result<int, SystemError> AuditLog::file(const std::string& name) {
  const auto known = files_.find(name);
  if (known != files_.end()) return known->second.number();
  const std::string path = folder_ + "/" + name;
  Descriptor made(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, private_file));
  if (!made.is_open()) return system_error("open " + path);
  // A new file's name must survive a crash as well as its content.
  const Descriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open() || ::fsync(folder.number()) != 0) return system_error("sync " + folder_);
  return files_.emplace(name, std::move(made)).first->second.number();
}

Result<void, SystemError> AuditLog::read_index() {
  const std::string name(index_file);
  const std::string path = folder_ + "/" + name;
  std::ifstream in(path, std::ios::binary);
  std::string line;
  off_t whole = 0;
  while (std::getline(in, line)) {
    if (in.eof()) {
      repairs_.push_back(fmt::format("{}: a torn last line of {} bytes was cut off (sha256 {})",
                                     name, line.size(), sha256_hex(line)));
      break;
    }
    const auto parsed = parse_index_line(line);
    if (!parsed || parsed->sequence != tree_.size()) {
      return failure(fmt::format("{}:{}: {}", path, tree_.size() + 1,
                                 parsed ? "an entry is missing before it" : parsed.error()));
    }
    tree_.add(parsed->hash);
    last_hash_[log_file_of(parsed->jurisdiction)] = parsed->hash;
    whole += static_cast<off_t>(line.size()) + 1;
  }
  good_size_[name] = whole;
  if (!repairs_.empty() && ::truncate(path.c_str(), whole) != 0) {
    return system_error("truncate " + path);
  }
  return {};
}

Result<void, SystemError> AuditLog::repair_logs() {
  std::error_code error;
  for (const auto& item : std::filesystem::directory_iterator(folder_, error)) {
    const std::string name = item.path().filename().string();
    if (item.path().extension() != ".jsonl" || name == index_file) continue;
    const std::string path = item.path().string();
    // Logs are written before the index: a crash leaves whole or torn lines the index does not
    // know. They were never acted on, so they are cut off again, and that is recorded.
    std::ifstream in(path, std::ios::binary);
    std::string line, beyond;
    off_t whole = 0;
    const auto last = last_hash_.find(name);
    bool indexed = last != last_hash_.end();  // still before the last entry the index knows
    while (std::getline(in, line)) {
      const bool torn = in.eof();
      if (!indexed || torn) {
        beyond += line;
        if (!torn) beyond += '\n';
        continue;
      }
      whole += static_cast<off_t>(line.size()) + 1;
      const auto parsed = parse_entry(line);
      if (!parsed) return failure(fmt::format("{}: {}", path, parsed.error()));
      if (parsed->hash == last->second) indexed = false;
    }
    if (indexed) return failure(path + ": the last entry that the index names is missing");
    if (!beyond.empty()) {
      repairs_.push_back(
          fmt::format("{}: {} bytes of an unfinished append were cut off (sha256 {})", name,
                      beyond.size(), sha256_hex(beyond)));
      if (::truncate(path.c_str(), whole) != 0) return system_error("truncate " + path);
    }
    good_size_[name] = whole;
  }
  for (const auto& [name, hash] : last_hash_) {
    if (!good_size_.contains(name)) return failure(folder_ + "/" + name + ": the log is missing");
  }
  return {};
}

Result<void, SystemError> AuditLog::write_all(const std::map<std::string, std::string>& lines) {
  for (const auto& [name, text] : lines) {
    const auto handle = file(name);
    if (!handle) return std::unexpected(handle.error());
    std::size_t done = 0;
    while (done < text.size()) {
      const ssize_t written = calls_.write(*handle, text.data() + done, text.size() - done);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return system_error("write " + folder_ + "/" + name);
      done += static_cast<std::size_t>(written);
    }
    if (calls_.sync(*handle) != 0) return system_error("sync " + folder_ + "/" + name);
  }
  return {};
}

Result<void, SystemError> AuditLog::undo() {
  for (const auto& [name, handle] : files_) {
    if (::ftruncate(handle.number(), good_size_[name]) != 0) {
      return system_error("truncate " + folder_ + "/" + name);
    }
  }
  needs_undo_ = false;
  return {};
}

Result<void, SystemError> AuditLog::append(std::span<const AuditEntry> entries) {
  if (entries.empty()) return {};
  const Locked locked(lock_);
  if (needs_undo_) {
    if (auto undone = undo(); !undone) return undone;
  }
  MerkleTree tree = tree_;
  std::map<std::string, std::string> logs;
  std::map<std::string, Sha256> hashes = last_hash_;
  std::string index;
  for (const AuditEntry& entry : entries) {
    const EntryLine line = render_entry(entry, {tree.size(), node_, tree.root()});
    const std::string name = log_file_of(entry.jurisdiction);
    logs[name] += line.text + '\n';
    index += render_index_line(entry, tree.size(), line.hash) + '\n';
    hashes[name] = line.hash;
    tree.add(line.hash);
  }
  // The index last: what it names is on disk already.
  auto written = write_all(logs);
  if (written) written = write_all({{std::string(index_file), index}});
  if (!written) {
    needs_undo_ = true;
    if (auto undone = undo(); !undone) {
      // Tried again before the next append; until then the reader repairs what it finds.
      return std::unexpected(SystemError{written.error().text() + "; " + undone.error().text(), 0});
    }
    return written;
  }
  for (const auto& [name, text] : logs) good_size_[name] += static_cast<off_t>(text.size());
  good_size_[std::string(index_file)] += static_cast<off_t>(index.size());
  tree_ = std::move(tree);
  last_hash_ = std::move(hashes);
  return {};
}

}  // namespace demarc::zones
