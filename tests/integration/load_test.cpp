// demarc_load against a real demarcd: what it asks is answered, and it says what that costs.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/integration/server.h"

using namespace demarc::testing;
using nlohmann::json;

namespace {

Finished run_load(const Server& server, std::vector<std::string> arguments) {
  std::vector<std::string> all = {
      DEMARC_BINARY_DIR "/tools/demarc_load",
      fmt::format("demarcd=127.0.0.1:{}/{}", server.port(), server.pid()),
      "--seconds",
      "0.2",
      "--rounds",
      "2",
      "--json"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run(std::move(all));
}

json report_of(const Finished& done) {
  INFO(done.err);
  REQUIRE(done.exit == 0);
  return json::parse(done.out);
}

}  // namespace

TEST_CASE("load: a server is measured, beside the floor and under a flood", "[load]") {
  Server server;
  edit(server.path("demarcd.yaml"), "debug-verbs: true\n",
       "debug-verbs: true\nrate-limit: { per-second: 5, slip: 0, exempt: [127.0.0.0/9] }\n");
  server.start();

  const json report = report_of(
      run_load(server, {"--name", "www.example.com", "--ecs", "100", "--window", "8", "--floor"}));
  REQUIRE(report.size() == 2);
  CHECK(report[0]["server"] == "floor");
  const json& load = report[1]["load"];
  CHECK(report[1]["server"] == "demarcd");
  CHECK(load["answered-per-second"]["min"] > 0);
  CHECK(load["lost-share"]["max"] == 0);
  CHECK(load["rcodes"].size() == 1);
  CHECK(load["rcodes"]["0"] > 0);
  CHECK(report[1]["cpu-us"]["median"] > 0);
  CHECK(report[1]["ratio"] > 0);

  // The flood's one network is limited; the load's, which is exempt, is not.
  const json flooded =
      report_of(run_load(server, {"--name", "www.example.com", "--sources", "50", "--rate", "500",
                                  "--flood", "2000", "--flood-name", "example.com"}));
  CHECK(flooded[0]["load"]["lost-share"]["max"] == 0);
  CHECK(flooded[0]["load"]["rcodes"].size() == 1);
  CHECK(flooded[0]["flood"]["lost-share"]["min"] > 0.5);
}

TEST_CASE("load: mistakes on its command line are named", "[load]") {
  const auto [name, arguments, said] =
      GENERATE(table<const char*, std::vector<std::string>, const char*>(
          {{"no server", {"--name", "a.example"}, "which server?"},
           {"no port", {"127.0.0.1", "--name", "a.example"}, "`127.0.0.1`: expected ADDRESS:PORT"},
           {"no such process", {"127.0.0.1:1/0", "--name", "a.example"}, "no process 0"},
           {"nothing to ask", {"127.0.0.1:1"}, "what to ask for?"},
           {"a bad name", {"127.0.0.1:1", "--name", "a..b"}, "`a..b` is no domain name"},
           {"a bad type", {"127.0.0.1:1", "--name", "a", "--type", "AX"}, "`AX` is no type"}}));
  CAPTURE(name);
  std::vector<std::string> all = {DEMARC_BINARY_DIR "/tools/demarc_load"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const Finished done = run(std::move(all));
  CHECK(done.exit == 2);
  CHECK(done.out.empty());
  CHECK(done.err.find(said) != std::string::npos);
}
