// The trail with checkpoints, several folders, rotation and retention.
#include "zones/audit/trail.h"

#include <filesystem>
#include <fstream>
#include <random>

#include <catch2/catch.hpp>

#include "tests/support/process.h"
#include "tests/support/temp_folder.h"
#include "zones/audit/log.h"
#include "zones/audit/verify.h"
#include "zones/jws.h"
#include "zones/time_text.h"

using namespace demarc;
using namespace demarc::zones;
using demarc::testing::TempFolder;

namespace {

const WallTime noon = *parse_rfc3339("2026-11-23T12:00:00Z");
const std::string key_pem = make_key_pair(KeyAlgorithm::EdDSA)->private_key_pem;
const NoteSigner signer = *NoteSigner::make("ns1/audit", key_pem);

AuditEntry fact(std::string kind, std::string jurisdiction = "EU", Milliseconds later = {}) {
  return {.time = noon + later,
          .kind = std::move(kind),
          .jurisdiction = std::move(jurisdiction),
          .facts = {{"service", "api.example.com"}, {"who", "anna"}}};
}

AuditOptions options_of(const std::string& folder) {
  return {.folders = {folder, {}}, .node = "ns1", .signer = signer};
}

AuditLog opened(AuditOptions options) {
  auto log = AuditLog::open(std::move(options));
  if (!log) FAIL(log.error().text());
  return std::move(*log);
}
void append(AuditLog& log, std::vector<AuditEntry> entries) {
  REQUIRE(log.append(entries).has_value());
}

/// Six entries under three checkpoints.
void fill(const AuditOptions& options) {
  AuditLog log = opened(options);
  append(log, {fact("start", "-")});
  append(log, {fact("failover-wanted"), fact("crossing-held")});
  append(log, {fact("weights-changed", "US")});
  append(log, {fact("grant-accepted")});
  append(log, {fact("stop", "-")});
  REQUIRE(log.checkpoint().has_value());
}

bool is_whole(const std::string& folder, const VerifyOptions& how = {}) {
  return verify_audit(AuditFolders{folder, {}}, how)->findings.empty();
}

void write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at) + 1;
    lines.push_back(text.substr(at, end - at));
    at = end;
  }
  return lines;
}
std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line;
  return text;
}

const std::vector<std::string> file_names = {"index.jsonl", "node.jsonl", "jurisdiction-EU.jsonl",
                                             "jurisdiction-US.jsonl", "checkpoints"};

}  // namespace

TEST_CASE("trail: decisions about a border are under a checkpoint at once",
          "[zones][audit][trail]") {
  const TempFolder folder;
  fill(options_of(folder.path()));
  const auto report = verify_audit(AuditFolders{folder.path(), {}});
  CHECK(report->findings.empty());
  CHECK(report->checkpoints == 3);
  CHECK(report->covered == 6);
  const auto pinned = parse_verifier(signer.verifier().text());
  CHECK(is_whole(folder.path(), {.verifiers = {*pinned}}));
  const auto other =
      NoteSigner::make("ns1/audit", make_key_pair(KeyAlgorithm::EdDSA)->private_key_pem);
  CHECK_FALSE(is_whole(folder.path(), {.verifiers = {other->verifier()}}));
  CHECK(opened(options_of(folder.path())).repairs().empty());
}

TEST_CASE("trail: every changed byte of every file is found", "[zones][audit][trail]") {
  const TempFolder folder;
  fill(options_of(folder.path()));
  const VerifyOptions pinned{.verifiers = {signer.verifier()}};
  for (const std::string& name : file_names) {
    const std::string path = folder.path() + "/" + name;
    const std::string good = read_small(path);
    REQUIRE_FALSE(good.empty());
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ 1);
      write(path, bad);
      if (is_whole(folder.path(), pinned)) FAIL(name << " byte " << i << " was not found");
    }
    write(path, good);
  }
  CHECK(is_whole(folder.path(), pinned));
}

