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

// A new trail's first append has an entry or two; with more, the index was taken away.
constexpr std::size_t first_append_max = 8;

constexpr mode_t private_file = 0600;  // who failed over where is nobody else's business

/// Holds the folder's lock for a scope.
class Locked {
 public:
  explicit Locked(const Descriptor& lock) : number_(lock.number()) {
    // Readers hold it for a moment. One that was stopped in that moment must not stop a server: it
    // may see an entry half written then, nothing worse.
    for (int tries = 0; tries < 100 && ::flock(number_, LOCK_EX | LOCK_NB) != 0; ++tries) {
      ::usleep(1000);
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
  std::map<std::uint64_t, std::pair<ParsedEntry, std::string>> beyond;
  for (const auto& item : std::filesystem::directory_iterator(folder_, error)) {
    const std::string name = item.path().filename().string();
    if (item.path().extension() != ".jsonl" || name == index_file) continue;
    if (auto read = read_log(name, beyond); !read) return read;
  }
  for (const auto& [name, hash] : last_hash_) {
    if (!good_size_.contains(name)) return failure(folder_ + "/" + name + ": the log is missing");
  }
  return index_again(beyond);
}

Result<void, SystemError> AuditLog::read_log(
    const std::string& name, std::map<std::uint64_t, std::pair<ParsedEntry, std::string>>& beyond) {
  const std::string path = folder_ + "/" + name;
  std::ifstream in(path, std::ios::binary);
  std::string line;
  off_t whole = 0;
  const auto last = last_hash_.find(name);
  bool is_found = last == last_hash_.end();  // the last entry that the index knows
  while (std::getline(in, line)) {
    if (in.eof()) {
      repairs_.push_back(fmt::format("{}: a torn last line of {} bytes was cut off (sha256 {})",
                                     name, line.size(), sha256_hex(line)));
      if (::truncate(path.c_str(), whole) != 0) return system_error("truncate " + path);
      break;
    }
    auto parsed = parse_entry(line);
    if (!parsed) return failure(fmt::format("{}: {}", path, parsed.error()));
    whole += static_cast<off_t>(line.size()) + 1;
    if (parsed->place.sequence >= tree_.size()) {
      const auto sequence = parsed->place.sequence;
      beyond.try_emplace(sequence, std::move(*parsed), name);
    } else if (last != last_hash_.end() && parsed->hash == last->second) {
      is_found = true;
    }
  }
  if (!is_found) return failure(path + ": the last entry that the index names is missing");
  good_size_[name] = whole;
  return {};
}

/// Logs are written before the index, so a crash between the two leaves whole entries that the
/// index does not name yet. They are evidence and stay: if they continue the tree, the index gets
/// their lines. More of them than one append writes is no crash's doing.
Result<void, SystemError> AuditLog::index_again(
    const std::map<std::uint64_t, std::pair<ParsedEntry, std::string>>& beyond) {
  if (beyond.empty()) return {};
  if (tree_.size() == 0 && beyond.size() > first_append_max) {
    return failure(folder_ + ": the index is missing or empty, and the logs are not");
  }
  std::string lines;
  for (const auto& [sequence, found] : beyond) {
    const auto& [parsed, name] = found;
    if (sequence != tree_.size() || parsed.place.tree_root != tree_.root()) {
      return failure(fmt::format("{}/{}: entry {} is beyond the index and does not continue it",
                                 folder_, name, sequence));
    }
    lines += render_index_line(parsed.entry, sequence, parsed.hash) + '\n';
    tree_.add(parsed.hash);
    last_hash_[name] = parsed.hash;
  }
  repairs_.push_back(fmt::format(
      "{} entries of an unfinished append were indexed; what they tell of may not have happened",
      beyond.size()));
  if (auto written = write_all({{std::string(index_file), lines}}); !written) return written;
  good_size_[std::string(index_file)] += static_cast<off_t>(lines.size());
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
