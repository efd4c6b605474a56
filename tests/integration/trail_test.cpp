// A real demarcd whose trail lies on two disks, is full, and partly too old: `audit:` as a map.
#include <chrono>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/integration/server.h"
#include "zones/audit/log.h"
#include "zones/time_text.h"

using namespace demarc;
using namespace demarc::testing;

namespace {

namespace fs = std::filesystem;
using zones::AuditLog;

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

std::vector<std::string> files_of(const std::string& folder, const std::string& start) {
  std::vector<std::string> names;
  for (const auto& item : fs::directory_iterator(folder)) {
    const std::string name = item.path().filename().string();
    if (name.starts_with(start) && name.ends_with(".jsonl")) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

/// Entries of a server of long ago: `sets` of a mebibyte each for EU and for the node.
void fill(const zones::AuditFolders& folders, WallTime begin, int sets) {
  auto log = AuditLog::open({.folders = folders, .node = "test", .rotate_bytes = mib, .calls = {}});
  REQUIRE(log);
  constexpr std::size_t batches = 4;
  const std::string long_text(2000, 'x');
  const std::size_t in_batch = mib / batches / long_text.size();
  for (int set = 0; set < sets; ++set) {
    for (std::size_t batch = 0; batch < batches; ++batch) {
      std::vector<zones::AuditEntry> entries;
      for (std::size_t i = 0; i < in_batch; ++i) {
        for (const char* jurisdiction : {"EU", "-"}) {
          entries.push_back({.time = begin + std::chrono::minutes(set),
                             .kind = "weights-changed",
                             .jurisdiction = jurisdiction,
                             .facts = {{"service", "api.example.com"}, {"text", long_text}}});
        }
      }
      REQUIRE(log->append(entries));
    }
  }
}

struct Archived : Server {
  Archived() {
    fs::create_directory(path("eu-disk"));
    std::ofstream(path("demarcd.yaml"), std::ios::app) << "audit:\n"
                                                          "  folder: trail\n"
                                                          "  jurisdictions: { EU: eu-disk }\n"
                                                          "  origin: ns1.example.com/audit\n"
                                                          "  retention: 24h\n"
                                                          "  rotate-mib: 1\n"
                                                          "  checkpoint-interval: 1s\n";
  }
  [[nodiscard]] zones::AuditFolders folders() const {
    return {path("trail"), {{"EU", path("eu-disk")}}};
  }
  /// `demarc audit VERB` on the trail as its configuration tells of it.
  [[nodiscard]] Finished audit(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "audit");
    arguments.insert(arguments.end(), {"--config", path("demarcd.yaml")});
    return run_demarc(std::move(arguments));
  }
  [[nodiscard]] bool is_whole() const {
    const Finished verified = audit({"verify"});
    UNSCOPED_INFO(verified.out << verified.err);
    return verified.exit == 0;
  }
  [[nodiscard]] bool has_kind(const std::string& kind) const {
    return audit({"show", "--kind", kind}).out.find(kind) != std::string::npos;
  }
};

}  // namespace

TEST_CASE("trail: two disks, full logs and old details in a running server",
          "[integration][audit]") {
  Archived server;
  const WallTime now = std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
  fill(server.folders(), now - std::chrono::hours(48), 3);
  const auto before = files_of(server.path("eu-disk"), "jurisdiction-EU");
  REQUIRE(before.size() == 3);
  REQUIRE(fs::file_size(server.path("eu-disk/jurisdiction-EU.jsonl")) >= mib);
  server.start();

  // Each full log begins a new segment, and what is older than a day goes, told first.
  REQUIRE(wait_for([&] { return server.has_kind("retention-applied"); }));
  REQUIRE(wait_for([&] {
    return files_of(server.path("eu-disk"), "jurisdiction-EU") ==
           std::vector<std::string>{"jurisdiction-EU.jsonl"};
  }));
  CHECK(files_of(server.path("trail"), "jurisdiction-EU").empty());
  CHECK(fs::file_size(server.path("eu-disk/jurisdiction-EU.jsonl")) < mib);
  CHECK(server.is_whole());

  // A crossing is made, and its entries are on the jurisdiction's own disk alone.
  REQUIRE(server.approve(server.token({.id = "jti-1"})).exit == 0);
  server.eu.status(503);
  REQUIRE(wait_for([&] { return server.answers("api.example.com", Server::api_abroad); }));
  CHECK(read_file(server.path("eu-disk/jurisdiction-EU.jsonl")).find("crossing-made") !=
        std::string::npos);
  CHECK(read_file(server.path("trail/node.jsonl")).find("api.example.com") == std::string::npos);

  // The checkpoints bear the name that was given, and come without a decision too.
  REQUIRE(wait_for([&] { return server.is_whole(); }));
  CHECK(server.audit({"checkpoints"}).out.find("ns1.example.com/audit") != std::string::npos);

  // Killed in the middle of it, everything fits together, and goes on.
  server.kill_hard();
  CHECK(server.is_whole());
  server.start();
  CHECK(server.answers("api.example.com", Server::api_abroad));
  server.stop();
  CHECK(server.is_whole());

  const auto history = [&](WallTime from) {
    return server.audit({"history", "--name", "api.example.com", "--from", zones::to_rfc3339(from),
                         "--to", "2099-01-01T00:00:00Z"});
  };
  const Finished recent = history(now);
  CHECK(recent.exit == 1);
  CHECK(recent.out.find("outside home: under grant") != std::string::npos);
  const Finished all = history(now - std::chrono::hours(72));
  CHECK(all.out.find("details were removed by retention") != std::string::npos);
}

TEST_CASE("trail: mistakes in `audit` are found where they stand", "[integration][audit]") {
  const auto [name, from, to, expected] =
      GENERATE(table<const char*, const char*, const char*, const char*>(
          {{"origin", "origin: ns1.example.com/audit", "origin: \"ns1 audit\"",
            "demarcd.yaml:11:11: [bad-origin] "},
           {"retention", "retention: 24h", "retention: 1h", "demarcd.yaml:12:14: [bad-duration] "},
           {"size", "rotate-mib: 1\n", "rotate-mib: 0\n", "demarcd.yaml:13:15: [bad-integer] "},
           {"interval", "interval: 1s", "interval: 2d", "demarcd.yaml:14:24: [bad-duration] "},
           {"key", "retention: 24h", "retentoin: 24h", "demarcd.yaml:12:3: [unknown-key] "}}));
  CAPTURE(name);
  Archived server;
  edit(server.path("demarcd.yaml"), from, to);
  const Finished ended =
      run({DEMARC_BINARY_DIR "/tools/demarcd", "--config", server.path("demarcd.yaml")});
  INFO(ended.err);
  CHECK(ended.exit == 2);
  CHECK(ended.err.find(expected) != std::string::npos);
  CHECK_FALSE(fs::exists(server.path("trail")));
}
