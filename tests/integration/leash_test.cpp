// The leash before a real demarcd: orders by pattern, a mass failure, the way home by a word.
#include <catch2/catch.hpp>

#include "tests/integration/server.h"

using namespace demarc;
using namespace demarc::testing;

TEST_CASE("leash: everything failing at once moves nothing until a person says it is real",
          "[integration][leash]") {
  Server server;
  server.start();
  server.eu.status(503);
  server.abroad.status(503);
  REQUIRE(wait_for([&] { return server.has_alert("mass-failure"); }));
  CHECK(server.answers("shop.example.com", Server::shop_home));
  CHECK(server.answers("api.example.com", Server::api_home));
  CHECK(server.ask({"pending"}).exit == 0);
  CHECK(server.ask({"status"}).out.find("MASS FAILURE: ") != std::string::npos);
  server.kill_hard();
  server.start();
  REQUIRE(wait_for([&] { return server.has_alert("mass-failure"); }));

  REQUIRE(server.ask({"unfreeze", "--reason", "both data centres are dark"}).exit == 0);
  CHECK_FALSE(server.has_alert("mass-failure"));
  CHECK(server.entries("mass-failure-overruled").size() == 1);
  server.abroad.ok();  // until then nobody could take over
  REQUIRE(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  REQUIRE(wait_for([&] { return server.ask({"pending"}).exit == 1; }));
  CHECK(server.answers("api.example.com", Server::api_home));
}

TEST_CASE("leash: orders name patterns, and force what health does not say",
          "[integration][leash]") {
  Server server;
  server.start();
  REQUIRE(server.ask({"drain", "shop.e?.*", "--for", "1h", "--reason", "patching"}).exit == 0);
  CHECK(server.answers("shop.example.com", Server::shop_abroad));
  REQUIRE(server.ask({"undrain", "shop.e?.*"}).exit == 0);
  CHECK(server.answers("shop.example.com", Server::shop_home));
  CHECK(server.ask({"force", "sideways", "eu", "--for", "1h", "--reason", "x"}).exit == 1);
  REQUIRE(server.ask({"force", "down", "*.eu.*", "--for", "1h", "--reason", "it lies"}).exit == 0);
  CHECK(server.answers("shop.example.com", Server::shop_abroad));
  CHECK(server.answers("api.example.com", Server::api_home));
  CHECK(server.ask({"pending"}).exit == 1);
  REQUIRE(server.approve(server.token()).exit == 0);
  REQUIRE(wait_for([&] { return server.answers("api.example.com", Server::api_abroad); }));
  REQUIRE(server.ask({"undrain", "*.eu.*"}).exit == 0);
  CHECK(server.answers("api.example.com", Server::api_home));
}

TEST_CASE("leash: with failback manual home waits for a word", "[integration][leash]") {
  Server server;
  edit(server.path("repository/zones/example.com.yaml"), "    on-block: hold\n",
       "    on-block: hold\n    leash: { failback: manual }\n");
  server.start();
  server.eu.status(503);
  REQUIRE(wait_for([&] { return server.ask({"pending"}).exit == 1; }));
  REQUIRE(server.approve(server.token()).exit == 0);
  REQUIRE(wait_for([&] { return server.answers("api.example.com", Server::api_abroad); }));
  server.eu.ok();
  REQUIRE(wait_for([&] { return server.has_alert("leash/api.example.com"); }));
  CHECK(server.answers("api.example.com", Server::api_abroad));
  CHECK(server.ask({"explain", "api.example.com", "--country", "DE"})
            .out.find("leash: api.eu.example.sov by failback: manual") != std::string::npos);
  CHECK(server.ask({"failback", "shop.example.com", "--reason", "x"}).exit == 1);
  REQUIRE(server.ask({"failback", "api.example.com", "--reason", "data is home"}).exit == 0);
  CHECK(server.answers("api.example.com", Server::api_home));
  CHECK_FALSE(server.has_alert("leash/"));
}
