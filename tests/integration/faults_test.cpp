// Bad edits, bad tokens, bad databases, a full disk, kill -9: nothing crosses, nothing is lost.
#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <sys/resource.h>
#include <catch2/catch.hpp>

#include "tests/integration/server.h"

using namespace demarc::testing;

namespace {

void lose_eu(Server& server) {
  server.eu.status(503);
  REQUIRE(wait_for([&] { return server.ask({"pending"}).exit == 1; }));
}

}  // namespace

TEST_CASE("faults: a bad edit keeps the last good state and says where it is wrong",
          "[integration]") {
  Server server;
  server.start();
  const std::string zone = server.path("repository/zones/example.com.yaml");
  edit(zone, "residency: hard\n    home: EU", "residncy: hard\n    home: EU");
  REQUIRE(wait_for([&] { return server.has_alert("configuration"); }));
  CHECK(server.log().find("zones/example.com.yaml:26:5: [unknown-key]") != std::string::npos);
  CHECK(server.answers("api.example.com", Server::api_home));
  CHECK(server.entries("configuration-refused").size() == 1);
  const Finished check = run_demarc({"check", server.path("repository")});
  CHECK(check.exit == 1);
  CHECK(check.out.find("zones/example.com.yaml:26:5: [unknown-key]") != std::string::npos);
  CHECK(check.out.find("did you mean `residency`?") != std::string::npos);

  SECTION("a restart amid it serves the last good copy") {
    server.kill_hard();
    server.start();
    CHECK(server.answers("api.example.com", Server::api_home));
    CHECK(server.has_alert("configuration"));
  }
  SECTION("mended, it is taken") {
    edit(zone, "residncy", "residency");
    edit(zone, "mail: { A: 192.0.2.25 }", "mail: { A: 192.0.2.26 }");
    REQUIRE(wait_for([&] { return server.answers("mail.example.com", "192.0.2.26"); }));
    CHECK_FALSE(server.has_alert("configuration"));
  }
}

TEST_CASE("faults: SIGHUP reloads, the serial goes up, no query is lost", "[integration]") {
  Server server;
  server.start();
  const auto serial = [&] {
    const auto soa = dig("127.0.0.1", server.port(), {"example.com", "SOA"}).rdata("SOA");
    return std::stoul(soa.at(0).substr(soa[0].find("hostmaster.example.com. ") + 24));
  };
  const auto before = serial();
  edit(server.path("repository/zones/example.com.yaml"), "mail: { A: 192.0.2.25 }",
       "mail: { A: 192.0.2.27 }");
  REQUIRE(wait_for([&] { return server.answers("mail.example.com", "192.0.2.27"); }));
  CHECK(serial() > before);
  const auto generation = server.status()["generation"].get<int>();
  ::kill(server.pid(), SIGHUP);
  CHECK(wait_for([&] { return server.status()["generation"].get<int>() > generation; }));
}

TEST_CASE("faults: ten kinds of bad tokens are refused, audited, and move nothing",
          "[integration]") {
  Server server;
  server.start();
  lose_eu(server);
  std::size_t refused = 0;
  const auto refuse = [&](const std::string& token, const std::string& kind) {
    const Finished answer = server.approve(token);
    CAPTURE(kind, answer.err);
    CHECK(answer.exit == 1);
    CHECK(answer.err.find("refused: [" + kind + "]") != std::string::npos);
    ++refused;
    CHECK(server.answers("api.example.com", Server::api_home));
  };
  const std::string good = server.token({.lasts = "1h", .id = "good-1"});
  refuse("not a token", "malformed");
  refuse(good.substr(0, 40) + "x" + good.substr(41), "malformed");
  std::string forged = good;
  const auto signature = forged.rfind('.') + 5;
  forged[signature] = forged[signature] == 'A' ? 'B' : 'A';
  refuse(forged, "signature");
  refuse("eyJhbGciOiJub25lIiwia2lkIjoibGVnYWwtMSJ9.e30.AA", "algorithm");  // alg none
  refuse(server.token({.kid = "legal-9"}), "unknown-key");
  refuse(server.token({.audience = "other-dns"}), "audience");
  refuse(server.token({.lasts = "48h"}), "overlong");
  refuse(server.token({.zone = "example.org"}), "scope");
  refuse(server.token({.service = "shop"}), "scope");  // soft: needs none
  refuse(server.token({.to = "moon"}), "scope");
  refuse(server.token({.mode = "read-only"}), "mode");
  refuse(server.token({.mode = "scoped-write"}), "mode");
  CHECK(server.entries("token-refused").size() == refused);

  CHECK(server.approve(good).exit == 0);
  CHECK(server.answers("api.example.com", Server::api_abroad));
  const Finished again = server.approve(good);
  CHECK(again.exit == 1);
  CHECK(again.err.find("refused: [used]") != std::string::npos);
}

