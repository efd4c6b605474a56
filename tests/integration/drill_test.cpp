// The drill: a region is lost, the soft service leaves, the hard one does not until somebody signs.
#include <chrono>
#include <random>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/integration/server.h"

using namespace demarc;
using namespace demarc::testing;
using namespace std::chrono_literals;

namespace {

/// A hundred thousand questions of all types, from clients all over the world.
std::vector<DnsQuestion> world_questions() {
  std::mt19937 random(20261123);
  std::vector<DnsQuestion> questions;
  constexpr std::uint16_t types[] = {rr::A,   rr::AAAA, rr::CNAME, rr::HTTPS, 64 /* SVCB */,
                                     rr::ANY, rr::TXT,  rr::MX,    rr::SRV,   rr::NS,
                                     rr::SOA, rr::CAA,  39,        33,        99};
  for (std::size_t i = 0; i < 100'000; ++i) {
    DnsQuestion question{.name = "api.example.com", .type = types[i % std::size(types)]};
    if (i % 5 != 0) {
      const auto value = static_cast<std::uint32_t>(random());
      question.subnet = geo::Prefix{geo::masked(geo::Address::ipv4(value), 24), 24};
    }
    questions.push_back(std::move(question));
  }
  return questions;
}

/// How many answers held an address, and how many of those lie outside the EU.
struct Swept {
  std::size_t answered = 0, with_address = 0, foreign = 0;
};

Swept sweep(const Server& server) {
  const std::set<std::string> home{Server::api_home, "2001:db8:1::10"};
  Swept swept;
  DnsClient client("127.0.0.1", server.port());
  const auto questions = world_questions();
  const auto result = client.ask_all(questions, [&](std::size_t, const DnsReply& reply) {
    for (const geo::Address& address : reply.addresses()) {
      ++swept.with_address;
      if (!home.contains(geo::to_text(address))) ++swept.foreign;
    }
    for (const auto* section : {&reply.answer, &reply.additional}) {
      for (const DnsRecord& record : *section) {
        if (record.target.find("failover") != std::string::npos) ++swept.foreign;
      }
    }
  });
  swept.answered = result.answered;
  return swept;
}

}  // namespace

