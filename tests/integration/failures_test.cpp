// Failures before a real demarcd whose answer is told in health/README.md's table, where no other
// test has them: an endpoint that flaps, and a restart amid a failure.
#include <catch2/catch.hpp>

#include "tests/integration/server.h"

using namespace demarc::testing;
using namespace std::chrono_literals;

namespace {

/// Until both checks that ask this backend have asked it again, from now on.
[[nodiscard]] bool was_asked(const HttpBackend& backend, std::size_t times) {
  const std::size_t before = backend.requests();
  return wait_for([&] { return backend.requests() >= before + times; });
}

}  // namespace

TEST_CASE("failures: an endpoint that fails every other time is answered throughout",
          "[integration][failures]") {
  Server server;
  // Far from as many in a row as it takes, however busy the machine is.
  edit(server.path("repository/zones/example.com.yaml"), "fall: 2", "fall: 6");
  server.start();
  REQUIRE(server.answers("shop.example.com", Server::shop_home));
  for (int round = 0; round < 8; ++round) {
    server.eu.status(503);
    REQUIRE(was_asked(server.eu, 1));
    server.eu.ok();
    REQUIRE(was_asked(server.eu, 6));  // three checks of the example ask it, each twice
    CHECK(server.verdict("shop.eu.example.net/health") == "up");
    CHECK(server.answers("shop.example.com", Server::shop_home));
  }
}

TEST_CASE("failures: killed and started again amid a failure it goes on as before",
          "[integration][failures]") {
  Server server;
  server.start();
  server.eu.status(503);
  REQUIRE(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  server.kill_hard();
  server.start();
  CHECK(server.answers("shop.example.com", Server::shop_abroad));
  CHECK(server.verdict("shop.eu.example.net/health") == "down");
  server.kill_hard();
  server.eu.ok();  // mended while it was away: believed after `rise` passes, not at once
  server.start();
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_home); }));
}

TEST_CASE("failures: what is broken when it is first asked is never answered",
          "[integration][failures]") {
  Server server;
  server.eu.close();
  server.start();
  CHECK(server.answers("shop.example.com", Server::shop_abroad));
  CHECK(server.verdict("shop.eu.example.net/health") == "down");
  server.eu.reopen();
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_home); }));
}
