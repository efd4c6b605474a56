// Vantages: other nodes and monitors tell what they see; a quorum of them decides.
#include <fstream>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/integration/server.h"
#include "tests/support/free_port.h"

using namespace demarc::testing;
using namespace std::chrono_literals;

namespace {

constexpr const char* checked = "http://shop.eu.example.net/health";

/// A node whose shop is watched by itself, Paris and Oslo; two of them decide.
struct Watched {
  Watched() {
    REQUIRE(run_demarc({"token", "keygen", "--out", center.path("paris")}).exit == 0);
    REQUIRE(run_demarc({"token", "keygen", "--out", center.path("oslo")}).exit == 0);
    watch(center);
    edit(center.path("demarcd.yaml"), "node: test",
         fmt::format("node: test\nhttp: 127.0.0.1:{}", port));
  }
  void watch(Server& server) const {
    for (const char* const id : {"paris", "oslo"}) {
      const std::string file = fmt::format("repository/keys/{}.pem", id);
      std::ofstream(server.path(file)) << read_file(center.path(id + std::string(".pem")));
    }
    std::ofstream(server.path("repository/policy.yaml"), std::ios::app)
        << "vantages:\n"
           "  paris: { alg: EdDSA, public-key: keys/paris.pem }\n"
           "  oslo: { alg: EdDSA, public-key: keys/oslo.pem }\n";
    const std::string zone = server.path("repository/zones/example.com.yaml");
    edit(zone, "  shop:\n", "  shop:\n    quorum: 2\n");
    edit(zone, fmt::format("endpoint: {}\n", checked),
         fmt::format("endpoint: {}\n        vantages: [paris, oslo]\n", checked));
  }
  /// What a monitor that is no Demarc posts; the answer's status.
  [[nodiscard]] std::string post(const std::string& vantage, const std::string& verdict,
                                 const std::string& key) const {
    const auto message = run_demarc({"observe", "--vantage", vantage, "--key",
                                     center.path(key + ".private.pem"), "--detail", "by hand",
                                     "example.com/shop/" + std::string(checked) + "=" + verdict});
    REQUIRE(message.exit == 0);
    std::ofstream(center.path("message")) << message.out;
    return run({"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--data-binary",
                "@" + center.path("message"),
                fmt::format("http://127.0.0.1:{}/observations", port)})
        .out;
  }
  [[nodiscard]] static std::string key_of(const std::string& vantage) {
    return fmt::format("example.com/shop/{}@{}", checked, vantage);
  }
  Server center;
  std::uint16_t port = free_port();
};

}  // namespace

TEST_CASE("vantages: two of three decide, and only those who may speak are heard",
          "[integration][vantage]") {
  Watched world;
  Server& center = world.center;
  center.start();
  CHECK(center.answers("shop.example.com", Server::shop_home));
  CHECK(world.post("paris", "down", "oslo") == "403");  // signed by another
  CHECK(world.post("rome", "down", "oslo") == "403");
  CHECK(center.verdict(Watched::key_of("paris")) == "unknown");

  CHECK(world.post("paris", "down", "paris") == "204");
  CHECK(wait_for([&] { return center.verdict(Watched::key_of("paris")) == "down"; }));
  CHECK(center.answers("shop.example.com", Server::shop_home));  // alone it moves nothing
  CHECK(world.post("oslo", "down", "oslo") == "204");
  CHECK(wait_for([&] { return center.answers("shop.example.com", Server::shop_abroad); }));
  const std::string why = center.ask({"explain", "shop.example.com"}).out;
  CHECK(why.find("by hand") != std::string::npos);
  CHECK(world.post("oslo", "up", "oslo") == "204");
  CHECK(wait_for([&] { return center.answers("shop.example.com", Server::shop_home); }));
}

TEST_CASE("vantages: another Demarc tells what it finds, and is missed when it is cut off",
          "[integration][vantage]") {
  Watched world;
  Server& center = world.center;
  Server paris;
  world.watch(paris);
  edit(paris.path("demarcd.yaml"), "node: test",
       fmt::format("node: paris\nvantage:\n"
                   "  id: paris\n"
                   "  key: {}\n"
                   "  push-to: http://127.0.0.1:{}/observations",
                   center.path("paris.private.pem"), world.port));
  center.start();
  paris.start();
  CHECK(wait_for([&] { return center.verdict(Watched::key_of("paris")) == "up"; }, 20s));
  paris.eu.status(500);  // Paris sees what the center does not
  CHECK(wait_for([&] { return center.verdict(Watched::key_of("paris")) == "down"; }, 20s));
  CHECK(center.answers("shop.example.com", Server::shop_home));
  center.eu.status(500);
  CHECK(wait_for([&] { return center.answers("shop.example.com", Server::shop_abroad); }));
  paris.eu.ok();
  CHECK(wait_for([&] { return center.answers("shop.example.com", Server::shop_home); }, 20s));
  paris.stop();
  CHECK(wait_for([&] { return center.verdict(Watched::key_of("paris")) == "stale"; }, 30s));
  CHECK(center.answers("shop.example.com", Server::shop_home));
}
