#include "zones/audit/folders.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <set>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "geo/base/descriptor.h"
#include "zones/audit/entry.h"

namespace demarc::zones {
namespace {

constexpr std::string_view extension = ".jsonl";
constexpr std::size_t number_digits = 12;

/// A log's name and, of a rotated segment, its number; nothing for other files.
std::optional<std::pair<std::string, std::optional<std::uint64_t>>> parse_log_name(
    std::string_view name) {
  if (!name.ends_with(extension) || name == index_file) return std::nullopt;
  const std::string_view stem = name.substr(0, name.size() - extension.size());
  const auto dot = stem.find('.');
  if (dot == std::string_view::npos) return {{std::string(name), std::nullopt}};
  const std::string_view digits = stem.substr(dot + 1);
  std::uint64_t first = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), first);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return {{std::string(stem.substr(0, dot)) + std::string(extension), first}};
}

}  // namespace

const std::string& AuditFolders::of_log(std::string_view log) const {
  for (const auto& [jurisdiction, folder] : by_jurisdiction) {
    if (log_file_of(jurisdiction) == log) return folder;
  }
  return main;
}

std::string AuditFolders::path_of(std::string_view log) const {
  return of_log(log) + "/" + std::string(log);
}

std::vector<std::string> AuditFolders::all() const {
  std::set<std::string> others;
  for (const auto& [jurisdiction, folder] : by_jurisdiction) others.insert(folder);
  others.erase(main);
  std::vector<std::string> list{main};
  list.insert(list.end(), others.begin(), others.end());
  return list;
}

std::string segment_name(std::string_view log, std::uint64_t first) {
  return fmt::format("{}.{:0{}}{}", log.substr(0, log.size() - extension.size()), first,
                     number_digits, extension);
}

LogFiles list_logs(const AuditFolders& folders) {
  LogFiles logs;
  std::error_code error;
  for (const std::string& folder : folders.all()) {
    for (const auto& item : std::filesystem::directory_iterator(folder, error)) {
      const auto name = parse_log_name(item.path().filename().string());
      if (!name || folders.of_log(name->first) != folder) continue;
      logs[name->first].push_back({item.path().string(), name->second, item.file_size(error)});
    }
  }
  for (auto& [log, files] : logs) {
    std::ranges::sort(files, {}, [](const LogFile& file) { return file.first.value_or(~0ULL); });
  }
  return logs;
}

LogLines::LogLines(std::vector<LogFile> files) : files_(std::move(files)) {
  if (!files_.empty()) last_.open(files_.back().path, std::ios::binary);
}

bool LogLines::next() {
  while (file_ < files_.size()) {
    if (!is_open_) {
      if (file_ + 1 == files_.size()) {
        in_ = std::move(last_);
      } else {
        in_ = std::ifstream(files_[file_].path, std::ios::binary);
      }
      is_open_ = true;
      read_ = 0;
      line_ = 0;
    }
    if (read_ < files_[file_].size && std::getline(in_, text_)) {
      read_ += text_.size() + 1;
      ++line_;
      is_torn_ = in_.eof();
      return true;
    }
    is_open_ = false;
    ++file_;
  }
  return false;
}

std::string LogLines::at() const {
  return fmt::format("{}:{}", std::filesystem::path(files_[file_].path).filename().string(), line_);
}

Result<void, SystemError> sync_folder(const std::string& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open() || ::fsync(folder.number()) != 0) return system_error("sync " + path);
  return {};
}

std::string read_small(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Result<TrailFiles, SystemError> open_trail(const AuditFolders& folders) {
  std::error_code error;
  if (!std::filesystem::is_directory(folders.main, error)) {
    return failure("no audit trail: " + folders.main + " is no folder");
  }
  const Descriptor lock(::open((folders.main + "/.lock").c_str(), O_RDONLY | O_CLOEXEC));
  if (lock.is_open()) ::flock(lock.number(), LOCK_SH);
  const std::string index = folders.main + "/" + std::string(index_file);
  const auto size = std::filesystem::file_size(index, error);
  TrailFiles files{
      list_logs(folders),
      LogLines(error ? std::vector<LogFile>{} : std::vector<LogFile>{{index, std::nullopt, size}}),
      {},
      read_small(folders.main + "/" + std::string(checkpoints_file))};
  for (const auto& [log, segments] : files.logs) files.lines.emplace(log, LogLines(segments));
  return files;
}

}  // namespace demarc::zones
