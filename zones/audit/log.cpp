// Appending: see zones/audit/log.h. Opening is zones/audit/log_open.cpp.
#include "zones/audit/log.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace demarc::zones {
namespace {

constexpr mode_t private_file = 0600;  // who failed over where is nobody else's business

constexpr std::array<std::string_view, 14> border_starts = {
    "crossing-",    "soft-crossing-",       "grant-",      "token-",      "review-",
    "keys-",        "configuration-loaded", "service-",    "break-glass", "key-revoked",
    "audit-mended", retention_kind,         "disk-broken", "log-repaired"};

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

bool concerns_border(std::string_view kind) noexcept {
  for (const std::string_view start : border_starts) {
    if (kind.starts_with(start)) return true;
  }
  return false;
}

AuditLog::AuditLog(AuditLog&&) noexcept = default;
AuditLog& AuditLog::operator=(AuditLog&&) noexcept = default;
AuditLog::~AuditLog() = default;

Result<AuditLog, SystemError> AuditLog::open(AuditOptions options) {
  AuditLog log;
  log.options_ = std::move(options);
  for (const std::string& folder : log.options_.folders.all()) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return failure("create folder " + folder + ": " + error.message());
  }
  const std::string lock_path = log.options_.folders.main + "/.lock";
  log.lock_ = Descriptor(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, private_file));
  if (!log.lock_.is_open()) return system_error("open " + lock_path);
  const Locked locked(log.lock_);
  if (auto read = log.read_all(); !read) return std::unexpected(read.error());
  return log;
}

Result<int, SystemError> AuditLog::file(const std::string& name) {
  const auto known = files_.find(name);
  if (known != files_.end()) return known->second.number();
  const std::string path = options_.folders.path_of(name);
  Descriptor made(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, private_file));
  if (!made.is_open()) return system_error("open " + path);
  // A new file's name must survive a crash as well as its content.
  if (auto synced = sync_folder(options_.folders.of_log(name)); !synced) {
    return std::unexpected(synced.error());
  }
  return files_.emplace(name, std::move(made)).first->second.number();
}

Result<void, SystemError> AuditLog::write_synced(int file, std::string_view text,
                                                 const std::string& path) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = options_.calls.write(file, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return system_error("write " + path);
    done += static_cast<std::size_t>(written);
  }
  if (options_.calls.sync(file) != 0) return system_error("sync " + path);
  return {};
}

Result<void, SystemError> AuditLog::write_all(const std::map<std::string, std::string>& lines) {
  for (const auto& [name, text] : lines) {
    if (text.empty()) continue;
    const auto handle = file(name);
    if (!handle) return std::unexpected(handle.error());
    auto written = write_synced(*handle, text, options_.folders.path_of(name));
    if (!written) return written;
  }
  return {};
}

/// The index after the logs, the checkpoint after the index: what either names is on disk already.
Result<void, SystemError> AuditLog::write_in_order(const std::map<std::string, std::string>& logs,
                                                   const std::string& index,
                                                   const std::string& note) {
  auto written = write_all(logs);
  if (written) written = write_all({{std::string(index_file), index}});
  if (written) written = write_all({{std::string(checkpoints_file), note}});
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
  good_size_[std::string(checkpoints_file)] += static_cast<off_t>(note.size());
  return {};
}

Result<void, SystemError> AuditLog::undo() {
  const auto cut = [&](const std::string& name) -> Result<void, SystemError> {
    const auto known = files_.find(name);
    if (known == files_.end()) return {};
    if (options_.calls.truncate(known->second.number(), good_size_[name]) != 0) {
      return system_error("truncate " + options_.folders.path_of(name));
    }
    return {};
  };
  // Backwards, so that nothing names what is not there.
  for (const std::string_view name : {checkpoints_file, index_file}) {
    if (auto done = cut(std::string(name)); !done) return done;
  }
  for (const auto& [name, handle] : files_) {
    if (auto done = cut(name); !done) return done;
  }
  needs_undo_ = false;
  return {};
}

bool AuditLog::is_full(const std::string& log) const {
  const auto size = good_size_.find(log);
  return active_first_.contains(log) && size != good_size_.end() &&
         static_cast<std::uint64_t>(size->second) >= options_.rotate_bytes;
}

