#include "zones/audit/verify.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "geo/base/descriptor.h"
#include "zones/audit/tree.h"

namespace demarc::zones {
namespace {

using Sizes = std::map<std::string, std::uintmax_t>;

/// How much of each file is there to be read: taken under the writer's lock, so that all files tell
/// of the same entries, and let go at once: a slow reader must not hold up a server. The files only
/// grow.
Sizes sizes_now(const std::string& folder) {
  const Descriptor lock(::open((folder + "/.lock").c_str(), O_RDONLY | O_CLOEXEC));
  if (lock.is_open()) ::flock(lock.number(), LOCK_SH);
  Sizes sizes;
  for (const auto& item : std::filesystem::directory_iterator(folder)) {
    if (item.path().extension() == ".jsonl") {
      sizes[item.path().filename().string()] = item.file_size();
    }
  }
  return sizes;
}

struct PlacedEntry {
  ParsedEntry parsed;
  std::string at;  // file:line
};

/// Lines of a file with their place; a last line without its end is told apart.
void each_line(
    const std::filesystem::path& path, std::uintmax_t size,
    const std::function<void(const std::string& at, const std::string& line, bool torn)>& visit) {
  std::ifstream in(path, std::ios::binary);
  std::string line;
  std::uintmax_t read = 0;
  for (std::size_t number = 1; read < size && std::getline(in, line); ++number) {
    read += line.size() + 1;
    visit(fmt::format("{}:{}", path.filename().string(), number), line, in.eof());
  }
}

std::map<std::uint64_t, PlacedEntry> read_logs(const std::string& folder, const Sizes& sizes,
                                               std::vector<std::string>& findings) {
  std::map<std::uint64_t, PlacedEntry> entries;
  for (const auto& [name, size] : sizes) {
    if (name == index_file) continue;
    const std::filesystem::path path = std::filesystem::path(folder) / name;
    std::uint64_t next = 0;
    each_line(path, size, [&](const std::string& at, const std::string& line, bool torn) {
      auto parsed = parse_entry(line);
      if (!parsed) {
        findings.push_back(fmt::format("{}: {}", at, parsed.error()));
        return;
      }
      if (torn) findings.push_back(at + ": its line end is missing");
      const std::uint64_t sequence = parsed->place.sequence;
      if (sequence < next) findings.push_back(at + ": it is out of order");
      next = sequence + 1;
      if (log_file_of(parsed->entry.jurisdiction) != path.filename()) {
        findings.push_back(at + ": it belongs to another jurisdiction's log");
      }
      if (!entries.try_emplace(sequence, PlacedEntry{std::move(*parsed), at}).second) {
        findings.push_back(fmt::format("{}: sequence {} is there twice", at, sequence));
      }
    });
  }
  return entries;
}

/// Compares one line of the index with the entry it names.
void compare(const std::string& at, const IndexLine& line, const MerkleTree& tree,
             const std::map<std::uint64_t, PlacedEntry>& entries,
             std::vector<std::string>& findings) {
  const auto found = entries.find(line.sequence);
  if (found == entries.end()) {
    findings.push_back(
        fmt::format("{}: its entry is missing in {}", at, log_file_of(line.jurisdiction)));
    return;
  }
  const auto& [parsed, place] = found->second;
  if (parsed.hash != line.hash) findings.push_back(place + ": its hash is not the index's");
  if (parsed.entry.time != line.time || parsed.entry.kind != line.kind ||
      parsed.entry.jurisdiction != line.jurisdiction) {
    findings.push_back(at + ": it does not say what its entry says");
  }
  if (parsed.place.tree_root != tree.root()) {
    findings.push_back(place + ": it names another tree before it than the index holds");
  }
}

}  // namespace

Result<AuditReport, SystemError> verify_audit(const std::string& folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    return failure("no audit trail: " + folder + " is no folder");
  }
  const Sizes sizes = sizes_now(folder);
  AuditReport report;
  const auto entries = read_logs(folder, sizes, report.findings);
  const auto index = sizes.find(std::string(index_file));
  MerkleTree tree;
  each_line(folder + "/" + std::string(index_file), index == sizes.end() ? 0 : index->second,
            [&](const std::string& at, const std::string& text, bool torn) {
              const auto line = parse_index_line(text);
              if (!line) {
                report.findings.push_back(fmt::format("{}: {}", at, line.error()));
                return;
              }
              if (torn) report.findings.push_back(at + ": its line end is missing");
              if (line->sequence != tree.size()) {
                report.findings.push_back(
                    fmt::format("{}: sequence is {}, expected {}: lines were removed, added or "
                                "reordered",
                                at, line->sequence, tree.size()));
              }
              compare(at, *line, tree, entries, report.findings);
              tree.add(line->hash);
            });
  for (const auto& [sequence, placed] : entries) {
    if (sequence >= tree.size()) {
      report.findings.push_back(placed.at + ": the index does not name it");
    }
  }
  report.entries = tree.size();
  report.root = tree.root();
  return report;
}

Result<void, SystemError> visit_audit(const std::string& folder,
                                      const std::function<void(const ParsedEntry&)>& visit) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    return failure("no audit trail: " + folder + " is no folder");
  }
  std::vector<std::string> findings;
  for (const auto& [sequence, placed] : read_logs(folder, sizes_now(folder), findings))
    visit(placed.parsed);
  return {};
}

}  // namespace demarc::zones
