// The additional section of an MX whose target is steered, asked with real dig.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/integration/server.h"

namespace demarc::testing {
namespace {

/// The A addresses of api.example.com beside the MX.
std::vector<std::string> beside_mx(const Server& server) {
  std::vector<std::string> addresses;
  for (const DigRecord& record :
       dig("127.0.0.1", server.port(), {"example.com", "MX"}).additional) {
    if (record.owner == "api.example.com." && record.type == "A") addresses.push_back(record.rdata);
  }
  return addresses;
}

TEST_CASE("targets: the additional section crosses no border without a signature",
          "[integration][targets]") {
  using Addresses = std::vector<std::string>;
  Server server;
  edit(server.path("repository/zones/example.com.yaml"), "MX: [\"10 mail\"",
       "MX: [\"5 api\", \"10 mail\"");
  server.start();
  REQUIRE(wait_for([&] { return beside_mx(server) == Addresses{Server::api_home}; }));
  server.eu.status(503);
  REQUIRE(wait_for([&] { return server.has_alert("held/"); }));
  CHECK(beside_mx(server) == Addresses{Server::api_home});
  REQUIRE(server.approve(server.token()).exit == 0);
  REQUIRE(wait_for([&] { return server.answers("api.example.com", Server::api_abroad); }));
  CHECK(beside_mx(server) == Addresses{Server::api_abroad});
  server.eu.ok();
  REQUIRE(wait_for([&] { return server.answers("api.example.com", Server::api_home); }));
  CHECK(beside_mx(server) == Addresses{Server::api_home});
}

}  // namespace
}  // namespace demarc::testing
