#include "zones/audit/log.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <catch2/catch.hpp>

#include "tests/support/temp_folder.h"
#include "zones/audit/verify.h"
#include "zones/jws.h"
#include "zones/time_text.h"

using namespace demarc;
using namespace demarc::zones;
using demarc::testing::TempFolder;

namespace {

const WallTime noon = *parse_rfc3339("2026-11-23T12:00:00Z");

AuditEntry fact(std::string kind, std::string jurisdiction = "EU") {
  return {.time = noon,
          .kind = std::move(kind),
          .jurisdiction = std::move(jurisdiction),
          .facts = {{"who", "anna"}, {"why", "eu is \"down\"\n\xff"}}};
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
void write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

void append(AuditLog& log, std::vector<AuditEntry> entries) {
  REQUIRE(log.append(entries).has_value());
}

/// Five entries in three files.
void fill(const std::string& folder, std::optional<NoteSigner> signer = std::nullopt) {
  auto log = AuditLog::open({.folders = {folder, {}}, .node = "ns1", .signer = std::move(signer)});
  REQUIRE(log.has_value());
  append(*log, {fact("start", "-")});
  append(*log, {fact("failover-wanted"), fact("crossing-held")});
  append(*log, {fact("weights-changed", "US")});
  append(*log, {fact("grant-accepted")});
}

}  // namespace

TEST_CASE("tree: roots as RFC 9162 section 2.1 defines them", "[zones][audit]") {
  MerkleTree tree;
  CHECK(to_hex(tree.root()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  std::vector<Sha256> leaves;
  // The definition itself: split at the largest power of two below n.
  const std::function<Sha256(std::size_t, std::size_t)> root = [&](std::size_t from,
                                                                   std::size_t count) {
    if (count == 1) return leaves[from];
    std::size_t left = 1;
    while (left * 2 < count) left *= 2;
    return node_hash(root(from, left), root(from + left, count - left));
  };
  for (std::size_t n = 1; n <= 40; ++n) {
    leaves.push_back(leaf_hash("entry " + std::to_string(n)));
    tree.add(leaves.back());
    CHECK(tree.root() == root(0, n));
    CHECK(tree.size() == n);
  }
}

TEST_CASE("audit: what was appended verifies, and goes on after a restart", "[zones][audit]") {
  const TempFolder folder;
  fill(folder.path());
  {
    auto again = AuditLog::open(folder.path(), "ns1");
    REQUIRE(again.has_value());
    CHECK(again->size() == 5);
    CHECK(again->repairs().empty());
    append(*again, {fact("crossing-made")});
  }
  const auto report = verify_audit(folder.path());
  REQUIRE(report.has_value());
  CHECK(report->findings.empty());
  CHECK(report->entries == 6);
  std::vector<std::string> kinds;
  REQUIRE(visit_audit(folder.path(), [&](const ParsedEntry& e) { kinds.push_back(e.entry.kind); }));
  CHECK(kinds == std::vector<std::string>{"start", "failover-wanted", "crossing-held",
                                          "weights-changed", "grant-accepted", "crossing-made"});
}

TEST_CASE("audit: any one byte changed in any file is found", "[zones][audit]") {
  const TempFolder folder;
  fill(folder.path());
  for (const char* name :
       {"index.jsonl", "node.jsonl", "jurisdiction-EU.jsonl", "jurisdiction-US.jsonl"}) {
    const std::string path = folder.path() + "/" + name;
    const std::string good = read(path);
    REQUIRE_FALSE(good.empty());
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ 1);
      write(path, bad);
      const auto report = verify_audit(folder.path());
      REQUIRE(report.has_value());
      if (report->findings.empty()) FAIL(name << " byte " << i << " was not found");
    }
    write(path, good);
  }
  CHECK(verify_audit(folder.path())->findings.empty());
}

TEST_CASE("audit: removed, doubled, swapped and cut lines are found", "[zones][audit]") {
  const TempFolder folder;
  fill(folder.path());
  const std::string path = folder.path() + "/jurisdiction-EU.jsonl";
  const std::string good = read(path);
  const auto first_end = good.find('\n') + 1;
  const auto second_end = good.find('\n', first_end) + 1;
  const std::string first = good.substr(0, first_end);
  const std::string second = good.substr(first_end, second_end - first_end);
  const std::string rest = good.substr(second_end);
  for (const std::string& bad : {second + rest, first + first + second + rest,
                                 second + first + rest, first + second, std::string{}}) {
    write(path, bad);
    CHECK_FALSE(verify_audit(folder.path())->findings.empty());
  }
  std::filesystem::remove(path);
  CHECK_FALSE(verify_audit(folder.path())->findings.empty());
}

TEST_CASE("audit: a torn append is repaired at open, and nothing whole is lost", "[zones][audit]") {
  const TempFolder whole;
  fill(whole.path());
  // The last append wrote one line to the log, then one to the index: cut at every byte of both.
  for (const char* torn : {"jurisdiction-EU.jsonl", "index.jsonl"}) {
    const std::string content = read(whole.path() + "/" + torn);
    const auto last_line = content.rfind('\n', content.size() - 2) + 1;
    for (std::size_t cut = last_line; cut < content.size(); ++cut) {
      const TempFolder folder;
      std::filesystem::copy(whole.path(), folder.path(), std::filesystem::copy_options::recursive);
      write(folder.path() + "/" + torn, content.substr(0, cut));
      if (torn != std::string("index.jsonl")) {
        const std::string index = read(folder.path() + "/index.jsonl");
        write(folder.path() + "/index.jsonl",
              index.substr(0, index.rfind('\n', index.size() - 2) + 1));
      }
      auto log = AuditLog::open(folder.path(), "ns1");
      REQUIRE(log.has_value());
      // A torn index line is written again from its log; a torn entry never counted.
      const bool index_torn = torn == std::string("index.jsonl");
      CHECK(log->size() == (index_torn ? 5 : 4));
      CHECK(log->repairs().empty() == (!index_torn && cut == last_line));
      append(*log, {fact("log-repaired", "-")});
      CHECK(verify_audit(folder.path())->findings.empty());
    }
  }
}

TEST_CASE("audit: each failing write or sync leaves the trail as it was", "[zones][audit]") {
  for (int fail_at = 0; fail_at < 12; ++fail_at) {
    CAPTURE(fail_at);
    const TempFolder folder;
    int calls = 0;
    bool broken = true;
    const auto due = [&] { return broken && calls++ == fail_at; };
    const DiskCalls real;
    DiskCalls failing{[&](int file, const void* bytes, std::size_t size) -> ssize_t {
                        if (due()) {
                          // A disk that fills up takes the first half.
                          if (calls % 2 == 0) (void)real.write(file, bytes, size / 2);
                          errno = ENOSPC;
                          return -1;
                        }
                        return real.write(file, bytes, size);
                      },
                      [&](int file) {
                        if (due()) {
                          errno = EIO;
                          return -1;
                        }
                        return real.sync(file);
                      }};
    auto log = AuditLog::open(folder.path(), "ns1", failing);
    REQUIRE(log.has_value());
    std::size_t failures = 0;
    std::uint64_t expected = 0;
    for (int i = 0; i < 3; ++i) {
      const std::vector<AuditEntry> entries{fact("one"), fact("two", "US")};
      if (log->append(entries)) {
        expected += 2;
      } else {
        ++failures;
      }
      CHECK(log->size() == expected);
      CHECK(verify_audit(folder.path())->findings.empty());
    }
    CHECK(failures == 1);
    broken = false;
    append(*log, {fact("three")});
    const auto report = verify_audit(folder.path());
    CHECK(report->findings.empty());
    CHECK(report->entries == expected + 1);
  }
}

TEST_CASE("audit: the index holds its allow-list and nothing else", "[zones][audit]") {
  const TempFolder folder;
  fill(folder.path());
  const std::string index = read(folder.path() + "/index.jsonl");
  CHECK(index.find("anna") == std::string::npos);
  CHECK(index.find("who") == std::string::npos);
  CHECK(index.find("down") == std::string::npos);
}

TEST_CASE("audit: a log that no crash explains does not open", "[zones][audit]") {
  const TempFolder folder;
  fill(folder.path());
  std::filesystem::remove(folder.path() + "/jurisdiction-US.jsonl");
  CHECK_FALSE(AuditLog::open(folder.path(), "ns1").has_value());
}

TEST_CASE("audit: an index that was cut or taken away is no crash, and nothing is erased",
          "[zones][audit]") {
  const TempFolder folder;
  fill(folder.path(),
       *NoteSigner::make("ns1/audit", make_key_pair(KeyAlgorithm::EdDSA)->private_key_pem));
  const std::string index = folder.path() + "/index.jsonl";
  const std::string eu = read(folder.path() + "/jurisdiction-EU.jsonl");
  // Cut to three lines: the entries beyond continue the tree, so they are all named again.
  const std::string good = read(index);
  std::size_t at = 0;
  for (int i = 0; i < 3; ++i) at = good.find('\n', at) + 1;
  write(index, good.substr(0, at));
  {
    auto log = AuditLog::open(folder.path(), "ns1");
    REQUIRE(log.has_value());
    CHECK(log->size() == 5);
    CHECK(log->repairs().size() == 1);
  }
  CHECK(read(index) == good);
  CHECK(read(folder.path() + "/jurisdiction-EU.jsonl") == eu);
  // An entry in the middle of what was acknowledged is gone, as the checkpoint tells.
  write(index, good.substr(0, at));
  std::filesystem::remove(folder.path() + "/jurisdiction-US.jsonl");
  CHECK_FALSE(AuditLog::open(folder.path(), "ns1").has_value());
  CHECK(read(folder.path() + "/jurisdiction-EU.jsonl") == eu);
}

TEST_CASE("audit: an index line is read or refused alike with and without escapes", "[audit]") {
  Sha256 hash{};
  hash[0] = 0xab;
  const auto [name, kind] =
      GENERATE(table<const char*, const char*>({{"plain", "weights-changed"},
                                                {"escaped", "weights\"changed"},
                                                {"not ASCII", "gew\u00e4hlt"}}));
  CAPTURE(name);
  const std::string line = render_index_line({WallTime{}, kind, "EU", {}}, 17, hash);
  const auto read = parse_index_line(line);
  REQUIRE(read);
  CHECK(read->sequence == 17);
  CHECK(read->kind == kind);
  CHECK(read->jurisdiction == "EU");
  CHECK(read->hash == hash);
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string other = line;
    return other.replace(other.find(from), from.size(), to);
  };
  CHECK_FALSE(parse_index_line(changed("\"ab", "\"AB")));
  CHECK_FALSE(parse_index_line(changed(":17", ":017")));
  CHECK_FALSE(parse_index_line(changed(":17", ":-17")));
  CHECK_FALSE(parse_index_line(changed("\"ab", "\"b")));
  CHECK_FALSE(parse_index_line(line + " "));
}