TEST_CASE("faults: kill -9 amid a grant", "[integration]") {
  Server server;
  server.start();
  lose_eu(server);
  const std::string token = server.token();
  REQUIRE(server.approve(token).exit == 0);
  REQUIRE(server.answers("api.example.com", Server::api_abroad));
  server.kill_hard();
  server.start();
  CHECK(server.answers("api.example.com", Server::api_abroad));  // the grant lives on
  CHECK(server.approve(token).err.find("[used]") != std::string::npos);
  const auto grants = server.status()["grants"];
  REQUIRE(grants.size() == 1);
  CHECK(server.ask({"revoke", grants[0]["id"], "--reason", "test"}).exit == 0);
  CHECK(server.answers("api.example.com", Server::api_home));
  server.kill_hard();
  server.start();
  CHECK(server.answers("api.example.com", Server::api_home));  // and its end was not forgotten
  server.stop();
  CHECK(run_demarc({"audit", "verify", server.path("audit")}).exit == 0);
}

TEST_CASE("faults: a grant that ended while the server was dead stays ended", "[integration]") {
  Server server;
  server.start();
  lose_eu(server);
  REQUIRE(server.approve(server.token({.lasts = "2s"})).exit == 0);
  server.kill_hard();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  REQUIRE(wait_for([&] { return std::chrono::steady_clock::now() >= end; }));
  server.start();
  CHECK(server.answers("api.example.com", Server::api_home));
}

TEST_CASE("faults: a bad database keeps the last good one", "[integration]") {
  Server server;
  const std::string database = server.path("country.mmdb");
  std::filesystem::copy_file(country_database(), database);
  edit(server.path("demarcd.yaml"), country_database(), "country.mmdb");
  server.start();
  const auto german = [&] {
    return dig("127.0.0.1", server.port(), {"www.example.com", "A", "+subnet=80.128.0.0/16"})
        .rdata("A")
        .at(0);
  };
  const std::string good = read_file(database);
  for (const std::string& bad :
       {std::string("rubbish"), good.substr(0, good.size() / 2), std::string{}}) {
    // Overwritten in place, which would crash whoever maps the file.
    std::ofstream(database, std::ios::binary | std::ios::trunc) << bad;
    REQUIRE(wait_for([&] { return server.has_alert("configuration"); }));
    CHECK(german().starts_with("192.0.2.5"));
    std::ofstream(database, std::ios::binary | std::ios::trunc) << good;
    REQUIRE(wait_for([&] { return !server.has_alert("configuration"); }));
  }
  CHECK(german().starts_with("192.0.2.5"));
}

TEST_CASE("faults: a damaged state does not start, and says what to do", "[integration]") {
  Server server;
  server.start();
  server.stop();
  const std::string state = server.path("state/state.json");
  edit(state, "\"checks\"", "\"cheeks\"");
  const std::string said = server.start_in_vain();
  CHECK(said.find(state) != std::string::npos);
  CHECK(said.find("move it away to start without grants") != std::string::npos);
  std::filesystem::remove(state);
  server.start();
  CHECK(server.answers("api.example.com", Server::api_home));
}

