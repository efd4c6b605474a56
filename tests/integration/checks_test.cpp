// Health checks that look at what an endpoint says: a real one, asked by a real demarcd.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/integration/server.h"
#include "tests/support/wait_for.h"

using namespace demarc::testing;

namespace {

std::string detail_of(const Server& server, const std::string& check) {
  const nlohmann::json status = server.status();
  for (const auto& state : status["checks"]) {
    if (state["check"].get<std::string>().ends_with(check)) return state["detail"];
  }
  return "no such check";
}

}  // namespace

TEST_CASE("checks: an endpoint that says it is not well is left, and why is told",
          "[integration][health]") {
  Server server;
  const std::string endpoint = "endpoint: http://shop.eu.example.net/health";
  edit(server.path("repository/zones/example.com.yaml"), endpoint,
       endpoint + "\n        expect-json: { /status: ok }");
  server.eu.answer_with(R"({"status": "ok"})");
  server.start();
  REQUIRE(server.answers("shop.example.com", Server::shop_home));

  server.eu.answer_with(R"({"status": "read-only"})");
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  CHECK(server.answers("api.example.com", Server::api_home));  // its check asks for a status alone
  const std::string why = "HTTP 200, but JSON /status is `read-only`, expected `ok`";
  CHECK(detail_of(server, "shop.eu.example.net/health") == why);
  CHECK(server.ask({"explain", "shop.example.com"}).out.find(why) != std::string::npos);
  CHECK(detail_of(server, "api.eu.example.sov/health") == "HTTP 200");

  server.eu.answer_with(R"({"status": "ok"})");
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_home); }));
}