TEST_CASE("trail: removed, doubled and swapped entries are found in every file",
          "[zones][audit][trail]") {
  const TempFolder folder;
  fill(options_of(folder.path()));
  for (const std::string& name : file_names) {
    const std::string path = folder.path() + "/" + name;
    const std::string good = read_small(path);
    const auto lines = lines_of(good);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      CAPTURE(name, i);
      auto removed = lines, doubled = lines, swapped = lines;
      removed.erase(removed.begin() + static_cast<std::ptrdiff_t>(i));
      doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
      write(path, joined(removed));
      CHECK_FALSE(is_whole(folder.path()));
      write(path, joined(doubled));
      CHECK_FALSE(is_whole(folder.path()));
      if (i + 1 == lines.size() || lines[i] == lines[i + 1]) continue;
      std::swap(swapped[i], swapped[i + 1]);
      write(path, joined(swapped));
      CHECK_FALSE(is_whole(folder.path()));
    }
    write(path, good);
  }
}

TEST_CASE(
    "trail: cut at any entry in all files, it is found by its own checkpoints, and cut with "
    "them by one kept outside",
    "[zones][audit][trail]") {
  const TempFolder whole;
  fill(options_of(whole.path()));
  auto files = *open_trail(AuditFolders{whole.path(), {}});
  const std::string outside = *find_checkpoint(files, std::nullopt);
  for (std::uint64_t keep = 0; keep < 6; ++keep) {
    for (const bool checkpoints_too : {false, true}) {
      CAPTURE(keep, checkpoints_too);
      const TempFolder folder;
      std::filesystem::copy(whole.path(), folder.path(), std::filesystem::copy_options::recursive);
      for (const std::string& name : file_names) {
        const std::string text = read_small(folder.path() + "/" + name);
        std::string kept;
        if (name == "checkpoints") {
          for (const NoteText& note : split_notes(text)) {
            if (peek_checkpoint(note.text)->size <= keep || !checkpoints_too) kept += note.text;
          }
        } else {
          for (const std::string& line : lines_of(text)) {
            if (std::stoull(line.substr(7)) < keep) kept += line;
          }
        }
        write(folder.path() + "/" + name, kept);
      }
      CHECK_FALSE(is_whole(folder.path(), {.outside = {outside}}));
      if (!checkpoints_too) {
        CHECK_FALSE(is_whole(folder.path()));
        CHECK_FALSE(AuditLog::open(options_of(folder.path())).has_value());
      }
    }
  }
  CHECK(is_whole(whole.path(), {.outside = {outside}}));
}

TEST_CASE("trail: a torn checkpoint is cut off at the next start", "[zones][audit][trail]") {
  const TempFolder folder;
  fill(options_of(folder.path()));
  const std::string path = folder.path() + "/checkpoints";
  const std::string good = read_small(path);
  const std::string last = split_notes(good).back().text;
  for (std::size_t cut = 1; cut < last.size(); ++cut) {
    write(path, good.substr(0, good.size() - cut));
    AuditLog log = opened(options_of(folder.path()));
    REQUIRE(log.repairs().size() == 1);
    REQUIRE(log.checkpoint().has_value());
    REQUIRE(read_small(path) == good);
  }
  CHECK(is_whole(folder.path()));
}

TEST_CASE("trail: each failing write leaves entries and checkpoints as they were",
          "[zones][audit][trail]") {
  for (int fail_at = 0; fail_at < 8; ++fail_at) {
    CAPTURE(fail_at);
    const TempFolder folder, other;
    AuditOptions options = options_of(folder.path());
    options.folders.by_jurisdiction["US"] = other.path();
    int calls = 0;
    const DiskCalls real;
    options.calls = {
        [&](int file, const void* bytes, std::size_t size) -> ssize_t {
          if (calls++ != fail_at) return real.write(file, bytes, size);
          (void)real.write(file, bytes, size / 2);
          errno = ENOSPC;
          return -1;
        },
        [&](int file) { return calls++ == fail_at ? (errno = EIO, -1) : real.sync(file); }};
    AuditLog log = opened(options);
    const std::vector<AuditEntry> entries{fact("crossing-made"), fact("weights-changed", "US")};
    CHECK_FALSE(log.append(entries).has_value());
    CHECK(log.size() == 0);
    append(log, entries);
    const auto report = verify_audit(options.folders);
    CHECK(report->findings.empty());
    CHECK(report->entries == 2);
    CHECK(report->covered == 2);
    CHECK(std::filesystem::file_size(other.path() + "/jurisdiction-US.jsonl") > 0);
    CHECK_FALSE(std::filesystem::exists(folder.path() + "/jurisdiction-US.jsonl"));
  }
}