TEST_CASE("faults: a damaged trail starts closed at the border", "[integration]") {
  Server server;
  server.start();
  server.stop();
  edit(server.path("audit/node.jsonl"), "configuration-loaded", "configuration-loadeb");
  server.start();
  CHECK(server.has_alert("audit"));
  server.eu.status(503);
  REQUIRE(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  REQUIRE(wait_for([&] { return server.ask({"pending"}).exit == 1; }));
  CHECK(server.approve(server.token()).err.find("[not-now]") != std::string::npos);
  CHECK(server.answers("api.example.com", Server::api_home));
}

TEST_CASE("faults: a full disk makes no crossing; home goes on and the trail catches up",
          "[integration]") {
  Server server;
  server.start();
  // A file size limit makes every write of the trail fail, as a full disk does.
  rlimit limit{};
  REQUIRE(::prlimit(server.pid(), RLIMIT_FSIZE, nullptr, &limit) == 0);
  rlimit full = limit;
  full.rlim_cur = 16;
  REQUIRE(::prlimit(server.pid(), RLIMIT_FSIZE, &full, nullptr) == 0);
  server.eu.status(503);
  REQUIRE(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  REQUIRE(wait_for([&] { return server.has_alert("audit"); }));
  const std::string token = server.token();
  CHECK(server.approve(token).err.find("[not-now]") != std::string::npos);
  CHECK(server.answers("api.example.com", Server::api_home));

  REQUIRE(::prlimit(server.pid(), RLIMIT_FSIZE, &limit, nullptr) == 0);
  REQUIRE(wait_for([&] { return !server.has_alert("audit"); }));
  CHECK(server.entries("disk-broken").size() == 1);
  CHECK(server.entries("crossing-held").size() == 1);
  CHECK(server.approve(token).exit == 0);
  CHECK(server.answers("api.example.com", Server::api_abroad));
  server.stop();
  CHECK(run_demarc({"audit", "verify", server.path("audit")}).exit == 0);
}

TEST_CASE("faults: a second demarcd on the same state and trail does not start", "[integration]") {
  Server server;
  server.start();
  CHECK(server.start_in_vain().find("is in use by another demarcd") != std::string::npos);
  CHECK(run_demarc({"audit", "verify", server.path("audit")}).exit == 0);
}

TEST_CASE("faults: a route that needs to know where clients are needs a database",
          "[integration]") {
  Server server;
  edit(server.path("demarcd.yaml"), "geoip: " + country_database() + "\n", "");
  CHECK(server.start_in_vain().find("expected `geoip:` in demarcd.yaml") != std::string::npos);
}

TEST_CASE("faults: somebody who never stops writing does not put a reload off", "[integration]") {
  Server server;
  server.start();
  std::atomic<bool> noise{true};
  std::jthread writer([&] {
    while (noise) {
      std::ofstream(server.path("repository/zones/notes.txt")) << "x";
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  edit(server.path("repository/zones/example.com.yaml"), "mail: { A: 192.0.2.25 }",
       "mail: { A: 192.0.2.28 }");
  CHECK(wait_for([&] { return server.answers("mail.example.com", "192.0.2.28"); }));
  noise = false;
}

TEST_CASE("faults: a freeze and a revocation survive kill -9", "[integration]") {
  Server server;
  server.start();
  lose_eu(server);
  REQUIRE(server.approve(server.token()).exit == 0);
  REQUIRE(server.answers("api.example.com", Server::api_abroad));
  REQUIRE(server.ask({"freeze", "--reason", "test"}).exit == 0);
  server.kill_hard();
  server.start();
  CHECK(server.status().contains("freeze"));
  const auto grants = server.status()["grants"];
  REQUIRE(grants.size() == 1);
  REQUIRE(server.ask({"revoke", grants[0]["id"], "--reason", "test"}).exit == 0);
  server.kill_hard();
  server.start();
  CHECK(server.answers("api.example.com", Server::api_home));
}
