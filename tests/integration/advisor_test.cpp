// A crossing before a real demarcd that waits for a replica's lag and for an engine's word: signed,
// measured, advised, and seen by dig and in the trail.
#include <chrono>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/integration/server.h"

using namespace demarc;
using namespace demarc::testing;
using namespace std::chrono_literals;

namespace {

using nlohmann::json;

/// A server whose api wants a replica in time and an advisor's yes before it crosses.
struct Guarded : Server {
  Guarded() {
    lag_is(99);
    engine.answer_with(R"({"result":{"allow":true,"reason":"fine"},"decision_id":"d-1"})");
    edit(path("repository/zones/example.com.yaml"), "    on-block: hold\n",
         fmt::format("    activation:\n"
                     "      replication-lag:\n"
                     "        - {{ region: global-failover, url: \"http://127.0.0.1:{}/health\", "
                     "pointer: /replica/lag, max: 30, interval: 500ms, timeout: 400ms }}\n"
                     "    on-block: hold\n",
                     replica.port()));
    edit(path("repository/policy.yaml"), "approvals:\n",
         fmt::format("advisor: {{ url: \"http://127.0.0.1:{}/v1/data/demarc/crossing\", timeout: "
                     "3s }}\n\napprovals:\n",
                     engine.port()));
  }

  void lag_is(int value) {
    replica.answer_with(fmt::format(R"({{"replica":{{"lag":{}}}}})", value));
  }
  /// The names of the steps that a covered crossing still waits for.
  [[nodiscard]] std::vector<std::string> waits_for() const {
    std::vector<std::string> names;
    const auto pending = json::parse(ask({"--json", "pending"}).out);
    for (const auto& change : pending) {
      if (!change.contains("steps")) continue;
      for (const auto& step : change["steps"]) {
        if (!step["passed"].get<bool>()) names.push_back(step["name"]);
      }
    }
    return names;
  }
  [[nodiscard]] bool waits_for_only(const std::string& step) const {
    return waits_for() == std::vector<std::string>{step};
  }
  [[nodiscard]] std::vector<std::uint16_t> ede() const {
    return dig("127.0.0.1", port(), {"api.example.com", "A"}).ede;
  }
  void home_fails() {
    eu.status(503);
    REQUIRE(wait_for([&] { return answers("shop.example.com", shop_abroad); }));
  }
  void home_recovers() {
    eu.ok();
    REQUIRE(wait_for([&] { return answers("shop.example.com", shop_home); }));
    REQUIRE(wait_for([&] { return ask({"pending"}).exit == 0; }));
    REQUIRE(wait_for([&] { return answers("api.example.com", api_home); }));
  }

  HttpBackend replica;
  HttpBackend engine;
};

constexpr std::uint16_t ede_held = 49152, ede_exception = 49153;

}  // namespace

