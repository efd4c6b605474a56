#include "zones/audit/trail.h"

#include <algorithm>

#include <fmt/format.h>

#include "zones/audit/entry.h"
#include "zones/audit/proof.h"

namespace demarc::zones {
namespace {

std::unexpected<std::string> wrong(std::string text) { return std::unexpected(std::move(text)); }

/// The first `size` leaves of the index, and the jurisdiction of one of them.
Result<std::vector<Sha256>, std::string> read_leaves(LogLines& index, std::uint64_t size,
                                                     std::uint64_t sequence,
                                                     std::string* jurisdiction) {
  std::vector<Sha256> leaves;
  while (leaves.size() < size && index.next()) {
    const auto line = parse_index_line(index.text());
    if (!line || line->sequence != leaves.size()) return wrong(index.at() + ": it is damaged");
    if (jurisdiction != nullptr && line->sequence == sequence) *jurisdiction = line->jurisdiction;
    leaves.push_back(line->hash);
  }
  if (leaves.size() < size) {
    return wrong(fmt::format("the index has {} entries, fewer than {}", leaves.size(), size));
  }
  return leaves;
}

std::string no_checkpoint(std::optional<std::uint64_t> size) {
  return size ? fmt::format(
                    "there is no checkpoint of {} entries; `demarc audit checkpoints` "
                    "lists those there are",
                    *size)
              : std::string("there is no checkpoint yet");
}

}  // namespace

Result<std::vector<NoteVerifier>, std::string> read_verifiers(std::string_view text) {
  std::vector<NoteVerifier> verifiers;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end != 0) {
      auto verifier = parse_verifier(text.substr(0, end));
      if (!verifier) return std::unexpected(verifier.error());
      verifiers.push_back(std::move(*verifier));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return verifiers;
}

std::optional<std::string> find_checkpoint(const TrailFiles& files,
                                           std::optional<std::uint64_t> size) {
  std::optional<std::string> found;
  for (NoteText& note : split_notes(files.checkpoints)) {
    const auto checkpoint = peek_checkpoint(note.text);
    if (checkpoint && (!size || checkpoint->size == *size)) found = std::move(note.text);
  }
  return found;
}

Result<InclusionProof, std::string> make_inclusion_proof(const AuditFolders& folders,
                                                         std::uint64_t sequence,
                                                         std::optional<std::uint64_t> size) {
  auto files = open_trail(folders);
  if (!files) return wrong(files.error().text());
  const auto note = find_checkpoint(*files, size);
  if (!note) return wrong(no_checkpoint(size));
  const std::uint64_t tree_size = peek_checkpoint(*note)->size;
  if (sequence >= tree_size) {
    return wrong(
        fmt::format("entry {} is not under the checkpoint of {} entries", sequence, tree_size));
  }
  std::string jurisdiction;
  const auto leaves = read_leaves(files->index, tree_size, sequence, &jurisdiction);
  if (!leaves) return std::unexpected(leaves.error());
  const auto log = files->lines.find(log_file_of(jurisdiction));
  while (log != files->lines.end() && log->second.next()) {
    if (!log->second.text().starts_with(fmt::format("{{\"seq\":{},", sequence))) continue;
    return InclusionProof{log->second.text(), sequence, prove_inclusion(*leaves, sequence), *note};
  }
  return wrong(fmt::format("entry {} is not in {}: its detail was removed, or is missing", sequence,
                           log_file_of(jurisdiction)));
}

Result<ConsistencyProof, std::string> make_consistency_proof(const AuditFolders& folders,
                                                             std::uint64_t from,
                                                             std::optional<std::uint64_t> to) {
  auto files = open_trail(folders);
  if (!files) return wrong(files.error().text());
  const auto first = find_checkpoint(*files, from), second = find_checkpoint(*files, to);
  if (!first) return wrong(no_checkpoint(from));
  if (!second) return wrong(no_checkpoint(to));
  const std::uint64_t size = peek_checkpoint(*second)->size;
  if (from == 0 || from > size) return wrong("the first checkpoint is not the smaller one");
  const auto leaves = read_leaves(files->index, size, 0, nullptr);
  if (!leaves) return std::unexpected(leaves.error());
  return ConsistencyProof{*first, *second, prove_consistency(*leaves, from)};
}

}  // namespace demarc::zones
