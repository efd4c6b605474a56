// The audit trail on disk: one append-only log per jurisdiction, one index for all, signed
// checkpoints, synced before any change that an entry tells of is published. zones/audit/entry.h is
// the line, zones/audit/folders.h the places, zones/audit/verify.h the check.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>
#include <unistd.h>

#include "geo/base/descriptor.h"
#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "zones/audit/entry.h"
#include "zones/audit/folders.h"
#include "zones/audit/note.h"
#include "zones/audit/retention.h"
#include "zones/audit/tree.h"

namespace demarc::zones {

/// The calls that can fail on a full or dying disk, or be the last before a crash; tests make each
/// of them fail, and end at each. They are the system's own unless replaced.
struct DiskCalls {
  std::function<ssize_t(int file, const void* bytes, std::size_t size)> write = ::write;
  std::function<int(int file)> sync = ::fdatasync;
  std::function<int(int file, off_t size)> truncate = ::ftruncate;
  std::function<int(const char* from, const char* to)> rename = ::rename;
};

struct AuditOptions {
  AuditFolders folders;
  std::string node;
  std::optional<NoteSigner> signer;  // nothing: no checkpoints
  std::uint64_t rotate_bytes = std::uint64_t{64} << 20;
  DiskCalls calls = {};
};

/// Whether an entry of this kind is a decision about a border: a checkpoint follows it in the same
/// append.
[[nodiscard]] bool concerns_border(std::string_view kind) noexcept;

/// One writer, the control thread. While it appends, it holds a lock that readers share, so that a
/// verification beside a running server sees whole entries.
class AuditLog {
 public:
  /// Opens or begins the trail, regrows the tree from the index, finishes a retention that a crash
  /// interrupted, and repairs what a crash in the middle of an append left behind: whole entries
  /// that continue the trail are indexed, those whose predecessor was never written go to a file
  /// of their own. What was repaired is told by repairs(). Fails on files that no crash explains,
  /// and on a trail shorter than its last checkpoint: then `demarc audit verify` says more.
  [[nodiscard]] static Result<AuditLog, SystemError> open(AuditOptions options);
  [[nodiscard]] static Result<AuditLog, SystemError> open(const std::string& folder,
                                                          std::string node, DiskCalls calls = {}) {
    return open({.folders = {folder, {}}, .node = std::move(node), .calls = std::move(calls)});
  }
  AuditLog(AuditLog&&) noexcept;
  AuditLog& operator=(AuditLog&&) noexcept;
  ~AuditLog();

  /// All of `entries` on disk and synced, with a checkpoint over them if one concerns a border, or
  /// none of them and an error. Full logs among those it writes begin a new segment, if they may.
  [[nodiscard]] Result<void, SystemError> append(std::span<const AuditEntry> entries,
                                                 bool may_rotate = true);

  /// Whether an append to all logs would begin a new segment of one of them.
  [[nodiscard]] bool is_about_to_rotate() const;

  /// A checkpoint of what is there, unless the last one says the same.
  [[nodiscard]] Result<void, SystemError> checkpoint();
  /// Removes the rotated segments whose entries are all older than `before`; an entry for each is
  /// on disk first. Returns how many went.
  [[nodiscard]] Result<std::size_t, SystemError> apply_retention(WallTime before, WallTime now);

  [[nodiscard]] std::uint64_t size() const noexcept { return tree_.size(); }
  [[nodiscard]] Sha256 root() const { return tree_.root(); }
  [[nodiscard]] std::uint64_t checkpoint_size() const noexcept { return checkpointed_; }
  /// What open() repaired, one text each: to be recorded as entries by the caller.
  [[nodiscard]] const std::vector<std::string>& repairs() const noexcept { return repairs_; }

 private:
  /// An entry that is whole in a log, and that the index does not name.
  struct BeyondEntry {
    ParsedEntry parsed;
    std::string log;
    LogFile file;
    off_t begin = 0;  // where its line begins in the file, in bytes
  };
  using Beyond = std::map<std::uint64_t, BeyondEntry>;
  struct LastEntry {
    std::uint64_t sequence = 0;
    Sha256 hash{};
  };

  AuditLog() = default;
  [[nodiscard]] Result<void, SystemError> read_all();
  [[nodiscard]] Result<void, SystemError> read_index();
  [[nodiscard]] Result<void, SystemError> read_checkpoints();
  [[nodiscard]] Result<void, SystemError> repair_logs();
  [[nodiscard]] Result<bool, SystemError> read_log(const std::string& log, const LogFile& file,
                                                   Beyond& beyond);
  [[nodiscard]] Result<std::string, SystemError> continuing_lines(Beyond& beyond);
  [[nodiscard]] Result<void, SystemError> index_again(Beyond beyond);
  [[nodiscard]] Result<void, SystemError> set_aside(const Beyond& beyond);
  [[nodiscard]] Result<void, SystemError> cut_tail(const BeyondEntry& first,
                                                   const std::string& what);
  void tell_torn(std::string_view name, std::string_view bytes);
  [[nodiscard]] Result<void, SystemError> grow(const Sha256& leaf);
  [[nodiscard]] Result<void, SystemError> tell_vkey() const;
  void finish_retention();
  [[nodiscard]] bool is_full(const std::string& log) const;
  [[nodiscard]] Result<void, SystemError> rotate(const std::string& log);
  [[nodiscard]] Result<int, SystemError> file(const std::string& name);
  [[nodiscard]] Result<void, SystemError> write_all(
      const std::map<std::string, std::string>& lines);
  [[nodiscard]] Result<void, SystemError> write_synced(int file, std::string_view text,
                                                       const std::string& path);
  [[nodiscard]] Result<void, SystemError> write_in_order(
      const std::map<std::string, std::string>& logs, const std::string& index,
      const std::string& note);
  [[nodiscard]] Result<std::string, SystemError> note_of(const MerkleTree& tree) const;
  [[nodiscard]] Result<void, SystemError> undo();

  AuditOptions options_;
  Descriptor lock_;
  std::map<std::string, Descriptor> files_;
  std::map<std::string, off_t> good_size_;  // by file: the bytes that are known to be whole
  std::map<std::string, LastEntry> last_;   // by log: its last indexed entry
  std::map<std::string, std::uint64_t> active_first_;  // by log: the active file's first entry
  MerkleTree tree_;
  std::uint64_t checkpointed_ = 0;
  std::map<std::uint64_t, Sha256> told_roots_;  // of checkpoints, while the index is read
  Removed removed_;
  std::vector<std::string> repairs_;
  bool needs_undo_ = false;  // an append failed half-way and could not be taken back yet
};

}  // namespace demarc::zones
