// Where the trail's files lie: one folder for index and checkpoints, logs of jurisdictions perhaps
// on other disks, and their rotated segments. zones/audit/log.h writes there, zones/audit/verify.h
// and zones/audit/trail.h read.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "geo/base/result.h"

namespace demarc::zones {

inline constexpr std::string_view checkpoints_file = "checkpoints";
inline constexpr std::string_view vkey_file = "audit.vkey";  // one vkey a line, the newest last

struct AuditFolders {
  std::string main;
  std::map<std::string, std::string> by_jurisdiction;  // the others' logs are in `main`

  /// The folder of a log file, by its name as log_file_of() tells it.
  [[nodiscard]] const std::string& of_log(std::string_view log) const;
  [[nodiscard]] std::string path_of(std::string_view log) const;
  /// `main` and all others.
  [[nodiscard]] std::vector<std::string> all() const;
};

/// `jurisdiction-EU.jsonl` rotates to `jurisdiction-EU.000000000123.jsonl`: a dot is in no log's
/// name. The number is the sequence of its first entry.
[[nodiscard]] std::string segment_name(std::string_view log, std::uint64_t first);

struct LogFile {
  std::string path;
  std::optional<std::uint64_t> first;  // nothing: the active file
  std::uintmax_t size = 0;
};
/// Every log by its name, its segments oldest first, the active file last.
using LogFiles = std::map<std::string, std::vector<LogFile>>;
[[nodiscard]] LogFiles list_logs(const AuditFolders& folders);
/// The names of new and renamed files in it survive a power cut from then on.
[[nodiscard]] Result<void, SystemError> sync_folder(const std::string& path);

/// The lines of one log, through all its segments.
class LogLines {
 public:
  /// Opens the last file at once: a rename does not move it away from under the reader.
  explicit LogLines(std::vector<LogFile> files);

  /// False at the end.
  bool next();
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] bool is_torn() const noexcept { return is_torn_; }
  /// "FILE:LINE".
  [[nodiscard]] std::string at() const;

 private:
  std::vector<LogFile> files_;
  std::ifstream last_, in_;
  std::size_t file_ = 0;
  std::size_t line_ = 0;
  std::uintmax_t read_ = 0;
  std::string text_;
  bool is_torn_ = false;
  bool is_open_ = false;
};

/// All files as they are at one moment, taken under the writer's lock, which is let go at once: a
/// slow reader must not hold up a server. The files only grow.
struct TrailFiles {
  LogFiles logs;
  LogLines index;
  std::map<std::string, LogLines> lines;  // by log
  std::string checkpoints;                // the file's text
};
[[nodiscard]] Result<TrailFiles, SystemError> open_trail(const AuditFolders& folders);

/// The whole of a small file; empty if it is not there.
[[nodiscard]] std::string read_small(const std::string& path);

}  // namespace demarc::zones
