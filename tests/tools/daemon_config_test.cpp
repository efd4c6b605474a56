#include "tools/daemon_config.h"

#include <filesystem>

#include <catch2/catch.hpp>

#include "tests/support/temp_folder.h"

using namespace demarc;
using namespace demarc::tools;
using demarc::testing::TempFolder;

TEST_CASE("configuration: what the server writes lies outside the repository", "[tools][config]") {
  const auto [name, text, line, column, named] =
      GENERATE(table<const char*, const char*, unsigned, unsigned, const char*>(
          {{"the folder itself", "repository: .\n", 1, 13, "state"},
           {"by dots", "state: repository/../repository/state\nrepository: repository/.\n", 2, 13,
            "state"},
           {"the trail", "repository: repository\naudit: repository/audit\n", 1, 13, "audit"},
           {"a jurisdiction's trail",
            "repository: repository\naudit: { folder: a, jurisdictions: { EU: repository/eu } }\n",
            1, 13, "audit of EU"},
           {"the socket", "repository: repository\ncontrol: repository/c.sock\n", 1, 13, "control"},
           {"the drop folder", "repository: repository\ntoken-drop: repository\n", 1, 13,
            "token-drop"},
           {"a link", "repository: link\nstate: repository/state\n", 1, 13, "state"},
           {"the other way round", "repository: state/repository\n", 1, 13, "state"}}));
  CAPTURE(name);
  const TempFolder folder;
  std::filesystem::create_directories(folder.path() + "/repository");
  std::filesystem::create_directory_symlink("repository", folder.path() + "/link");
  Diagnostics found;
  CHECK_FALSE(read_daemon_config(folder.write("demarcd.yaml", text), found));
  REQUIRE_FALSE(found.list().empty());
  const Diagnostic& first = found.list().front();
  CHECK(first.rule == "nested-folders");
  CHECK(first.place.line == line);
  CHECK(first.place.column == column);
  CHECK(first.text.find(std::string(" and ") + named + " ") != std::string::npos);
}

TEST_CASE("configuration: folders beside one another are fine, whatever they begin with",
          "[tools][config]") {
  const TempFolder folder;
  Diagnostics found;
  const auto config = read_daemon_config(
      folder.write("demarcd.yaml", "repository: repo\nstate: repo-state\naudit: repo.audit\n"),
      found);
  REQUIRE(config);
  CHECK(found.list().empty());
  CHECK(config->state == folder.path() + "/repo-state");
}

TEST_CASE("configuration: threads, and whether datagrams stay on their CPU", "[tools][config]") {
  const TempFolder folder;
  Diagnostics found;
  const std::string path =
      folder.write("demarcd.yaml", "repository: repo\nthreads: 4\ncpu-steering: true\n");
  const auto config = read_daemon_config(path, found);
  REQUIRE(config);
  CHECK(config->threads == 4);
  CHECK(config->steers_by_cpu);
  const auto plain = read_daemon_config(folder.write("plain.yaml", "repository: repo\n"), found);
  REQUIRE(plain);
  CHECK_FALSE(plain->steers_by_cpu);
}

TEST_CASE("configuration: how many TCP connections there may be", "[tools][config]") {
  const TempFolder folder;
  Diagnostics found;
  const auto config = read_daemon_config(
      folder.write("demarcd.yaml",
                   "repository: repo\ntcp: { connections: 50000, per-client: 200, idle: 30s }\n"),
      found);
  REQUIRE(config);
  CHECK(config->tcp.connections == 50'000);
  CHECK(config->tcp.connections_per_client == 200);
  CHECK(config->tcp.idle == std::chrono::seconds(30));
  const auto identity = build_identity(config->identity, "node");
  REQUIRE(identity);
  CHECK((*identity)->keepalive == 300);
}

TEST_CASE("configuration: limits that no server could have are errors", "[tools][config]") {
  const auto [text, column] = GENERATE(table<const char*, unsigned>(
      {{"tcp: { connections: 0 }", 21}, {"tcp: { idle: 2h }", 14}, {"tcp: { clients: 5 }", 8}}));
  const TempFolder folder;
  Diagnostics found;
  CHECK_FALSE(read_daemon_config(
      folder.write("demarcd.yaml", std::string("repository: repo\n") + text + "\n"), found));
  REQUIRE(found.list().size() == 1);
  CHECK(found.list().front().place.line == 2);
  CHECK(found.list().front().place.column == column);
}
