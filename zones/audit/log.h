// The audit trail on disk: one append-only log per jurisdiction, one index for all, synced before
// any change that an entry tells of is published. zones/audit/entry.h is the line,
// zones/audit/verify.h the check.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "geo/base/descriptor.h"
#include "geo/base/result.h"
#include "zones/audit/entry.h"
#include "zones/audit/tree.h"

namespace demarc::zones {

/// The calls that can fail on a full or dying disk; tests make each of them fail.
struct DiskCalls {
  std::function<ssize_t(int file, const void* bytes, std::size_t size)> write;
  std::function<int(int file)> sync;

  [[nodiscard]] static DiskCalls real();
};

/// One writer, the control thread. While it appends, it holds a lock that readers share, so that a
/// verification beside a running server sees whole entries.
class AuditLog {
 public:
  /// Opens or begins the trail in `folder`, regrows the tree from the index and repairs what a
  /// crash in the middle of an append left behind; what was repaired is told by repairs(). Fails on
  /// files that no crash explains: then `demarc audit verify` says more.
  [[nodiscard]] static Result<AuditLog, SystemError> open(const std::string& folder,
                                                          std::string node,
                                                          DiskCalls calls = DiskCalls::real());
  AuditLog(AuditLog&&) noexcept;
  AuditLog& operator=(AuditLog&&) noexcept;
  ~AuditLog();

  /// All of `entries` on disk and synced, or none of them and an error.
  [[nodiscard]] Result<void, SystemError> append(std::span<const AuditEntry> entries);

  [[nodiscard]] std::uint64_t size() const noexcept { return tree_.size(); }
  [[nodiscard]] Sha256 root() const { return tree_.root(); }
  /// What open() repaired, one text each: to be recorded as entries by the caller.
  [[nodiscard]] const std::vector<std::string>& repairs() const noexcept { return repairs_; }

 private:
  AuditLog() = default;
  [[nodiscard]] Result<void, SystemError> read_index();
  [[nodiscard]] Result<void, SystemError> repair_logs();
  [[nodiscard]] Result<void, SystemError> read_log(
      const std::string& name,
      std::map<std::uint64_t, std::pair<ParsedEntry, std::string>>& beyond);
  [[nodiscard]] Result<void, SystemError> index_again(
      const std::map<std::uint64_t, std::pair<ParsedEntry, std::string>>& beyond);
  [[nodiscard]] Result<int, SystemError> file(const std::string& name);
  [[nodiscard]] Result<void, SystemError> write_all(
      const std::map<std::string, std::string>& lines);
  [[nodiscard]] Result<void, SystemError> undo();

  std::string folder_;
  std::string node_;
  DiskCalls calls_;
  Descriptor lock_;
  std::map<std::string, Descriptor> files_;
  std::map<std::string, off_t> good_size_;   // by file: the bytes that are known to be whole
  std::map<std::string, Sha256> last_hash_;  // by log file: its last indexed entry
  MerkleTree tree_;
  std::vector<std::string> repairs_;
  bool needs_undo_ = false;  // an append failed half-way and could not be taken back yet
};

}  // namespace demarc::zones
