// `demarc status --history` before a real demarcd: what failed is remembered over a kill.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/integration/server.h"

using namespace demarc;
using namespace demarc::testing;

TEST_CASE("history: what failed is told with its evidence, after a kill as well",
          "[integration][history]") {
  Server server;
  server.start();
  server.eu.status(503);
  REQUIRE(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  const auto told = [&](const std::string& from_to) {
    return wait_for([&] {
      const auto said = server.ask({"status", "--history", "--check", "shop"});
      return said.exit == 0 && said.out.find(from_to) != std::string::npos;
    });
  };
  REQUIRE(told(" up -> down: HTTP 503"));
  server.kill_hard();
  server.eu.ok();
  server.start();
  REQUIRE(told("the server stopped"));
  CHECK(told(" up -> down: HTTP 503"));
  // Since then: whether it was believed to be down still or began unknown, it is up now.
  const auto is_up_again = [&] {
    const auto said = server.ask({"--json", "status", "--history", "--check", "eu"});
    const auto report = nlohmann::json::parse(said.out);
    for (const auto& change : report.at("changes")) {
      if (change.at("check") == "") return false;
      if (change.at("to") == "up" && change.at("detail") == "HTTP 200") return true;
    }
    return false;
  };
  REQUIRE(wait_for(is_up_again));

  const auto said = server.ask({"--json", "status", "--history", "--since", "1h"});
  REQUIRE(said.exit == 0);
  const auto report = nlohmann::json::parse(said.out);
  CHECK(report.at("checks").size() > 2);
  for (const auto& check : report.at("checks")) CHECK(check.at("known-ms") > 0);
  CHECK(server.ask({"status", "--check", "shop"}).exit != 0);  // means nothing without --history
  CHECK(server.ask({"status", "--history", "--since", "soon"}).exit != 0);
}

TEST_CASE("history: switched off there is none, and it says how to have one",
          "[integration][history]") {
  Server server;
  edit(server.path("demarcd.yaml"), "repository:", "history: off\nrepository:");
  server.start();
  const auto said = server.ask({"status", "--history"});
  CHECK(said.exit == 1);
  CHECK(said.err.find("history: 92d") != std::string::npos);
}
