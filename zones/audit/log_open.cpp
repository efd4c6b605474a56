// Opening a trail: the tree is regrown, what a crash left is repaired, what no crash explains is
// refused. The rest of zones/audit/log.h is in zones/audit/log.cpp.
#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <unistd.h>

#include "zones/audit/log.h"

namespace demarc::zones {
namespace {

// A new trail's first append has an entry or two; with more, the index was taken away.
constexpr std::size_t first_append_max = 8;

std::string torn(std::string_view name, std::string_view bytes) {
  return fmt::format("{}: a torn last line of {} bytes was cut off (sha256 {})", name, bytes.size(),
                     sha256_hex(bytes));
}

}  // namespace

Result<void, SystemError> AuditLog::read_all() {
  if (auto read = read_checkpoints(); !read) return read;
  if (auto read = read_index(); !read) return read;
  if (auto repaired = repair_logs(); !repaired) return repaired;
  if (!told_roots_.empty() && told_roots_.rbegin()->first > tree_.size()) {
    return failure(
        fmt::format("{}: the trail has {} entries, its last checkpoint says {}: it was "
                    "cut",
                    options_.folders.main, tree_.size(), told_roots_.rbegin()->first));
  }
  told_roots_.clear();
  finish_retention();
  return tell_vkey();
}

Result<void, SystemError> AuditLog::read_checkpoints() {
  const std::string name(checkpoints_file);
  const std::string path = options_.folders.path_of(name);
  off_t whole = 0;
  for (const NoteText& note : split_notes(read_small(path))) {
    const bool is_torn =
        !note.text.ends_with('\n') ||
        std::ranges::count(note.text, '\n') < static_cast<std::ptrdiff_t>(checkpoint_lines);
    if (is_torn) {
      repairs_.push_back(torn(name, note.text));
      if (::truncate(path.c_str(), whole) != 0) return system_error("truncate " + path);
      break;
    }
    const auto checkpoint = peek_checkpoint(note.text);
    if (!checkpoint) return failure(fmt::format("{}:{}: it is no checkpoint", path, note.line));
    told_roots_[checkpoint->size] = checkpoint->root;
    checkpointed_ = checkpoint->size;
    whole += static_cast<off_t>(note.text.size());
  }
  good_size_[name] = whole;
  return {};
}

Result<void, SystemError> AuditLog::grow(const Sha256& leaf) {
  tree_.add(leaf);
  const auto told = told_roots_.find(tree_.size());
  if (told != told_roots_.end() && told->second != tree_.root()) {
    return failure(fmt::format("{}: the checkpoint of {} entries names another root than the index",
                               options_.folders.main, tree_.size()));
  }
  return {};
}

Result<void, SystemError> AuditLog::read_index() {
  const std::string name(index_file);
  const std::string path = options_.folders.path_of(name);
  std::ifstream in(path, std::ios::binary);
  std::string line;
  off_t whole = 0;
  bool knows_retention = false, is_torn = false;
  while (std::getline(in, line)) {
    if (in.eof()) {
      repairs_.push_back(torn(name, line));
      is_torn = true;
      break;
    }
    const auto parsed = parse_index_line(line);
    if (!parsed || parsed->sequence != tree_.size()) {
      return failure(fmt::format("{}:{}: {}", path, tree_.size() + 1,
                                 parsed ? "an entry is missing before it" : parsed.error()));
    }
    if (auto grown = grow(parsed->hash); !grown) return grown;
    last_[log_file_of(parsed->jurisdiction)] = {parsed->sequence, parsed->hash};
    knows_retention |= parsed->kind == retention_kind;
    whole += static_cast<off_t>(line.size()) + 1;
  }
  good_size_[name] = whole;
  if (knows_retention) removed_ = removed_of(list_logs(options_.folders));
  if (is_torn && ::truncate(path.c_str(), whole) != 0) return system_error("truncate " + path);
  return {};
}

/// Only what was written last can be torn or beyond the index: the active file of each log, and the
/// segment before it, if the crash came right after a rotation.
Result<void, SystemError> AuditLog::repair_logs() {
  Beyond beyond;
  const LogFiles logs = list_logs(options_.folders);
  for (const auto& [log, files] : logs) {
    const auto known = last_.find(log);
    bool is_found = known == last_.end();
    for (auto file = files.rbegin(); file != files.rend() && (!file->first || !is_found); ++file) {
      const auto found = read_log(log, *file, beyond);
      if (!found) return std::unexpected(found.error());
      is_found |= *found;
      if (file->first) break;
    }
    const auto removed = removed_.find(log);
    is_found |= removed != removed_.end() && known->second.sequence <= removed->second;
    if (!is_found) {
      return failure(options_.folders.path_of(log) +
                     ": the last entry that the index names is missing");
    }
  }
  for (const auto& [log, last] : last_) {
    const auto removed = removed_.find(log);
    if (logs.contains(log)) continue;
    if (removed != removed_.end() && last.sequence <= removed->second) continue;
    return failure(options_.folders.path_of(log) + ": the log is missing");
  }
  return index_again(beyond);
}

/// Whether the last entry that the index knows is in this file.
Result<bool, SystemError> AuditLog::read_log(const std::string& log, const LogFile& file,
                                             Beyond& beyond) {
  std::ifstream in(file.path, std::ios::binary);
  std::string line;
  off_t whole = 0;
  const auto last = last_.find(log);
  bool is_found = last == last_.end();
  while (std::getline(in, line)) {
    if (in.eof()) {
      repairs_.push_back(torn(log, line));
      if (::truncate(file.path.c_str(), whole) != 0) return system_error("truncate " + file.path);
      break;
    }
    auto parsed = parse_entry(line);
    if (!parsed) return failure(fmt::format("{}: {}", file.path, parsed.error()));
    if (whole == 0 && !file.first) active_first_[log] = parsed->place.sequence;
    whole += static_cast<off_t>(line.size()) + 1;
    if (parsed->place.sequence >= tree_.size()) {
      const auto sequence = parsed->place.sequence;
      beyond.try_emplace(sequence, std::move(*parsed), log);
    } else if (last != last_.end() && parsed->hash == last->second.hash) {
      is_found = true;
    }
  }
  if (!file.first) good_size_[log] = whole;
  return is_found;
}

/// Logs are written before the index, so a crash between the two leaves whole entries that the
/// index does not name yet. They are evidence and stay: if they continue the tree, the index gets
/// their lines. More of them than one append writes is no crash's doing.
Result<void, SystemError> AuditLog::index_again(const Beyond& beyond) {
  if (beyond.empty()) return {};
  const std::string& folder = options_.folders.main;
  if (tree_.size() == 0 && beyond.size() > first_append_max) {
    return failure(folder + ": the index is missing or empty, and the logs are not");
  }
  std::string lines;
  for (const auto& [sequence, found] : beyond) {
    const auto& [parsed, log] = found;
    if (sequence != tree_.size() || parsed.place.tree_root != tree_.root()) {
      return failure(fmt::format("{}/{}: entry {} is beyond the index and does not continue it",
                                 folder, log, sequence));
    }
    lines += render_index_line(parsed.entry, sequence, parsed.hash) + '\n';
    if (auto grown = grow(parsed.hash); !grown) return grown;
    last_[log] = {sequence, parsed.hash};
  }
  repairs_.push_back(fmt::format(
      "{} entries of an unfinished append were indexed; what they tell of may not have happened",
      beyond.size()));
  if (auto written = write_all({{std::string(index_file), lines}}); !written) return written;
  good_size_[std::string(index_file)] += static_cast<off_t>(lines.size());
  return {};
}

Result<void, SystemError> AuditLog::tell_vkey() const {
  if (!options_.signer) return {};
  const std::string path = options_.folders.path_of(vkey_file);
  const std::string vkey = options_.signer->verifier().text();
  const std::string told = read_small(path);
  if (told == vkey + "\n" || told.ends_with("\n" + vkey + "\n")) return {};
  std::ofstream out(path, std::ios::binary | std::ios::app);
  out << vkey << "\n" << std::flush;
  if (!out) return failure("write " + path);
  return {};
}

}  // namespace demarc::zones
