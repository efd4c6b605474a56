#include "zones/audit/verify.h"

#include <map>
#include <optional>

#include <fmt/format.h>

#include "zones/audit/retention.h"
#include "zones/audit/trail.h"
#include "zones/audit/tree.h"

namespace demarc::zones {
namespace {

/// One log, an entry ahead.
class LogCursor {
 public:
  LogCursor(std::string log, LogLines lines) : log_(std::move(log)), lines_(std::move(lines)) {}

  /// The next readable entry; what is wrong with lines goes to `say`.
  const ParsedEntry* peek(const std::function<void(std::string)>& say) {
    while (!entry_ && lines_.next()) {
      auto parsed = parse_entry(lines_.text());
      at_ = lines_.at();
      if (!parsed) {
        say(fmt::format("{}: {}", at_, parsed.error()));
        continue;
      }
      if (lines_.is_torn()) say(at_ + ": its line end is missing");
      if (parsed->place.sequence < next_) say(at_ + ": it is out of order, or there twice");
      next_ = parsed->place.sequence + 1;
      if (log_file_of(parsed->entry.jurisdiction) != log_) {
        say(at_ + ": it belongs to another jurisdiction's log");
      }
      entry_ = std::move(*parsed);
    }
    return entry_ ? &*entry_ : nullptr;
  }
  void drop() { entry_.reset(); }
  [[nodiscard]] const std::string& at() const noexcept { return at_; }

 private:
  std::string log_;
  LogLines lines_;
  std::optional<ParsedEntry> entry_;
  std::string at_;
  std::uint64_t next_ = 0;
};

class Verification {
 public:
  Verification(TrailFiles files, const AuditFolders& folders, const VerifyOptions& options)
      : index_(std::move(files.index)), removed_(removed_of(files.logs)) {
    for (auto& [log, lines] : files.lines) cursors_.try_emplace(log, log, std::move(lines));
    std::vector<NoteVerifier> verifiers = options.verifiers;
    if (verifiers.empty()) verifiers = own_verifiers(folders);
    for (const NoteText& note : split_notes(files.checkpoints)) {
      take(fmt::format("{}:{}", checkpoints_file, note.line), note.text, verifiers);
    }
    if (report_.checkpoints == 0 && !verifiers.empty()) {
      say(fmt::format("{}: the trail has a log key and no checkpoint that it signed",
                      checkpoints_file));
    }
    for (const std::string& note : options.outside) take("--checkpoint", note, verifiers);
  }

  AuditReport run() {
    compare_roots();
    while (index_.next()) {
      const auto line = parse_index_line(index_.text());
      if (!line) {
        say(fmt::format("{}: {}", index_.at(), line.error()));
        continue;
      }
      if (index_.is_torn()) say(index_.at() + ": its line end is missing");
      if (line->sequence != tree_.size()) {
        say(fmt::format("{}: sequence is {}, expected {}: lines were removed, added or reordered",
                        index_.at(), line->sequence, tree_.size()));
      }
      compare(*line);
      tree_.add(line->hash);
      compare_roots();
    }
    for (auto& [log, cursor] : cursors_) {
      while (cursor.peek(sayer()) != nullptr) {
        say(cursor.at() + ": the index does not name it");
        cursor.drop();
      }
    }
    for (const auto& [size, told] : told_) {
      if (size <= tree_.size()) continue;
      say(fmt::format("{}: the trail has {} entries, the checkpoint says {}: it was cut",
                      told.front().first, tree_.size(), size));
    }
    report_.entries = tree_.size();
    report_.root = tree_.root();
    if (unsaid_ != 0) report_.findings.push_back(fmt::format("{} more findings", unsaid_));
    return std::move(report_);
  }

 private:
  void say(std::string finding) {
    if (report_.findings.size() < findings_max) {
      report_.findings.push_back(std::move(finding));
    } else {
      ++unsaid_;
    }
  }
  std::function<void(std::string)> sayer() {
    return [this](std::string text) { say(std::move(text)); };
  }

