// Names that stand in no zone file, asked with real dig: what operators are told, and the values of
// dns-01 challenges.
#include <catch2/catch.hpp>

#include "tests/integration/server.h"

namespace demarc::testing {
namespace {

const std::string value_one = std::string(42, 'x') + "1";
const std::string value_two = std::string(42, 'x') + "2";

std::vector<std::string> texts(const Server& server, const std::string& name) {
  return dig("127.0.0.1", server.port(), {name, "TXT"}).rdata("TXT");
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The one text of a name; empty if it has none or several.
std::string text(const Server& server, const std::string& name) {
  const auto all = texts(server, name);
  return all.size() == 1 ? all[0] : std::string{};
}

TEST_CASE("operator names: those who may ask follow a failure, a grant and its end over DNS",
          "[integration][operator-names]") {
  Server server;
  edit(server.path("repository/zones/example.com.yaml"), "ttl: 300\n",
       "ttl: 300\noperator-names: { allow: 127.0.0.1, geo: true, health: true, gate: true }\n");
  server.start();
  CHECK(wait_for([&] {
    const auto all = texts(server, "_health.api.example.com");
    return all.size() == 2 && has(all[0], "region=eu endpoint=api.eu.example.sov verdict=up");
  }));
  CHECK(text(server, "_gate.api.example.com") ==
        "\"v=demarc1 mode=home residency=hard home=EU pending=- standing=-\"");
  CHECK(has(text(server, "_geo.api.example.com"), "source=socket prefix=127.0.0.1/32 "));
  const DigAnswer german =
      dig("127.0.0.1", server.port(), {"_geo.api.example.com", "TXT", "+subnet=192.0.2.0/24"});
  CHECK(has(german.text, "source=ecs prefix=192.0.2.0/24"));
  CHECK(german.scope_prefix == 24U);

  // Nobody else: neither from another address, nor by claiming to speak for one that may.
  CHECK(dig("::1", server.port_v6(), {"_gate.api.example.com", "TXT"}).status == "NXDOMAIN");
  CHECK(dig("::1", server.port_v6(), {"_geo.api.example.com", "TXT", "+subnet=127.0.0.1/32"})
            .status == "NXDOMAIN");

  server.eu.status(503);
  CHECK(wait_for([&] {
    return has(texts(server, "_health.api.example.com").at(0), "verdict=down") &&
           has(text(server, "_gate.api.example.com"), "pending=chg-");
  }));
  REQUIRE(server.approve(server.token()).exit == 0);
  CHECK(wait_for([&] {
    const std::string gate = text(server, "_gate.api.example.com");
    return has(gate, "mode=full-write") && has(gate, "grant=grant-") &&
           has(gate, "standing=grant-") && has(gate, "until=");
  }));
  CHECK(has(text(server, "_geo.api.example.com"), "region=global-failover"));
  const auto grant = server.status().at("grants").at(0).at("id").get<std::string>();
  REQUIRE(server.ask({"revoke", grant, "--reason", "test"}).exit == 0);
  CHECK(wait_for([&] { return has(text(server, "_gate.api.example.com"), "mode=home"); }));
  CHECK(has(text(server, "_geo.api.example.com"), "region=eu"));

  edit(server.path("repository/zones/example.com.yaml"), "allow: 127.0.0.1", "allow: 192.0.2.1");
  REQUIRE(server.ask({"reload"}).exit == 0);
  CHECK(wait_for([&] {
    return dig("127.0.0.1", server.port(), {"_gate.api.example.com", "TXT"}).status == "NXDOMAIN";
  }));
}

TEST_CASE("acme: values come by the control socket, are told in the trail and end by themselves",
          "[integration][acme]") {
  Server server;
  server.start();
  const std::string owner = "_acme-challenge.api.example.com";
  CHECK(dig("127.0.0.1", server.port(), {owner, "TXT"}).status == "NXDOMAIN");
  REQUIRE(server.ask({"acme", "set", "api.example.com", value_one}).exit == 0);
  const Finished second = server.ask({"acme", "set", "api.example.com", value_two, "--for", "1h"});
  CHECK(second.exit == 0);
  CHECK(has(second.out, owner + " TXT until 20"));
  const DigAnswer answer = dig("127.0.0.1", server.port(), {owner, "TXT"});
  CHECK(answer.rdata("TXT") ==
        std::vector<std::string>{"\"" + value_one + "\"", "\"" + value_two + "\""});
  CHECK(answer.ttl() == 5U);
  CHECK(has(server.ask({"acme", "list"}).out, owner + " " + value_two + " until "));

  const Finished refused = server.ask({"acme", "set", "api.example.org", value_one});
  CHECK(refused.exit == 1);
  CHECK(has(refused.err, "api.example.org is in no zone of this server"));
  CHECK(server.ask({"acme", "set", "api.example.com", value_one, "--for", "1x"}).exit == 2);

  // A change of weights and a reload leave them.
  server.eu.status(503);
  CHECK(wait_for([&] { return server.has_alert("held/"); }));
  REQUIRE(server.ask({"reload"}).exit == 0);
  CHECK(wait_for([&] { return has(server.log(), "reloaded why"); }));
  CHECK(texts(server, owner).size() == 2);

  REQUIRE(server.ask({"acme", "set", "api.example.com", value_one, "--for", "300ms"}).exit == 0);
  CHECK(wait_for([&] { return text(server, owner) == "\"" + value_two + "\""; }));
  REQUIRE(server.ask({"acme", "remove", "api.example.com"}).exit == 0);
  CHECK(dig("127.0.0.1", server.port(), {owner, "TXT"}).status == "NXDOMAIN");
  CHECK(server.ask({"acme", "remove", "api.example.com"}).exit == 1);
  CHECK(server.entries("acme-set").size() == 3);
  CHECK(server.entries("acme-ended").size() == 1);
  CHECK(server.entries("acme-removed").size() == 1);
}

}  // namespace
}  // namespace demarc::testing