bool AuditLog::is_about_to_rotate() const {
  return std::ranges::any_of(active_first_, [&](const auto& log) { return is_full(log.first); });
}

Result<void, SystemError> AuditLog::rotate(const std::string& log) {
  if (!is_full(log)) return {};
  const auto first = active_first_.find(log);
  const std::string& folder = options_.folders.of_log(log);
  const std::string path = options_.folders.path_of(log);
  const std::string segment = folder + "/" + segment_name(log, first->second);
  if (options_.calls.rename(path.c_str(), segment.c_str()) != 0) {
    return system_error("rename " + path);
  }
  files_.erase(log);
  good_size_[log] = 0;
  active_first_.erase(first);
  return sync_folder(folder);
}

Result<std::string, SystemError> AuditLog::note_of(const MerkleTree& tree) const {
  if (!options_.signer) return std::string{};
  auto note = options_.signer->sign(
      render_checkpoint({options_.signer->verifier().name, tree.size(), tree.root()}));
  if (!note) return failure("checkpoint: " + note.error());
  return std::move(*note);
}

Result<void, SystemError> AuditLog::append(std::span<const AuditEntry> entries, bool may_rotate) {
  if (entries.empty()) return {};
  const Locked locked(lock_);
  if (needs_undo_) {
    if (auto undone = undo(); !undone) return undone;
  }
  MerkleTree tree = tree_;
  std::map<std::string, std::string> logs;
  auto last = last_;
  std::map<std::string, std::uint64_t> begun;
  std::string index;
  bool is_of_border = false;
  for (const AuditEntry& entry : entries) {
    const EntryLine line = render_entry(entry, {tree.size(), options_.node, tree.root()});
    const std::string name = log_file_of(entry.jurisdiction);
    logs[name] += line.text + '\n';
    begun.try_emplace(name, tree.size());
    index += render_index_line(entry, tree.size(), line.hash) + '\n';
    last[name] = {tree.size(), line.hash};
    tree.add(line.hash);
    is_of_border |= concerns_border(entry.kind);
  }
  const auto note = is_of_border ? note_of(tree) : std::string{};
  if (!note) return std::unexpected(note.error());
  for (const auto& [name, text] : logs) {
    if (!may_rotate) break;
    if (auto rotated = rotate(name); !rotated) return rotated;
  }
  if (auto written = write_in_order(logs, index, *note); !written) return written;
  for (const auto& [name, first] : begun) active_first_.try_emplace(name, first);
  tree_ = std::move(tree);
  last_ = std::move(last);
  if (!note->empty()) checkpointed_ = tree_.size();
  return {};
}

Result<void, SystemError> AuditLog::checkpoint() {
  if (!options_.signer || checkpointed_ == tree_.size()) return {};
  const Locked locked(lock_);
  if (needs_undo_) {
    if (auto undone = undo(); !undone) return undone;
  }
  const auto note = note_of(tree_);
  if (!note) return std::unexpected(note.error());
  if (auto written = write_in_order({}, {}, *note); !written) return written;
  checkpointed_ = tree_.size();
  return {};
}

Result<std::size_t, SystemError> AuditLog::apply_retention(WallTime before, WallTime now) {
  const auto old = old_segments(list_logs(options_.folders), before);
  for (const OldSegment& segment : old) {
    Removed removed = removed_;
    removed[segment.log] = segment.last;
    const AuditEntry entry = retention_entry(segment, removed, now);
    if (auto told = append(std::span(&entry, 1)); !told) return std::unexpected(told.error());
    removed_ = std::move(removed);
  }
  const Locked locked(lock_);
  finish_retention();
  return old.size();
}

/// An entry has said that they go. What cannot be removed now is tried at the next start.
void AuditLog::finish_retention() {
  for (const auto& [log, files] : list_logs(options_.folders)) {
    const auto removed = removed_.find(log);
    if (removed == removed_.end()) continue;
    for (const LogFile& file : files) {
      std::error_code error;
      if (file.first && *file.first <= removed->second) std::filesystem::remove(file.path, error);
    }
  }
}

}  // namespace demarc::zones
