// `demarc reload` says what came of it, and `--json` says what failed as JSON.
#include <fstream>
#include <thread>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/integration/server.h"

using namespace demarc::testing;
using nlohmann::json;

namespace {

const std::string zone_file = "repository/zones/example.com.yaml";

/// 50,000 names, of which serial and addresses differ each time.
void write_large_zone(const std::string& path, int serial) {
  std::ofstream file(path, std::ios::binary);
  file << "@ SOA ns1 hostmaster " << serial << " 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\n";
  for (int name = 0; name < 50'000; ++name) {
    file << "h" << name << " A 198.51.100." << serial % 250 << "\n";
  }
}

/// Resident memory of a process, KiB.
std::size_t resident(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:"))
      return std::stoul(line.substr(line.find_first_of("0123456789")));
  }
  return 0;
}

}  // namespace

TEST_CASE("reload: it ends with what is served, or with what is wrong and where", "[reload]") {
  Server server;
  server.start();
  const Finished taken = server.ask({"reload"});
  CAPTURE(taken.err);
  CHECK(taken.exit == 0);
  CHECK(taken.out.find("taken: generation ") != std::string::npos);
  CHECK(taken.out.find("example.com serial ") != std::string::npos);

  const json outcome = json::parse(server.ask({"--json", "reload"}).out);
  CHECK(outcome["taken"] == true);
  CHECK(outcome["generation"] == server.status()["generation"]);
  CHECK(outcome["errors"].empty());

  // The answer is there when the verb ends, whoever else noticed the edit.
  edit(server.path(zone_file), "mail: { A: 192.0.2.25 }", "mail: { A: 192.0.2.29 }");
  REQUIRE(server.ask({"reload"}).exit == 0);
  CHECK(server.answers("mail.example.com", "192.0.2.29"));

  edit(server.path(zone_file), "residency: hard", "residncy: hard");
  const Finished refused = server.ask({"reload"});
  CHECK(refused.exit == 1);
  CHECK(refused.out.empty());
  CHECK(refused.err.find("zones/example.com.yaml:") != std::string::npos);
  CHECK(refused.err.find("did you mean `residency`?") != std::string::npos);
  CHECK(refused.err.find("goes on serving") != std::string::npos);
  CHECK(server.answers("mail.example.com", "192.0.2.29"));

  const Finished as_json = server.ask({"--json", "reload"});
  CHECK(as_json.exit == 1);
  CHECK(as_json.err.empty());
  const json failure = json::parse(as_json.out);
  CHECK(failure["ok"] == false);
  CHECK(failure["error"].get<std::string>().starts_with("refused: "));
  CHECK(failure["findings"].at(0).get<std::string>().find("did you mean") != std::string::npos);

  CHECK(server.ask({"reload", "--wait", "0s"}).out == "reload begun\n");
  CHECK(server.ask({"reload", "--wait", "soon"}).exit == 2);
}

TEST_CASE("reload: of several at once each hears of its own", "[reload]") {
  Server server;
  server.start();
  constexpr std::size_t count = 6;
  std::vector<Finished> finished(count);
  {
    std::vector<std::jthread> all;
    for (Finished& one : finished) {
      all.emplace_back([&] { one = server.ask({"--json", "reload"}); });
    }
  }
  for (const Finished& one : finished) {
    CAPTURE(one.err);
    REQUIRE(one.exit == 0);
    CHECK(json::parse(one.out)["taken"] == true);
  }
}

TEST_CASE("json: a failure is one object on standard output", "[reload][json]") {
  const auto [name, arguments, exit, said] =
      GENERATE(table<const char*, std::vector<std::string>, int, const char*>({
          {"no such verb", {"--json", "stauts"}, 2, "subcommand"},
          {"a flag too many", {"status", "--json", "--fast"}, 2, "--fast"},
          {"nobody listens", {"--json", "--socket", "/nonexistent/sock", "status"}, 1, "connect"},
          {"no configuration", {"--json", "--config", "/nonexistent.yaml", "status"}, 2, "socket"},
          {"no such database",
           {"--json", "geo", "lookup", "192.0.2.1", "--geoip", "/none"},
           1,
           "/none"},
          {"a token that is none", {"--json", "token", "inspect", "/dev/null"}, 1, ""},
          {"no such trail", {"--json", "audit", "verify", "/nonexistent"}, 1, "/nonexistent"},
          {"no such repository",
           {"--json", "tenant", "list", "--repository", "/nonexistent"},
           1,
           "/nonexistent"},
      }));
  CAPTURE(name);
  const Finished done = run_demarc(arguments);
  CAPTURE(done.out, done.err);
  CHECK(done.exit == exit);
  CHECK(done.err.empty());
  const json failure = json::parse(done.out);
  CHECK(failure["ok"] == false);
  CHECK(failure["error"].get<std::string>().find(said) != std::string::npos);
  CHECK(failure["findings"].is_array());
}

TEST_CASE("reload: a large zone's memory is given back", "[reload]") {
  Server server;
  const std::string records = server.path("repository/large.zone");
  std::ofstream(server.path("repository/zones/large.yaml"), std::ios::binary)
      << "zone: large.example\ninclude: [large.zone]\n";
  write_large_zone(records, 1);
  server.start();
  std::size_t first = 0;
  for (int serial = 2; serial <= 8; ++serial) {
    write_large_zone(records, serial);
    REQUIRE(server.ask({"reload"}).exit == 0);
    REQUIRE(server.answers("h49999.large.example", "198.51.100." + std::to_string(serial)));
    if (serial == 3) first = resident(server.pid());
  }
  REQUIRE(first > 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(resident(server.pid()) < first + first / 4);  // sanitizers keep what is freed
#endif
}