  std::vector<NoteVerifier> own_verifiers(const AuditFolders& folders) {
    const auto read = read_verifiers(read_small(folders.path_of(vkey_file)));
    if (read) return *read;
    say(fmt::format("{}: {}", vkey_file, read.error()));
    return {};
  }

  void take(const std::string& at, const std::string& note,
            const std::vector<NoteVerifier>& verifiers) {
    const auto checkpoint = open_checkpoint(note, verifiers);
    if (!checkpoint) return say(fmt::format("{}: {}", at, checkpoint.error()));
    if (at != "--checkpoint") {
      if (checkpoint->size < last_size_) say(at + ": it is out of order");
      last_size_ = checkpoint->size;
    }
    told_[checkpoint->size].emplace_back(at, checkpoint->root);
    ++report_.checkpoints;
  }

  void compare_roots() {
    const auto told = told_.find(tree_.size());
    if (told == told_.end()) return;
    for (const auto& [at, root] : told->second) {
      if (root != tree_.root()) say(at + ": it names another root than the index holds");
    }
    report_.covered = tree_.size();
  }

  /// Compares one line of the index with the entry it names.
  void compare(const IndexLine& line) {
    const std::string log = log_file_of(line.jurisdiction);
    const auto cursor = cursors_.find(log);
    const ParsedEntry* entry = nullptr;
    if (cursor != cursors_.end()) {
      while ((entry = cursor->second.peek(sayer())) != nullptr &&
             entry->place.sequence < line.sequence) {
        say(cursor->second.at() + ": the index does not name it here");
        cursor->second.drop();
      }
    }
    if (entry == nullptr || entry->place.sequence != line.sequence) {
      const auto removed = removed_.find(log);
      if (removed != removed_.end() && line.sequence <= removed->second) {
        ++report_.removed;
      } else {
        say(fmt::format("{}: its entry is missing in {}", index_.at(), log));
      }
      return;
    }
    const std::string& at = cursor->second.at();
    if (entry->hash != line.hash) say(at + ": its hash is not the index's");
    if (entry->entry.time != line.time || entry->entry.kind != line.kind ||
        entry->entry.jurisdiction != line.jurisdiction) {
      say(index_.at() + ": it does not say what its entry says");
    }
    if (entry->place.tree_root != tree_.root()) {
      say(at + ": it names another tree before it than the index holds");
    }
    cursor->second.drop();
  }

  LogLines index_;
  Removed removed_;
  std::map<std::string, LogCursor> cursors_;
  std::map<std::uint64_t, std::vector<std::pair<std::string, Sha256>>> told_;  // by size
  std::uint64_t last_size_ = 0;
  MerkleTree tree_;
  AuditReport report_;
  std::uint64_t unsaid_ = 0;
};

}  // namespace

Result<AuditReport, SystemError> verify_audit(const AuditFolders& folders,
                                              const VerifyOptions& options) {
  auto files = open_trail(folders);
  if (!files) return std::unexpected(files.error());
  return Verification(std::move(*files), folders, options).run();
}

Result<void, SystemError> visit_audit(const AuditFolders& folders,
                                      const std::function<void(const ParsedEntry&)>& visit) {
  auto files = open_trail(folders);
  if (!files) return std::unexpected(files.error());
  std::map<std::string, LogCursor> cursors;
  for (auto& [log, lines] : files->lines) cursors.try_emplace(log, log, std::move(lines));
  for (;;) {
    LogCursor* next = nullptr;
    std::uint64_t lowest = 0;
    for (auto& [log, cursor] : cursors) {
      const ParsedEntry* entry = cursor.peek([](const std::string&) {});
      if (entry == nullptr || (next != nullptr && entry->place.sequence >= lowest)) continue;
      next = &cursor;
      lowest = entry->place.sequence;
    }
    if (next == nullptr) return {};
    visit(*next->peek([](const std::string&) {}));
    next->drop();
  }
}

}  // namespace demarc::zones