TEST_CASE("advisor: a signed crossing waits for the replica, then for the engine's word",
          "[integration][advisor]") {
  Guarded server;
  server.start();
  REQUIRE(wait_for([&] { return server.status()["lag"].size() == 1; }));
  const Finished approved = server.approve(server.token());
  INFO(approved.err);
  REQUIRE(approved.exit == 0);
  CHECK(server.engine.requests() == 0);  // nothing is to cross yet

  server.home_fails();
  REQUIRE(wait_for([&] { return server.waits_for_only("replication-lag"); }));
  CHECK(server.answers("api.example.com", Server::api_home));
  CHECK(server.ede() == std::vector<std::uint16_t>{ede_held});
  CHECK(server.has_alert("held/"));
  REQUIRE(server.engine.requests() == 1);
  const Received asked = server.engine.received().front();
  CHECK(asked.head.starts_with("POST /v1/data/demarc/crossing HTTP/1.1\r\n"));
  const json input = json::parse(asked.body).at("input");
  CHECK(input["service"] == "api.example.com");
  CHECK(input["zone"] == "example.com");
  CHECK(input["home"] == "EU");
  CHECK(input["from"] == json::array({"eu"}));
  CHECK(input["to"] == "global-failover");
  CHECK(input["to-jurisdiction"] == "US");
  CHECK(input["mode"] == "full-write");

  server.lag_is(3);
  REQUIRE(wait_for([&] { return server.answers("api.example.com", Server::api_abroad); }));
  CHECK(server.ede() == std::vector<std::uint16_t>{ede_exception});
  const auto made = server.entries("crossing-made");
  REQUIRE(made.size() == 1);
  const json& facts = made[0]["facts"];
  CHECK(input["grant"].get<std::string>() + " to global-failover" == facts["crossing"]);
  CHECK(facts["step-replication-lag"].get<std::string>().starts_with("passed: 3 measured at "));
  CHECK(facts["step-advisor"] == "passed: allows: fine (decision d-1)");
  CHECK(facts["step-legal-token"].get<std::string>().find("legal-officer (legal)") !=
        std::string::npos);
  const auto waited = server.entries("activation-waits");
  REQUIRE_FALSE(waited.empty());
  CHECK(waited.back()["facts"]["step-replication-lag"].get<std::string>().starts_with(
      "not passed: 99 measured at "));

  // Home comes back and fails again: another crossing, about which the engine says no.
  server.home_recovers();
  server.engine.answer_with(R"({"result":{"allow":false,"reason":"not on Sundays"}})");
  server.home_fails();
  REQUIRE(wait_for([&] { return server.entries("advice-given").size() == 2; }));
  REQUIRE(wait_for([&] { return server.waits_for_only("advisor"); }));
  CHECK(server.answers("api.example.com", Server::api_home));
  CHECK(server.ede() == std::vector<std::uint16_t>{ede_held});
  CHECK(server.entries("advice-given")[1]["facts"]["effect"] == "deny");
  CHECK(server.entries("crossing-made").size() == 1);

  // A restart forgets neither the word nor the grant.
  server.kill_hard();
  server.start();
  REQUIRE(wait_for([&] { return server.waits_for_only("advisor"); }));
  CHECK(server.answers("api.example.com", Server::api_home));
  CHECK(server.engine.requests() == 2);

  server.home_recovers();
  server.engine.answer_with(R"({"result":true})");
  server.home_fails();
  REQUIRE(wait_for([&] { return server.answers("api.example.com", Server::api_abroad); }));
  CHECK(server.engine.requests() == 3);
  CHECK(server.entries("crossing-made").size() == 2);
  server.home_recovers();
  CHECK(server.entries("crossing-ended").size() == 2);
  server.stop();
  CHECK(run_demarc({"audit", "verify", server.path("audit")}).exit == 0);
}

TEST_CASE("advisor: an engine that is gone, slow or unclear lets nothing cross",
          "[integration][advisor]") {
  Guarded server;
  server.lag_is(0);
  std::string detail;
  SECTION("gone") {
    server.engine.close();
    detail = "the advisor gave no answer: connection refused";
  }
  SECTION("slow") {
    edit(server.path("repository/policy.yaml"), "timeout: 3s", "timeout: 200ms");
    server.engine.hang();
    detail = "the advisor gave no answer: no answer within";
  }
  SECTION("undefined") {
    server.engine.answer_with("{}");
    detail = "the advisor's answer has no `result`: its rule is undefined";
  }
  server.start();
  REQUIRE(wait_for([&] { return server.status()["lag"].size() == 1; }));
  REQUIRE(server.approve(server.token()).exit == 0);
  server.home_fails();
  REQUIRE(wait_for([&] { return server.entries("advice-given").size() == 1; }));
  const auto given = server.entries("advice-given");
  CHECK(given[0]["facts"]["effect"] == "none");
  CHECK(given[0]["facts"]["detail"].get<std::string>().starts_with(detail));
  CHECK(server.waits_for_only("advisor"));
  CHECK(server.answers("api.example.com", Server::api_home));
  CHECK(server.entries("crossing-made").empty());
}
