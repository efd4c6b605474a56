// Services whose clients keep their answers, and services that do not look at ECS.
#include <catch2/catch.hpp>

#include <map>
#include <set>

#include "tests/dns/world.h"
#include "tests/support/allocation_count.h"

namespace demarc::dns::test {
namespace {

constexpr const char* owner = "api.example.com";

// Ten records of one region; weights 1 to 10.
World sticky_world(std::size_t answers = 1) {
  World world;
  zones::Service& api = world.add_service(owner);
  api.is_sticky = true;
  api.answers = answers;
  api.https = zones::HttpsBinding{.alpn = {"h2"}};
  for (std::uint16_t i = 1; i <= 10; ++i) {
    const std::string number = std::to_string(i);
    World::add_record(api, 0, i, "e" + number + ".example.net",
                      {"192.0.2." + number, "2001:db8::" + number});
  }
  return world;
}

std::string net(unsigned i) {
  return "80." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".";
}

std::string last_word(const std::string& line) { return line.substr(line.rfind(' ') + 1); }

TEST_CASE("sticky: a client's network keeps its answer, on every thread and node",
          "[dns][sticky]") {
  World world = sticky_world();
  const auto snapshot = world.build();
  Client one(*snapshot, 1), other(*snapshot, 2);
  std::map<std::string, unsigned> count;
  for (unsigned i = 0; i < 2000; ++i) {
    one.from = address(net(i) + "1");
    other.from = address(net(i) + "77");
    const auto answer = one.ask(owner, rrtype::a).answer();
    REQUIRE(answer.size() == 1);
    if (other.ask(owner, rrtype::a).answer() != answer) FAIL(net(i));
    ++count[last_word(answer[0])];
  }
  REQUIRE(count.size() == 10);
  CHECK(count["192.0.2.10"] > 4 * count["192.0.2.1"]);  // 10 to 1 by weight
}

TEST_CASE("sticky: all types of a name come from the record that the client keeps",
          "[dns][sticky][https]") {
  const std::size_t answers = GENERATE(1U, 3U);
  World world = sticky_world(answers);
  const auto snapshot = world.build();
  Client client(*snapshot);
  for (unsigned i = 0; i < 200; ++i) {
    client.from = address(net(i) + "1");
    std::set<std::string> fours, sixes;
    for (const auto& line : client.ask(owner, rrtype::a).answer()) {
      fours.insert(last_word(line).substr(last_word(line).rfind('.') + 1));
    }
    for (const auto& line : client.ask(owner, rrtype::aaaa).answer()) {
      sixes.insert(last_word(line).substr(last_word(line).rfind(':') + 1));
    }
    CHECK(fours.size() == answers);
    CHECK(fours == sixes);
    const auto https = client.ask(owner, rrtype::https).answer();
    REQUIRE(https.size() == 1);
    const auto hints = https[0].substr(https[0].find("ipv4hint="));
    for (const std::string& four : fours) {
      CAPTURE(four, hints);
      CHECK((hints + ",").find("192.0.2." + four + (hints.ends_with(four) ? "" : "")) !=
            std::string::npos);
    }
  }
}

TEST_CASE("sticky: a record that goes moves its own clients alone", "[dns][sticky]") {
  World before = sticky_world(), after = sticky_world();
  after.repository.services[0].records[6].weight = 0;
  const auto whole = before.build(), less = after.build();
  Client client(*whole);
  unsigned moved = 0;
  for (unsigned i = 0; i < 1000; ++i) {
    client.from = address(net(i) + "1");
    client.look_at(*whole);
    const auto then = client.ask(owner, rrtype::a).answer();
    client.look_at(*less);
    const auto now = client.ask(owner, rrtype::a).answer();
    if (last_word(then[0]) == "192.0.2.7") {
      ++moved;
      CHECK(now != then);
    } else {
      CHECK(now == then);
    }
  }
  CHECK(moved > 50);
}

TEST_CASE("sticky: the ECS scope is the network that keeps the answer", "[dns][sticky][ecs]") {
  World world = sticky_world();
  const auto snapshot = world.build();
  Client client(*snapshot);
  const auto scope = [&](const char* subnet, std::uint8_t length) {
    return client.ask_for(owner, rrtype::a, subnet, length).scope();
  };
  CHECK(scope("80.1.2.0", 24) == 24);
  CHECK(scope("80.1.2.3", 32) == 24);
  CHECK(scope("80.1.0.0", 16) == 16);
  CHECK(scope("2001:db8:aa:bb::", 64) == 56);
  CHECK(scope("80.1.2.0", 0) == 0);
  // By ECS, whoever the resolver is.
  const auto seen = client.ask_for(owner, rrtype::a, "80.1.2.0", 24).answer();
  client.from = address("198.51.100.1");
  CHECK(client.ask_for(owner, rrtype::a, "80.1.2.99", 32).answer() == seen);
}

TEST_CASE("sticky: an answer allocates nothing", "[dns][sticky]") {
  const std::size_t answers = GENERATE(1U, 3U);
  World world = sticky_world(answers);
  const auto snapshot = world.build();
  Client client(*snapshot);
  QueryParts parts;
  parts.name = owner;
  parts.type = rrtype::a;
  const auto packet = query_bytes(parts);
  (void)client.ask_bytes(packet);
  const AllocationCount count;
  (void)client.ask_bytes(packet);
  CHECK(count.since() == 0);
}

TEST_CASE("client-subnet: ignored, the resolver's own address decides", "[dns][ecs]") {
  World world;
  zones::Service& api = world.add_service(owner);
  World::route_by_country(api);
  api.uses_client_subnet = false;
  World::add_record(api, 0, 1, "eu.example.net", {"192.0.2.1"});
  World::add_record(api, 1, 1, "us.example.net", {"192.0.2.2"});
  world.add_network("198.51.0.0/16", "US");
  world.add_network("203.0.0.0/8", "DE");
  const auto snapshot = world.build();
  Client client(*snapshot);
  client.from = address("198.51.100.1");
  const Message message = client.ask_for(owner, rrtype::a, "203.0.113.0", 24);
  CHECK(last_word(message.answer().at(0)) == "192.0.2.2");
  CHECK(message.scope() == 0);
  CHECK(last_word(client.ask_for(owner, rrtype::a, "203.0.113.0", 0).answer().at(0)) ==
        "192.0.2.2");
}

}  // namespace
}  // namespace demarc::dns::test