TEST_CASE("trail: nothing but sequence, time, kind, jurisdiction and hash is in the index",
          "[zones][audit][trail]") {
  const TempFolder folder;
  AuditLog log = opened(options_of(folder.path()));
  AuditEntry entry = fact("crossing-held");
  entry.facts.clear();
  // The kinds of facts that steering states, and those that nobody should ever state.
  std::size_t number = 0;
  for (const char* name :
       {"who",           "why",      "zone",   "service",      "case",          "grant",   "change",
        "from",          "to",       "mode",   "evidence",     "before",        "after",   "policy",
        "configuration", "endpoint", "client", "token-sha256", "signature-jti", "tenant",  "text",
        "seq",           "time",     "kind",   "jurisdiction", "hash",          "crossing"}) {
    entry.facts.emplace_back(name, "secret" + std::to_string(number++));
  }
  append(log, {entry});
  const std::string index = read_small(folder.path() + "/index.jsonl");
  const auto line = parse_index_line(std::string_view(index).substr(0, index.size() - 1));
  REQUIRE(line);
  CHECK(index.find("secret") == std::string::npos);
  // Byte for byte what these five members alone make.
  CHECK(index ==
        "{\"seq\":0,\"time\":\"2026-11-23T12:00:00.000Z\",\"kind\":\"crossing-held\","
        "\"jurisdiction\":\"EU\",\"hash\":\"" +
            to_hex(line->hash) + "\"}\n");
}

TEST_CASE("trail: logs rotate, old segments go, and everything else still verifies",
          "[zones][audit][trail]") {
  const TempFolder folder;
  AuditOptions options = options_of(folder.path());
  options.rotate_bytes = 2000;
  std::string first_proof;
  {
    AuditLog log = opened(options);
    for (int i = 0; i < 30; ++i) {
      append(log, {fact("crossing-held", "EU", std::chrono::hours(i)),
                   fact("start", "-", std::chrono::hours(i))});
    }
    first_proof = write_json(*make_inclusion_proof(options.folders, 0, std::nullopt));
    const auto segments = list_logs(options.folders).at("jurisdiction-EU.jsonl");
    REQUIRE(segments.size() > 3);
    CHECK(segments.front().path.ends_with("jurisdiction-EU.000000000000.jsonl"));
    CHECK(is_whole(folder.path()));
    const auto gone =
        log.apply_retention(noon + std::chrono::hours(15), noon + std::chrono::hours(40));
    REQUIRE(gone.has_value());
    CHECK(*gone > 2);
  }
  const auto report = verify_audit(options.folders);
  for (const auto& finding : report->findings) UNSCOPED_INFO(finding);
  CHECK(report->findings.empty());
  CHECK(report->removed > 10);
  CHECK_FALSE(make_inclusion_proof(options.folders, 0, std::nullopt));
  CHECK(make_inclusion_proof(options.folders, report->entries - 1, std::nullopt));
  // What was proven before the detail went still holds, and the tree only grew.
  CHECK(check_proof(*parse_proof(first_proof), std::span(&signer.verifier(), 1)));
  CHECK(check_proof(*make_consistency_proof(options.folders, 2, std::nullopt),
                    std::span(&signer.verifier(), 1)));
  {
    AuditLog again = opened(options);
    CHECK(again.repairs().empty());
    append(again, {fact("start", "-", std::chrono::hours(50))});
    // The node's segment with the older words on retention goes too; the newest repeats them.
    REQUIRE(again.apply_retention(noon + std::chrono::hours(41), noon + std::chrono::hours(60)));
  }
  CHECK(is_whole(folder.path()));
  CHECK(opened(options).repairs().empty());
  // Without the segment's entry having said so, a missing segment is a finding.
  const auto left = list_logs(options.folders);
  for (const auto& [log, files] : left) {
    for (const LogFile& file : files) {
      if (!file.first) continue;
      const std::string text = read_small(file.path);
      std::filesystem::remove(file.path);
      CHECK_FALSE(is_whole(folder.path()));
      write(file.path, text);
    }
  }
}

