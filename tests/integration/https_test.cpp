// HTTPS records of services, asked with real dig and kdig: hints follow a failover, stay home where
// a crossing is held, and go abroad under a grant alone.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/integration/server.h"

namespace demarc::testing {
namespace {

using Texts = std::vector<std::string>;

Texts https_of(const Server& server, const std::string& name) {
  return dig("127.0.0.1", server.port(), {name, "TYPE65"}).rdata("HTTPS");
}

/// The addresses beside an HTTPS answer, sorted.
Texts beside(const Server& server, const std::string& name) {
  Texts addresses;
  for (const DigRecord& record : dig("127.0.0.1", server.port(), {name, "HTTPS"}).additional) {
    addresses.push_back(record.rdata);
  }
  std::ranges::sort(addresses);
  return addresses;
}

std::string kdig(const Server& server, const std::string& name) {
  return run({"kdig", "@127.0.0.1", "-p", std::to_string(server.port()), name, "TYPE65", "+short"})
      .out;
}

TEST_CASE("https: hints follow a failover, and cross no border without a signature",
          "[integration][https]") {
  const Texts api_home{"1 . alpn=\"h2,h3\" ipv4hint=192.0.2.10 ipv6hint=2001:db8:1::10"};
  const Texts api_abroad{"1 . alpn=\"h2,h3\" ipv4hint=198.51.100.10 ipv6hint=2001:db8:2::10"};
  const Texts shop_home{"1 . alpn=\"h2\" port=8443 ipv4hint=192.0.2.20 ipv6hint=2001:db8:1::20"};
  const Texts shop_abroad{
      "1 . alpn=\"h2\" port=8443 ipv4hint=198.51.100.20 ipv6hint=2001:db8:2::20"};
  Server server;
  const std::string zone = server.path("repository/zones/example.com.yaml");
  edit(zone, "    access: write\n",
       "    access: write\n    https: { alpn: [h2, h3], port: 443 }\n");
  edit(zone, "    residency: soft\n", "    residency: soft\n    https: { alpn: h2, port: 8443 }\n");
  server.start();
  REQUIRE(wait_for([&] { return https_of(server, "api.example.com") == api_home; }));
  REQUIRE(wait_for([&] { return https_of(server, "shop.example.com") == shop_home; }));
  CHECK(beside(server, "api.example.com") == Texts{"192.0.2.10", "2001:db8:1::10"});
  CHECK(kdig(server, "api.example.com") ==
        "1 . alpn=h2,h3 ipv4hint=192.0.2.10 ipv6hint=2001:db8:1::10\n");
  const Finished explained = server.ask({"explain", "api.example.com", "--country", "DE"});
  CHECK(explained.out.find("HTTPS " + api_home[0]) != std::string::npos);

  server.eu.status(503);
  REQUIRE(wait_for([&] { return https_of(server, "shop.example.com") == shop_abroad; }));
  REQUIRE(wait_for([&] { return server.has_alert("held/"); }));
  CHECK(https_of(server, "api.example.com") == api_home);
  CHECK(beside(server, "api.example.com") == Texts{"192.0.2.10", "2001:db8:1::10"});
  const DigAnswer held = dig("127.0.0.1", server.port(), {"api.example.com", "HTTPS"});
  CHECK(held.ede == std::vector<std::uint16_t>{49152});

  REQUIRE(server.approve(server.token()).exit == 0);
  REQUIRE(wait_for([&] { return server.answers("api.example.com", Server::api_abroad); }));
  CHECK(https_of(server, "api.example.com") == api_abroad);
  CHECK(beside(server, "api.example.com") == Texts{"198.51.100.10", "2001:db8:2::10"});
  server.eu.ok();
  REQUIRE(wait_for([&] { return server.answers("api.example.com", Server::api_home); }));
  CHECK(https_of(server, "api.example.com") == api_home);
  CHECK(wait_for([&] { return https_of(server, "shop.example.com") == shop_home; }));
}

TEST_CASE("https: explain tells one record for all that answer together", "[integration][https]") {
  const TempFolder folder;
  const auto explained = [&](const std::string& answers) {
    folder.write("zones/a.yaml", R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
services:
  api:
    records:
      - { region: eu, weight: 1, endpoint: a.example.net, addresses: [192.0.2.1, "2001:db8::1"] }
      - { region: eu, weight: 1, endpoint: b.example.net, addresses: 192.0.2.2 }
      - { region: eu, weight: 1, endpoint: c.example.net, addresses: 192.0.2.3 }
    https: { alpn: h2, port: 8443 }
    answers: )" + answers + "\n");
    folder.write("policy.yaml", R"(jurisdictions: { EU: { countries: [DE] } }
regions: { eu: { jurisdiction: EU, location: [50, 8] } }
)");
    const Finished done = run_demarc({"explain", "api.example.com", "--repository", folder.path()});
    CHECK(done.exit == 0);
    return done.out;
  };
  const std::string front = "HTTPS 1 . alpn=\"h2\" port=8443 ";
  CHECK(explained("one").find(front + "ipv4hint=192.0.2.2\n") != std::string::npos);
  CHECK(explained("all").find("HTTPS   " + front.substr(6) +
                              "ipv4hint=192.0.2.1,192.0.2.2,192.0.2.3 ipv6hint=2001:db8::1\n") !=
        std::string::npos);
  CHECK(explained("2").find("HTTPS   " + front.substr(6) + "and hints of the 2 records drawn\n") !=
        std::string::npos);
}

}  // namespace
}  // namespace demarc::testing
