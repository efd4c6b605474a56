// What a crash in the middle of an append left in the logs: see zones/audit/log.h. Logs are written
// in the order of their names, the index after them, the checkpoint last.
#include <algorithm>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "zones/audit/log.h"

namespace demarc::zones {
namespace {

// A new trail's first append has an entry or two; with more, the index was taken away.
constexpr std::size_t first_append_max = 8;
constexpr std::size_t digest_digits =
    12;  // enough to tell one file that was set aside from another

}  // namespace

void AuditLog::tell_torn(std::string_view name, std::string_view bytes) {
  repairs_.push_back(fmt::format("{}: a torn last line of {} bytes was cut off (sha256 {})", name,
                                 bytes.size(), sha256_hex(bytes)));
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
  return index_again(std::move(beyond));
}

/// Whether the last entry that the index knows is in this file.
Result<bool, SystemError> AuditLog::read_log(const std::string& log, const LogFile& file,
                                             Beyond& beyond) {
  std::ifstream in(file.path, std::ios::binary);
  std::string line;
  off_t whole = 0;
  std::uint64_t before = 0;
  const auto last = last_.find(log);
  bool is_found = last == last_.end();
  while (std::getline(in, line)) {
    if (in.eof()) {
      tell_torn(log, line);
      if (::truncate(file.path.c_str(), whole) != 0) return system_error("truncate " + file.path);
      break;
    }
    auto parsed = parse_entry(line);
    if (!parsed) return failure(fmt::format("{}: {}", file.path, parsed.error()));
    if (whole == 0 && !file.first) active_first_[log] = parsed->place.sequence;
    const off_t begin = whole;
    whole += static_cast<off_t>(line.size()) + 1;
    const std::uint64_t sequence = parsed->place.sequence;
    if (begin > 0 && sequence <= before) {
      return failure(fmt::format("{}: entry {} comes after {}", file.path, sequence, before));
    }
    before = sequence;
    if (sequence < tree_.size()) {
      is_found |= last != last_.end() && parsed->hash == last->second.hash;
    } else if (!beyond.try_emplace(sequence, BeyondEntry{std::move(*parsed), log, file, begin})
                    .second) {
      return failure(fmt::format("{}: entry {} is in another log too", file.path, sequence));
    }
  }
  if (!file.first) good_size_[log] = whole;
  return is_found;
}

/// Takes the entries that continue the tree out of `beyond` and grows it: their index lines.
Result<std::string, SystemError> AuditLog::continuing_lines(Beyond& beyond) {
  std::string lines;
  for (auto next = beyond.begin(); next != beyond.end(); next = beyond.erase(next)) {
    const auto& [parsed, log, file, begin] = next->second;
    if (next->first != tree_.size()) break;
    if (parsed.place.tree_root != tree_.root()) {
      return failure(fmt::format("{}: entry {} is beyond the index and does not continue it",
                                 file.path, next->first));
    }
    lines += render_index_line(parsed.entry, next->first, parsed.hash) + '\n';
    if (auto grown = grow(parsed.hash); !grown) return std::unexpected(grown.error());
    last_[log] = {next->first, parsed.hash};
  }
  return lines;
}

/// Whole entries that the index does not name are evidence and stay: if they continue the tree, the
/// index gets their lines.
Result<void, SystemError> AuditLog::index_again(Beyond beyond) {
  const std::string& folder = options_.folders.main;
  if (tree_.size() == 0 && beyond.size() > first_append_max) {
    return failure(folder + ": the index is missing or empty, and the logs are not");
  }
  const std::size_t found = beyond.size();
  const auto lines = continuing_lines(beyond);
  if (!lines) return std::unexpected(lines.error());
  // Before anything is written: a trail that was cut must keep what is left of it.
  if (!told_roots_.empty() && told_roots_.rbegin()->first > tree_.size()) {
    return failure(
        fmt::format("{}: the trail has {} entries, its last checkpoint says {}: it was "
                    "cut",
                    folder, tree_.size(), told_roots_.rbegin()->first));
  }
  const std::size_t indexed = found - beyond.size();
  if (auto aside = set_aside(beyond); !aside) return aside;
  if (indexed == 0) return {};
  repairs_.push_back(fmt::format(
      "{} entries of an unfinished append were indexed; what they tell of may not have happened",
      indexed));
  if (auto written = write_all({{std::string(index_file), *lines}}); !written) return written;
  good_size_[std::string(index_file)] += static_cast<off_t>(lines->size());
  return {};
}

/// An entry of one log whose predecessor in another was not written yet when the crash came cannot
/// be placed in the tree: nobody was told that it is on disk. Each log's tail of them leaves it.
Result<void, SystemError> AuditLog::set_aside(const Beyond& beyond) {
  std::map<std::string, std::vector<std::uint64_t>> by_log;
  for (const auto& [sequence, entry] : beyond) by_log[entry.log].push_back(sequence);
  for (const auto& [log, sequences] : by_log) {
    const std::string what =
        fmt::format("{} entries, {} to {}, of an unfinished append, which wrote no entry {},",
                    sequences.size(), sequences.front(), sequences.back(), tree_.size());
    if (auto cut = cut_tail(beyond.at(sequences.front()), what); !cut) return cut;
  }
  return {};
}

/// The tail is a file of its own on disk before the log loses it, so a crash here loses nothing.
Result<void, SystemError> AuditLog::cut_tail(const BeyondEntry& first, const std::string& what) {
  if (first.file.first) {
    return failure(fmt::format("{}: {} cannot be beyond the index in a rotated segment",
                               first.file.path, what));
  }
  const std::string text = read_small(first.file.path);
  const std::string tail = text.substr(static_cast<std::size_t>(first.begin));
  const std::string digest = sha256_hex(tail);
  const std::string aside =
      fmt::format("{}.{}.unfinished", first.file.path, digest.substr(0, digest_digits));
  const Descriptor made(
      ::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!made.is_open()) return system_error("open " + aside);
  if (auto written = write_synced(made.number(), tail, aside); !written) return written;
  const auto log = file(first.log);
  if (!log) return std::unexpected(log.error());
  if (auto synced = sync_folder(options_.folders.of_log(first.log)); !synced) return synced;
  if (options_.calls.truncate(*log, first.begin) != 0 || options_.calls.sync(*log) != 0) {
    return system_error("truncate " + first.file.path);
  }
  good_size_[first.log] = first.begin;
  if (first.begin == 0) active_first_.erase(first.log);
  repairs_.push_back(
      fmt::format("{}: {} were set aside in {} (sha256 {})", first.log, what, aside, digest));
  return {};
}

}  // namespace demarc::zones