TEST_CASE("trail: a crash between the entry and the removal is finished at the next start",
          "[zones][audit][trail]") {
  const TempFolder folder;
  AuditOptions options = options_of(folder.path());
  options.rotate_bytes = 1;  // a segment an append
  AuditLog log = opened(options);
  for (int i = 0; i < 6; ++i) append(log, {fact("crossing-held", "EU", std::chrono::hours(i))});
  const auto before = list_logs(options.folders).at("jurisdiction-EU.jsonl");
  REQUIRE(before.size() > 2);
  const std::string text = read_small(before.front().path);
  REQUIRE(log.apply_retention(noon + std::chrono::hours(1), noon + std::chrono::hours(9)) == 1U);
  write(before.front().path, text);  // as if it had not gone
  CHECK(is_whole(folder.path()));
  const AuditLog again = opened(options);
  CHECK_FALSE(std::filesystem::exists(before.front().path));
  CHECK(is_whole(folder.path()));
}

TEST_CASE("trail: proofs hold, in both forms, and no changed one does", "[zones][audit][trail]") {
  const TempFolder folder;
  fill(options_of(folder.path()));
  const AuditFolders folders{folder.path(), {}};
  const std::span verifiers(&signer.verifier(), 1);
  std::mt19937 random(1);
  for (std::uint64_t sequence = 0; sequence < 6; ++sequence) {
    const auto proof = make_inclusion_proof(folders, sequence, std::nullopt);
    REQUIRE(proof);
    for (const std::string& text : {write_json(*proof), write_tlog_proof(*proof)}) {
      const auto read = parse_proof(text);
      REQUIRE(read);
      CHECK(check_proof(*read, verifiers));
      CHECK_FALSE(check_proof(*read, {}));
      for (int i = 0; i < 300; ++i) {
        std::string bad = text;
        char& byte = bad[random() % bad.size()];
        if (std::isspace(static_cast<unsigned char>(byte)) != 0) continue;
        byte = static_cast<char>(byte ^ 1);
        const auto changed = parse_proof(bad);
        if (changed && check_proof(*changed, verifiers)) FAIL(bad);
      }
    }
  }
  CHECK(check_proof(*make_consistency_proof(folders, 3, 5), verifiers));
  CHECK_FALSE(make_consistency_proof(folders, 4, 6));
  CHECK_FALSE(make_inclusion_proof(folders, 6, std::nullopt));
  CHECK_FALSE(make_inclusion_proof(folders, 0, 4));
}

TEST_CASE("trail: proofs and checkpoints hold for Node's crypto as well", "[zones][audit][trail]") {
  if (demarc::testing::run({"/bin/sh", "-c", "command -v node"}).exit != 0) {
    WARN("skipped: node is not installed");
    return;
  }
  const TempFolder folder;
  fill(options_of(folder.path()));
  for (std::uint64_t sequence = 0; sequence < 6; ++sequence) {
    const auto proof = make_inclusion_proof({folder.path(), {}}, sequence, std::nullopt);
    REQUIRE(proof);
    std::string text = write_tlog_proof(*proof);
    const auto checked = [&] {
      return demarc::testing::run({"/usr/bin/env", "node",
                                   DEMARC_SOURCE_DIR "/tests/support/check_proof.mjs",
                                   folder.write("proof", text), signer.verifier().text()})
          .exit;
    };
    CHECK(checked() == 0);
    const auto index = text.find("\nindex ") + 7;
    text[index] = text[index] == '5' ? '4' : '5';
    CHECK(checked() != 0);
  }
}
