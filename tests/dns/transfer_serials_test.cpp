// The serial of a zone that may be transferred: when it moves, and who tells it.
#include "dns/transfer_serials.h"

#include <catch2/catch.hpp>

#include "tests/dns/transfer_world.h"

namespace demarc::dns::test {
namespace {

struct SerialWorld : TransferWorld {
  SerialWorld() {
    add_api(zones::Residency::none, 1, 0);
    prepare();
    build();
  }
  [[nodiscard]] std::unique_ptr<const Snapshot> moved(const std::vector<std::uint32_t>& weights,
                                                      Moment now) const {
    zones::Plan plan = zones::base_plan(world.repository, zones::ServiceId{0});
    plan.weights.assign(weights.begin(), weights.end());
    const auto cleared =
        zones::Gate::rule(world.repository, *world.views, plan, std::span<zones::Permission>{})
            .cleared;
    return with_weights(*snapshot, world.repository, *world.views, std::span(&cleared, 1), now);
  }
};

TEST_CASE("serial: it moves with what a transfer gives, and only then", "[dns][transfer]") {
  SerialWorld world;
  const std::uint32_t first = world.serial();
  CHECK(first == start_serial + 1);
  SECTION("another weight of the same records changes nothing") {
    CHECK(world.moved({7, 0}, after(60))->serials.at(0) == first);
  }
  SECTION("another record does: to the clock, or one on") {
    world.look_at(world.moved({0, 1}, after(60)));
    CHECK(world.serial() == start_serial + 60);
    world.look_at(world.moved({1, 0}, after(60)));
    CHECK(world.serial() == start_serial + 61);
    world.look_at(world.moved({0, 1}, after(-9'999)));  // a clock that went back
    CHECK(world.serial() == start_serial + 62);
  }
  SECTION("everything that tells a serial tells this one") {
    world.look_at(world.moved({0, 1}, after(60)));
    const std::string soa = world.soa(start_serial + 60);
    CHECK(world.zone().front() == soa);
    CHECK(world.zone().back() == soa);
    world.client->transport = Transport::udp;
    CHECK(world.client->ask("example.com", rrtype::soa).answer() == Lines{soa});
    for (const auto& [qname, type] : {std::pair{"no.example.com", rrtype::a},
                                      {"www.example.com", rrtype::mx},
                                      {"api.example.com", rrtype::aaaa},
                                      {"api.example.com", rrtype::mx}}) {
      CAPTURE(qname, type);
      const Lines authority = world.client->ask(qname, type).authority();
      REQUIRE(authority.size() == 1);
      CHECK(authority[0].find(" " + std::to_string(start_serial + 60) + " ") != std::string::npos);
    }
    Bytes option;
    append16(option, edns::zone_version);
    append16(option, 0);
    const auto version = world.client->ask(QueryParts{.has_edns = true, .options = option})
                             .option(edns::zone_version);
    REQUIRE(version);
    CHECK(get32(version->data() + 2) == start_serial + 60);
  }
}

TEST_CASE("serial: every SOA says it, those at the end of chains too", "[dns][transfer]") {
  TransferWorld world;
  world.add_api(zones::Residency::none, 1, 0);
  for (const char* const line : {"alias.example.com. 300 IN CNAME www.example.com.",
                                 "gone.example.com. 300 IN CNAME nothing.example.com.",
                                 "steered.example.com. 300 IN CNAME api.example.com.",
                                 "to-cut.example.com. 300 IN CNAME sub.example.com.",
                                 "to-apex.example.com. 300 IN CNAME example.com.",
                                 "*.to-apex.example.com. 300 IN CNAME example.com.",
                                 "led.example.com. 300 IN DNAME example.com."}) {
    world.world.add(line);
  }
  world.prepare();
  world.build();
  REQUIRE(world.serial() == start_serial + 1);
  const auto tells_it = [&](const char* qname, std::uint16_t type) {
    const Message message = world.client->ask(qname, type);
    const Lines lines = type == rrtype::soa ? message.answer() : message.authority();
    return !lines.empty() && lines.back().find(" SOA ") != std::string::npos &&
           lines.back().find(" " + std::to_string(start_serial + 1) + " ") != std::string::npos;
  };
  for (const char* const qname :
       {"www.example.com", "nothing.example.com", "alias.example.com", "gone.example.com",
        "steered.example.com", "www.led.example.com", "nothing.led.example.com",
        "gone.led.example.com", "steered.led.example.com"}) {
    CAPTURE(qname);
    CHECK(tells_it(qname, rrtype::srv));
  }
  for (const char* const qname :
       {"sub.example.com", "to-cut.example.com", "sub.led.example.com", "to-cut.led.example.com"}) {
    CAPTURE(qname);
    CHECK(tells_it(qname, rrtype::ds));
  }
  for (const char* const qname :
       {"example.com", "to-apex.example.com", "x.to-apex.example.com", "to-apex.led.example.com"}) {
    CAPTURE(qname);
    CHECK(tells_it(qname, rrtype::ds));
    CHECK(tells_it(qname, rrtype::soa));
  }
}

TEST_CASE("serial: a load never takes it back", "[dns][transfer]") {
  SerialWorld world;
  world.look_at(world.moved({0, 1}, after(60)));
  const auto before = std::move(world.snapshot);
  zones::Zone& zone = world.world.repository.zones[0];
  SECTION("the same content keeps it") {
    world.world.repository.services[0].records[0].weight = 0;
    world.world.repository.services[0].records[1].weight = 1;
    world.prepare();
    world.build(after(90), before.get());
    CHECK(world.serial() == start_serial + 60);
  }
  SECTION("other answers, or another file, come after it") {
    world.prepare();
    world.build(after(90), before.get());
    CHECK(world.serial() == start_serial + 90);
    zone.digest = "other";
    world.prepare();
    world.build(after(-9'999), before.get());
    CHECK(world.serial() == start_serial + 61);
  }
  SECTION("a file's later serial counts") {
    REQUIRE(world.world.repository.zones[0].rrsets.set_serial(0x7fffffff));
    zone.serial = 0x7fffffff;
    world.prepare();
    world.build(after(90), before.get());
    CHECK(world.serial() == 0x7fffffff);
  }
}

TEST_CASE("serial: the book has what a restart must come after", "[dns][transfer]") {
  SerialWorld world;
  zones::SerialBook book{{"example.com", {"digest", 1}}, {"other.example", {"d", 5}}};
  CHECK(note_serials(*world.snapshot, book));
  CHECK_FALSE(note_serials(*world.snapshot, book));
  CHECK(book.at("example.com") ==
        std::pair<std::string, std::uint32_t>{"digest", start_serial + 1});
  CHECK(book.at("other.example").second == 5);
}

}  // namespace
}  // namespace demarc::dns::test