TEST_CASE("drill: eu is lost", "[integration][drill]") {
  Server server;
  server.start();
  REQUIRE(server.answers("api.example.com", Server::api_home));
  REQUIRE(server.answers("shop.example.com", Server::shop_home));

  server.eu.status(503);
  REQUIRE(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  REQUIRE(wait_for([&] { return server.ask({"pending"}).exit == 1; }));

  const Swept swept = sweep(server);
  CHECK(swept.answered == 100'000);
  CHECK(swept.with_address > 10'000);
  CHECK(swept.foreign == 0);
  CHECK(dig("127.0.0.1", server.port(), {"api.example.com", "A"}).ede ==
        std::vector<std::uint16_t>{49152});

  const auto pending = nlohmann::json::parse(server.ask({"--json", "pending"}).out);
  REQUIRE(pending.size() == 1);
  CHECK(pending[0]["service"] == "api.example.com");
  CHECK(server.has_alert("held/" + pending[0]["id"].get<std::string>()));
  CHECK(server.has_alert("soft/shop.example.com"));
  const auto wanted = server.entries("failover-wanted"), held = server.entries("crossing-held");
  REQUIRE(wanted.size() == 1);
  REQUIRE(held.size() == 1);
  CHECK(held[0]["facts"]["refers-to"] ==
        "failover-wanted " + wanted[0]["facts"]["change"].get<std::string>());
  CHECK(server.entries("soft-crossing-begun").size() == 1);

  // Signed for a few seconds; the control thread hangs before the end comes.
  const Finished approved = server.approve(server.token({.lasts = "6s"}));
  INFO(approved.err);
  REQUIRE(approved.exit == 0);
  const auto end = std::chrono::system_clock::now() + 6s;  // the grant's end is not after this
  REQUIRE(server.answers("api.example.com", Server::api_abroad));
  Process stall({.argv = {DEMARC_BINARY_DIR "/tools/demarc", "--socket",
                          server.path("control.sock"), "debug-stall", "--for", "12s"}});
  std::size_t abroad = 0;
  REQUIRE(wait_for(
      [&] {
        const auto sent = std::chrono::system_clock::now();
        const DigAnswer answer = dig("127.0.0.1", server.port(), {"api.example.com", "A"});
        INFO(answer.text);
        REQUIRE(answer.answer.size() == 1);
        if (answer.answer[0].rdata == Server::api_home) return true;
        ++abroad;
        CHECK(sent + std::chrono::seconds(answer.answer[0].ttl) <= end);
        CHECK(answer.ede == std::vector<std::uint16_t>{49153});
        return false;
      },
      20s));
  CHECK(abroad > 0);
  CHECK(std::chrono::system_clock::now() <= end + 1s);
  CHECK(stall.is_running());  // home came back without the control thread
  CHECK(stall.wait(30s) == 0);

  server.eu.ok();
  REQUIRE(wait_for([&] { return server.answers("shop.example.com", Server::shop_home); }));
  REQUIRE(wait_for([&] { return server.ask({"pending"}).exit == 0; }));
  CHECK(server.answers("api.example.com", Server::api_home));
  CHECK(server.entries("grant-ended").size() == 1);
  CHECK(server.entries("crossing-ended").size() == 1);
  CHECK_FALSE(server.has_alert(""));

  server.stop();
  CHECK(run_demarc({"audit", "verify", server.path("audit")}).exit == 0);
  const std::string log = server.path("audit/jurisdiction-EU.jsonl");
  edit(log, "crossing-held", "crossing-helb");
  CHECK(run_demarc({"audit", "verify", server.path("audit")}).exit == 1);
}

TEST_CASE("drill: a home record takes over without anybody's signature", "[integration][drill]") {
  Server server;
  edit(server.path("repository/zones/example.com.yaml"),
       "        addresses: [198.51.100.10, \"2001:db8:2::10\"]\n",
       "        addresses: [198.51.100.10, \"2001:db8:2::10\"]\n"
       "      - { region: ch, weight: 0, endpoint: api.ch.example.net, addresses: 192.0.2.11 }\n");
  server.start();
  server.eu.close();
  CHECK(wait_for([&] { return server.answers("api.example.com", "192.0.2.11"); }));
}

TEST_CASE("drill: a human drains a region, the gate holds there too", "[integration][drill]") {
  Server server;
  server.start();
  CHECK(server.ask({"drain", "eu", "--for", "1h"}).exit == 2);  // no reason
  const Finished drained = server.ask({"drain", "eu", "--for", "1h", "--reason", "patching"});
  INFO(drained.err);
  REQUIRE(drained.exit == 0);
  CHECK(server.answers("shop.example.com", Server::shop_abroad));
  CHECK(server.answers("api.example.com", Server::api_home));
  CHECK(server.ask({"pending"}).exit == 1);
  CHECK(server.ask({"undrain", "eu"}).exit == 0);
  CHECK(server.answers("shop.example.com", Server::shop_home));
  CHECK(server.ask({"undrain", "eu"}).exit == 1);
}

TEST_CASE("drill: ends that come in silence are acted on", "[integration][drill]") {
  Server server;
  server.start();
  server.eu.status(503);
  REQUIRE(wait_for([&] { return server.ask({"pending"}).exit == 1; }));
  REQUIRE(server.ask({"drain", "abroad.example", "--for", "1h", "--reason", "x"}).exit == 1);
  REQUIRE(server.ask({"drain", "ap", "--for", "3s", "--reason", "patching"}).exit == 0);
  REQUIRE(server.approve(server.token({.lasts = "3s"})).exit == 0);
  // Nothing is asked of the control thread meanwhile: the trail's files alone are watched.
  REQUIRE(wait_for([&] { return server.entries("grant-ended").size() == 1; }, 15s));
  REQUIRE(wait_for([&] { return server.entries("order-ended").size() == 1; }, 15s));
  CHECK(server.entries("crossing-ended").size() == 1);
  CHECK(server.status()["grants"].empty());
  CHECK(server.has_alert("held/"));
  CHECK_FALSE(server.has_alert("crossing/"));
}
