#include "zones/audit/proof_file.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "zones/audit/entry.h"
#include "zones/audit/proof.h"
#include "zones/strict_json.h"
#include "zones/time_text.h"
#include "zones/yaml/utf8.h"

namespace demarc::zones {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view tlog_proof_line = "c2sp.org/tlog-proof@v1";
constexpr std::size_t hashes_max = 128;  // two a level of a tree of 2^64 leaves

std::unexpected<std::string> wrong(std::string text) { return std::unexpected(std::move(text)); }

std::string to_base64(const Sha256& hash) {
  return base64({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

bool add_hash(std::vector<Sha256>& hashes, std::string_view text) {
  const auto bytes = decode_base64(text);
  if (!bytes || bytes->size() != Sha256{}.size() || hashes.size() == hashes_max) return false;
  std::ranges::copy(*bytes, hashes.emplace_back().begin());
  return true;
}

ordered_json to_json(const std::vector<Sha256>& hashes) {
  ordered_json list = ordered_json::array();
  for (const Sha256& hash : hashes) list.push_back(to_base64(hash));
  return list;
}

Result<Proof, std::string> parse_json(std::string_view text) {
  const auto json = parse_json_object(text);
  if (!json) return std::unexpected(json.error());
  try {
    std::vector<Sha256> hashes;
    for (const auto& hash : json->at("hashes")) {
      if (!add_hash(hashes, hash.get<std::string>())) return wrong("a hash is not one");
    }
    if (json->at("proof") == "inclusion") {
      if (!json->at("index").is_number_unsigned()) return wrong("its index is no number");
      return InclusionProof{json->at("entry"), json->at("index"), std::move(hashes),
                            json->at("checkpoint")};
    }
    if (json->at("proof") == "consistency") {
      return ConsistencyProof{json->at("first"), json->at("second"), std::move(hashes)};
    }
  } catch (const std::exception&) {
    return wrong("a member is missing or has the wrong type");
  }
  return wrong("it is neither a proof of inclusion nor of consistency");
}

Result<Proof, std::string> parse_tlog_proof(std::string_view text) {
  const auto blank = text.find("\n\n");
  if (blank == std::string_view::npos) return wrong("it has no checkpoint");
  InclusionProof proof{.checkpoint = std::string(text.substr(blank + 2))};
  std::string_view head = text.substr(0, blank);
  std::vector<std::string_view> lines;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = head.find('\n');
    lines.push_back(head.substr(0, end));
    if (end != std::string_view::npos) head.remove_prefix(end + 1);
  }
  if (lines.size() < 3 || !lines[1].starts_with("extra ") || !lines[2].starts_with("index ")) {
    return wrong("expected the lines `extra ENTRY` and `index NUMBER`");
  }
  const auto entry = decode_base64(lines[1].substr(6));
  const std::string_view number = lines[2].substr(6);
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), proof.index);
  if (!entry || error != std::errc{} || number != std::to_string(proof.index)) {
    return wrong("its entry or its index is not one");
  }
  proof.entry = *entry;
  for (std::size_t i = 3; i < lines.size(); ++i) {
    if (!add_hash(proof.hashes, lines[i])) return wrong("a hash is not one");
  }
  return proof;
}

Result<std::string, std::string> check(const InclusionProof& proof,
                                       std::span<const NoteVerifier> verifiers) {
  const auto checkpoint = open_checkpoint(proof.checkpoint, verifiers);
  if (!checkpoint) return wrong("the checkpoint: " + checkpoint.error());
  const auto entry = parse_entry(proof.entry);
  if (!entry) return wrong("the entry: " + entry.error());
  if (entry->place.sequence != proof.index) return wrong("the entry has another sequence");
  if (!is_included(entry->hash, proof.index, checkpoint->size, proof.hashes, checkpoint->root)) {
    return wrong("the hashes do not lead from the entry to the checkpoint's root");
  }
  return fmt::format("entry {} ({}, {}) is in the log {} of {} entries", proof.index,
                     entry->entry.kind, to_rfc3339(entry->entry.time), checkpoint->origin,
                     checkpoint->size);
}

Result<std::string, std::string> check(const ConsistencyProof& proof,
                                       std::span<const NoteVerifier> verifiers) {
  const auto first = open_checkpoint(proof.first, verifiers);
  if (!first) return wrong("the first checkpoint: " + first.error());
  const auto second = open_checkpoint(proof.second, verifiers);
  if (!second) return wrong("the second checkpoint: " + second.error());
  if (first->origin != second->origin) return wrong("the checkpoints are of two logs");
  if (!is_consistent(first->size, first->root, second->size, second->root, proof.hashes)) {
    return wrong("the hashes do not lead from the first root to the second");
  }
  return fmt::format("the log {} of {} entries only grew to {}", first->origin, first->size,
                     second->size);
}

}  // namespace

namespace {

/// What the trail has is UTF-8: anything else proves nothing, and could not be written as JSON.
bool is_text(const Proof& proof) {
  const auto is_good = [](const std::string& text) { return !yaml::find_bad_text(text); };
  if (const auto* in = std::get_if<InclusionProof>(&proof)) {
    return is_good(in->entry) && is_good(in->checkpoint);
  }
  const auto& grown = std::get<ConsistencyProof>(proof);
  return is_good(grown.first) && is_good(grown.second);
}

}  // namespace

std::string write_json(const Proof& proof) {
  ordered_json json;
  if (const auto* in = std::get_if<InclusionProof>(&proof)) {
    json = {{"proof", "inclusion"},
            {"entry", in->entry},
            {"index", in->index},
            {"hashes", to_json(in->hashes)},
            {"checkpoint", in->checkpoint}};
  } else {
    const auto& grown = std::get<ConsistencyProof>(proof);
    json = {{"proof", "consistency"},
            {"first", grown.first},
            {"second", grown.second},
            {"hashes", to_json(grown.hashes)}};
  }
  return json.dump(2) + "\n";
}

std::string write_tlog_proof(const InclusionProof& proof) {
  std::string text =
      fmt::format("{}\nextra {}\nindex {}\n", tlog_proof_line, base64(proof.entry), proof.index);
  for (const Sha256& hash : proof.hashes) text += to_base64(hash) + "\n";
  return text + "\n" + proof.checkpoint;
}

Result<Proof, std::string> parse_proof(std::string_view text) {
  auto proof = text.starts_with(std::string(tlog_proof_line) + "\n") ? parse_tlog_proof(text)
                                                                     : parse_json(text);
  if (!proof || is_text(*proof)) return proof;
  return std::unexpected(std::string("bytes that are no text; expected UTF-8"));
}

Result<std::string, std::string> check_proof(const Proof& proof,
                                             std::span<const NoteVerifier> verifiers) {
  return std::visit([&](const auto& one) { return check(one, verifiers); }, proof);
}

}  // namespace demarc::zones
