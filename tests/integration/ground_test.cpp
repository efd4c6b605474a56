// The map against the ground with a real demarcd: an address in the wrong country is alerted, never
// acted upon; a CNAME endpoint is asked for at a real resolver (Debian's unbound, if installed).
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/integration/server.h"
#include "tests/support/free_port.h"

using namespace demarc;
using namespace demarc::testing;

namespace {

// Addresses that Debian's database knows: a US one and a Dutch one.
constexpr const char* american = "8.8.8.8";
constexpr const char* dutch = "193.0.6.139";

void append(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::app) << text;
}

/// unbound with data of its own on a port of the kernel's choice.
class Unbound {
 public:
  explicit Unbound(const std::string& address) {
    const std::string config = folder_.write(
        "unbound.conf",
        fmt::format("server:\n  interface: 127.0.0.1@{}\n  directory: \"{}\"\n  chroot: \"\"\n"
                    "  username: \"\"\n  pidfile: \"\"\n  use-syslog: no\n  do-daemonize: no\n"
                    "  module-config: \"iterator\"\n  local-zone: \"example.net.\" static\n"
                    "  local-data: \"cdn.ap.example.net. 60 A {}\"\nremote-control:\n"
                    "  control-enable: no\n",
                    port_, folder_.path(), address));
    process_ = std::make_unique<Process>(
        ProcessOptions{.argv = {"/usr/sbin/unbound", "-d", "-c", config}});
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] bool is_ready() const {
    return dig("127.0.0.1", port_, {"cdn.ap.example.net", "A"}).status == "NOERROR";
  }

 private:
  TempFolder folder_;
  std::uint16_t port_ = free_port();
  std::unique_ptr<Process> process_;
};

}  // namespace

TEST_CASE("ground: check warns of an address in another country", "[integration][ground]") {
  Server server;
  const std::string zone = server.path("repository/zones/example.com.yaml");
  edit(zone, "addresses: 192.0.2.52", fmt::format("addresses: {}", american));
  const Finished done =
      run_demarc({"check", server.path("repository"), "--geoip", country_database()});
  CHECK(done.exit == 0);
  CHECK(done.out.find("[ground-country] warning: www.example.com record eu-west 8.8.8.8: the "
                      "database says US, region eu-west lies in EU") != std::string::npos);
  CHECK(done.out.find("ground: 1 addresses compared, ") != std::string::npos);
  CHECK(run_demarc({"check", server.path("repository"), "--strict", "--geoip", country_database()})
            .exit == 1);
  edit(zone, fmt::format("addresses: {}", american), fmt::format("addresses: {}", dutch));
  CHECK(run_demarc({"check", server.path("repository"), "--strict", "--geoip", country_database()})
            .exit == 0);
}

TEST_CASE("ground: demarcd tells of a disagreement, moves nothing, and tells of its end",
          "[integration][ground]") {
  Server server;
  const std::string zone = server.path("repository/zones/example.com.yaml");
  edit(zone, "addresses: [192.0.2.20, \"2001:db8:1::20\"]",
       fmt::format("addresses: [{}, \"2001:db8:1::20\"]", american));
  server.start();
  CHECK(server.has_alert("ground/shop.example.com/eu"));
  CHECK(server.answers("shop.example.com", american));
  const auto status = server.status();
  CHECK(status["ground"]["compared"] == 1);
  CHECK(status["ground"]["findings"][0]["rule"] == "ground-country");
  REQUIRE(server.entries("ground-disagrees").size() == 1);

  edit(zone, fmt::format("addresses: [{},", american), fmt::format("addresses: [{},", dutch));
  REQUIRE(wait_for([&] { return server.answers("shop.example.com", dutch); }));
  REQUIRE(wait_for([&] { return !server.has_alert("ground/"); }));
  CHECK(server.entries("ground-agrees").size() == 1);
  CHECK(server.entries("ground-disagrees").size() == 1);
}

TEST_CASE("ground: a CNAME endpoint is asked for at a resolver", "[integration][ground]") {
  if (!std::filesystem::exists("/usr/sbin/unbound")) {
    WARN("skipped: Debian's unbound is not installed");
    return;
  }
  // unbound's own data is never validated, so it is believed only if that is asked for.
  const bool require_ad = GENERATE(true, false);
  CAPTURE(require_ad);
  const Unbound resolver(american);
  REQUIRE(wait_for([&] { return resolver.is_ready(); }));
  Server server;
  append(server.path("demarcd.yaml"),
         fmt::format("resolver: \"127.0.0.1:{}\"\nresolver-require-ad: {}\n", resolver.port(),
                     require_ad));
  server.start();
  REQUIRE(wait_for([&] { return !server.status()["ground"]["findings"].empty(); }));
  const auto ground = server.status()["ground"];
  INFO(ground.dump(2));
  REQUIRE(ground["targets"].size() == 1);
  CHECK(ground["targets"][0]["target"] == "cdn.ap.example.net");
  CHECK(ground["targets"][0]["addresses"] == std::vector<std::string>{american});
  CHECK(ground["targets"][0]["validated"] == false);
  CHECK(ground["findings"][0]["rule"] == (require_ad ? "ground-unvalidated" : "ground-cname"));
  CHECK(server.has_alert("ground/cdn.example.com/ap") == !require_ad);
}
