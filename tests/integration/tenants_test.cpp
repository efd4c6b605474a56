// Tenants of two homes on a real demarcd: home's backend dies, hard tenants stay, soft ones move.
#include <fstream>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/integration/server.h"

using namespace demarc;
using namespace demarc::testing;

namespace {

constexpr const char* home = "192.0.2.110";
constexpr const char* us = "198.51.100.110";

void write(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

void add_tenants(const Server& server) {
  write(server.path("repository/zones/saas.example.yaml"), fmt::format(R"(zone: saas.example
soa: {{ primary: ns1.example.net., contact: h@example.net }}
nameservers: [ns1.example.net.]
services:
  api:
    ttl: 5
    residency: soft
    home: tenant
    default-home: EU
    tenants: {{ labels: both, key: keys/tenant-labels.key }}
    records:
      - {{ region: eu, weight: 100, endpoint: saas.eu.example.net, addresses: {} }}
      - {{ region: us-east, weight: 100, endpoint: saas.us.example.net, addresses: {} }}
    health-checks:
      - endpoint: http://saas.eu.example.net/health
        probe-at: 127.0.0.1:{}
        interval: 200ms
        timeout: 200ms
        fall: 2
        rise: 2
)",
                                                                       home, us, server.eu.port()));
  write(server.path("repository/keys/tenant-labels.key"), "not a secret, but long enough\n");
  write(server.path("repository/tenants.yaml"), R"(api.saas.example:
  files: tenants/us.csv
  tenants:
    acme: { home: EU, residency: hard, region: eu, regulated: true }
    beta: { home: EU }
)");
  write(server.path("repository/tenants/us.csv"),
        "tenant,home,residency,region,regulated\nyork,US,hard,us-east,true\n");
}

}  // namespace

TEST_CASE("tenants: home's backend dies, hard ones are held, soft ones move",
          "[integration][tenants]") {
  Server server;
  add_tenants(server);
  server.start();
  CHECK(server.answers("acme.api.saas.example", home));
  CHECK(server.answers("beta.api.saas.example", home));
  CHECK(server.answers("YORK.api.saas.example", us));
  const DigAnswer nobody = dig("127.0.0.1", server.port(), {"nobody.api.saas.example", "A"});
  CHECK(nobody.status == "NXDOMAIN");

  const auto acme = nlohmann::json::parse(server.ask({"--json", "tenant", "acme"}).out);
  REQUIRE(acme["names"].size() == 2);
  CHECK(acme["names"][0] == "acme.api.saas.example");
  CHECK(server.answers(acme["names"][1], home));  // the opaque one
  CHECK(acme["home"] == "EU");
  CHECK(acme["regulated"] == true);
  CHECK(acme["answer"]["records"][0]["region"] == "eu");
  CHECK(acme["pending"].empty());
  CHECK(server.ask({"tenant", "nobody"}).exit == 1);

  const auto exported = nlohmann::json::parse(
      run_demarc({"tenant", "export", "--repository", server.path("repository")}).out);
  CHECK(exported["services"][0]["tenants"].size() == 3);
  CHECK(exported["digest"] == server.status()["tenants"]["digest"]);

  server.eu.status(503);
  REQUIRE(wait_for([&] { return server.answers("beta.api.saas.example", us); }));
  CHECK(server.answers("acme.api.saas.example", home));
  CHECK(server.answers("york.api.saas.example", us));
  const DigAnswer held = dig("127.0.0.1", server.port(), {"acme.api.saas.example", "A"});
  CHECK(held.ede == std::vector<std::uint16_t>{49152});
  const auto then = nlohmann::json::parse(server.ask({"--json", "tenant", "acme"}).out);
  REQUIRE(then["pending"].size() == 1);
  CHECK(then["pending"][0]["to"] == nlohmann::json{"us-east"});
  CHECK(then["answer"]["why"] == "held at the border");
  CHECK(server.ask({"tenant", "beta"}).out.find("saas.us.example.net") != std::string::npos);

  server.eu.ok();
  REQUIRE(wait_for([&] { return server.answers("beta.api.saas.example", home); }));
  REQUIRE(wait_for([&] {
    return nlohmann::json::parse(server.ask({"--json", "tenant", "acme"}).out)["pending"].empty();
  }));
}

TEST_CASE("tenants: a reload moves one; a bad map keeps the last good one",
          "[integration][tenants]") {
  Server server;
  add_tenants(server);
  server.start();
  const auto digest = server.status()["tenants"]["digest"];
  edit(server.path("repository/tenants/us.csv"), "us-east", "eu");
  REQUIRE(wait_for([&] { return server.has_alert("configuration"); }));
  CHECK(server.answers("york.api.saas.example", us));
  edit(server.path("repository/tenants/us.csv"), "york,US,hard,eu", "york,EU,hard,eu");
  REQUIRE(wait_for([&] { return server.answers("york.api.saas.example", home); }));
  CHECK(server.status()["tenants"]["digest"] != digest);
  CHECK_FALSE(server.has_alert("configuration"));

  // An order about the service is one about its tenants.
  REQUIRE(server
              .ask({"drain", "eu", "--service", "api.saas.example", "--for", "1h", "--reason",
                    "patching"})
              .exit == 0);
  CHECK(server.answers("beta.api.saas.example", us));
  CHECK(server.answers("york.api.saas.example", home));
}

TEST_CASE("tenants: lists and rankings from files", "[integration][tenants]") {
  Server server;
  add_tenants(server);
  const auto demarc = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--repository", server.path("repository")});
    return run_demarc(std::move(arguments));
  };
  const auto listed =
      nlohmann::json::parse(demarc({"--json", "tenant", "list", "--home", "EU"}).out);
  REQUIRE(listed.size() == 2);
  CHECK(listed[0]["name"] == "acme");
  CHECK(demarc({"tenant", "list", "--regulated"}).out.ends_with("2 of 3 tenants\n"));
  const auto placed =
      nlohmann::json::parse(demarc({"--json", "tenant", "place", "--home", "US", "somebody"}).out);
  REQUIRE(placed[0]["ranking"].size() == 1);
  CHECK(placed[0]["ranking"][0]["region"] == "us-east");
  CHECK(demarc({"tenant", "beta"}).out.find("by hash") != std::string::npos);
  CHECK(demarc({"tenant"}).exit == 2);
}
