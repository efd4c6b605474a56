// Opening a trail: the tree is regrown from the index, under the roots of the checkpoints. What a
// crash left in the logs is zones/audit/log_repair.cpp, appending zones/audit/log.cpp.
#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <unistd.h>

#include "zones/audit/log.h"

namespace demarc::zones {
Result<void, SystemError> AuditLog::read_all() {
  if (auto read = read_checkpoints(); !read) return read;
  if (auto read = read_index(); !read) return read;
  if (auto repaired = repair_logs(); !repaired) return repaired;
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
      tell_torn(name, note.text);
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
      tell_torn(name, line);
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
