// Zone transfers: who may have a zone, what it gives, message by message, and how its serial moves.
#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

#include "dns/transfer_reply.h"
#include "dns/transfer_serials.h"
#include "dns/transfer_stream.h"
#include "tests/dns/tsig_world.h"

namespace demarc::dns::test {
namespace {

using Lines = std::vector<std::string>;

constexpr std::int64_t start_ms = 1'795'413'600'000;  // 2026-11-23T06:00:00Z
constexpr std::uint32_t start_serial = 1'795'413'600;
const Moment start{WallTime{Milliseconds{start_ms}}, MonotonicTime{Milliseconds{5'000}}};

Moment after(std::int64_t seconds) {
  return {start.wall + Milliseconds{seconds * 1000}, start.monotonic};
}

/// example.com, that 192.0.2.0/24 and who has the key may have; example.org, that nobody may.
struct TransferWorld {
  World world;
  std::unique_ptr<const Snapshot> snapshot;
  std::optional<Client> client;

  TransferWorld() {
    world.add("www.example.com. 300 IN A 192.0.2.80");
    world.add("sub.example.com. 300 IN NS ns.sub.example.com.");
    world.add("ns.sub.example.com. 300 IN A 192.0.2.54");
    world.add("*.wild.example.com. 300 IN TXT \"wild\"");
    zones::Transfer& transfer = world.repository.zones[0].transfer.emplace();
    transfer.networks = {*geo::parse_prefix("192.0.2.0/24")};
    transfer.keys = {{name(key_name), {}}};
  }

  /// Eu is home, us is not; the weights are eu's and us's.
  zones::Service& add_api(zones::Residency residency, std::uint16_t eu, std::uint16_t us) {
    zones::Service& api = world.add_service("api.example.com");
    World::add_record(api, 0, eu, "eu.example.net", {"192.0.2.1", "2001:db8::1"});
    World::add_record(api, 1, us, "us.example.net", {"198.51.100.1"});
    if (residency == zones::Residency::none) return api;
    api.residency = residency;
    api.home_kind = zones::HomeKind::jurisdiction;
    api.home = zones::JurisdictionId{0};
    return api;
  }

  void prepare() {
    world.prepare();
    world.parts.transfers = transfer_table(world, {good_key()});
  }
  void build(Moment now = start, const Snapshot* before = nullptr) {
    std::vector<zones::ClearedWeights> cleared;
    for (std::size_t index = 0; index < world.repository.services.size(); ++index) {
      cleared.push_back(world.clear(static_cast<zones::ServiceId>(index)));
    }
    build_with(cleared, now, before);
  }
  void build_with(const std::vector<zones::ClearedWeights>& cleared, Moment now = start,
                  const Snapshot* before = nullptr) {
    world.parts.before = before;
    look_at(build_snapshot(world.repository, *world.views, world.parts, cleared, now, 1));
  }
  void look_at(std::unique_ptr<const Snapshot> next) {
    snapshot = std::move(next);
    client.emplace(*snapshot);
    client->transport = Transport::tcp;
    client->worker().transfer_places = 1;
    client->worker().now.wall_ms = static_cast<std::int64_t>(seconds_now()) * 1000;
  }

  /// The messages of what `query` is granted; none if it is refused.
  std::vector<Bytes> messages(const Bytes& query) {
    std::vector<Bytes> all;
    client->worker().transfer.reset();
    (void)client->ask_bytes(query);
    if (!client->worker().transfer) return all;
    TransferStream stream;
    stream.begin(*snapshot, *client->worker().transfer);
    Bytes out(message_size_max);
    while (const auto size = stream.write_message(out, seconds_now())) {
      all.emplace_back(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size));
    }
    CHECK(stream.is_whole());
    return all;
  }
  Lines zone() {
    Lines lines;
    for (const Bytes& bytes :
         messages(query_bytes({.name = "example.com", .type = rrtype::axfr}))) {
      const Message message(bytes);
      CHECK(message.rcode() == 0);
      CHECK(message.aa());
      CHECK(message.id() == 0x4711);
      std::ranges::copy(message.answer(), std::back_inserter(lines));
    }
    return lines;
  }
  [[nodiscard]] std::string soa(std::uint32_t serial) const {
    return "example.com. 3600 SOA ns1.example.com. hostmaster.example.com. " +
           std::to_string(serial) + " 7200 900 1209600 60";
  }
  [[nodiscard]] std::uint32_t serial() const { return snapshot->serials.at(0); }
};

Bytes ixfr_bytes(std::uint32_t serial) {
  Bytes bytes = query_bytes({.name = "example.com", .type = rrtype::ixfr});
  bytes[9] = 1;
  append16(bytes, 0xc000 | header_size);
  append16(bytes, rrtype::soa);
  append16(bytes, rrclass::in);
  bytes.insert(bytes.end(), {0, 0, 0, 0});
  append16(bytes, 22);
  append16(bytes, 0);  // MNAME and RNAME: the root
  append16(bytes, serial >> 16);
  append16(bytes, serial & 0xffff);
  bytes.insert(bytes.end(), 16, 0);
  return bytes;
}

TEST_CASE("transfer: everything of the zone between two SOAs", "[dns][transfer]") {
  TransferWorld world;
  world.world.add("led.example.com. 300 IN DNAME www.example.com.");
  world.add_api(zones::Residency::hard, 100, 0);
  world.prepare();
  world.build();
  CHECK(world.zone() ==
        Lines{world.soa(start_serial + 1), "example.com. 3600 NS ns1.example.com.",
              "www.example.com. 300 A 192.0.2.80", "sub.example.com. 300 NS ns.sub.example.com.",
              "ns.sub.example.com. 300 A 192.0.2.54", "*.wild.example.com. 300 TXT \"wild\"",
              "led.example.com. 300 DNAME www.example.com.", "api.example.com. 30 A 192.0.2.1",
              "api.example.com. 30 AAAA 2001:db8::1",
              "_mode.api.example.com. 30 TXT \"v=demarc1 mode=home\"",
              world.soa(start_serial + 1)});
  CHECK(world.client->worker().counters.transfers_refused.value() == 0);
}

TEST_CASE("transfer: an HTTPS record hints at the addresses beside it, and moves the serial",
          "[dns][transfer][https]") {
  TransferWorld world;
  zones::Service& api = world.add_api(zones::Residency::hard, 100, 0);
  world.prepare();
  world.build();
  const std::unique_ptr<const Snapshot> before = std::move(world.snapshot);
  api.https = zones::HttpsBinding{.alpn = {"h2"}};
  world.prepare();
  world.build(after(10), before.get());
  const Lines zone = world.zone();
  const auto https = std::ranges::find(
      zone, "api.example.com. 30 HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1");
  CHECK(https != zone.end());
  CHECK(world.serial() > before->serials.at(0));
  const auto is_abroad = [](const std::string& line) {
    return line.find("198.51.100.1") != std::string::npos;
  };
  CHECK(std::ranges::none_of(zone, is_abroad));
}

TEST_CASE("transfer: a service gives what a client of unknown place may get", "[dns][transfer]") {
  TransferWorld world;
  const auto answers_of = [&] {
    world.prepare();
    world.build();
    Lines lines;
    for (const std::string& line : world.zone()) {
      if (line.starts_with("api.")) lines.push_back(line.substr(line.find(' ', 17) + 1));
    }
    return lines;
  };
  SECTION("all records with weight, an address that two have once") {
    zones::Service& api = world.add_api(zones::Residency::none, 1, 9);
    World::add_record(api, 0, 5, "more.example.net", {"198.51.100.1", "192.0.2.9"});
    World::add_record(api, 0, 0, "idle.example.net", {"192.0.2.99"});
    CHECK(answers_of() ==
          Lines{"A 192.0.2.1", "AAAA 2001:db8::1", "A 198.51.100.1", "A 192.0.2.9"});
  }
  SECTION("the regions of the default line alone") {
    World::route_by_country(world.add_api(zones::Residency::none, 1, 1));
    world.world.add_network("192.0.2.0/24", "US");  // not by where the secondary is
    CHECK(answers_of() == Lines{"A 192.0.2.1", "AAAA 2001:db8::1"});
  }
  SECTION("of several CNAMEs the heaviest, as one owner has one") {
    zones::Service& api = world.world.add_service("api.example.com");
    World::add_record(api, 0, 10, "a.example.net", {});
    World::add_record(api, 0, 30, "b.example.net", {});
    World::add_record(api, 0, 20, "c.example.net", {});
    CHECK(answers_of() == Lines{"CNAME b.example.net."});
  }
  SECTION("beside addresses no CNAME") {
    zones::Service& api = world.world.add_service("api.example.com");
    World::add_record(api, 0, 99, "a.example.net", {});
    World::add_record(api, 0, 1, "b.example.net", {"192.0.2.7"});
    CHECK(answers_of() == Lines{"A 192.0.2.7"});
  }
}

TEST_CASE("transfer: a crossing never reaches a secondary, grant or not", "[dns][transfer]") {
  TransferWorld world;
  world.add_api(zones::Residency::hard, 100, 0);
  world.prepare();
  zones::Plan plan = zones::base_plan(world.world.repository, zones::ServiceId{0});
  plan.weights = {0, 100};
  plan.usable = {false, true};
  const zones::Permission permission{"grant-0123456789",
                                     zones::ServiceId{0},
                                     {zones::RegionId{0}},
                                     {zones::RegionId{1}},
                                     zones::Mode::full_write,
                                     start.wall + Milliseconds{60'000},
                                     100,
                                     "",
                                     "CASE"};
  const auto cleared = [&](std::span<const zones::Permission> permissions) {
    return zones::Gate::rule(world.world.repository, *world.world.views, plan, permissions).cleared;
  };
  for (const auto permissions : {std::span<const zones::Permission>{}, {&permission, 1}}) {
    world.build_with({cleared(permissions)});
    Client client(*world.snapshot);
    client.worker().now = {start_ms, 5'000};
    const Lines answer = client.ask("api.example.com", rrtype::a).answer();
    const bool crosses = answer == Lines{"api.example.com. 30 A 198.51.100.1"};
    CHECK(crosses == !permissions.empty());
    const Lines lines = world.zone();
    CHECK(std::ranges::count(lines, "api.example.com. 30 A 192.0.2.1") == 1);
    CHECK(std::ranges::count(lines, "api.example.com. 30 A 198.51.100.1") == 0);
  }
}

TEST_CASE("transfer: who may have the zone", "[dns][transfer]") {
  TransferWorld world;
  world.world.add_zone("example.org");
  world.prepare();
  world.build();
  Client& client = *world.client;
  const QueryParts axfr{.name = "example.com", .type = rrtype::axfr, .has_edns = true};
  const auto rcode = [&](const QueryParts& parts) { return client.ask(parts).rcode(); };
  SECTION("a client of a listed network") { CHECK(world.messages(query_bytes(axfr)).size() == 1); }
  client.from = address("203.0.113.1");
  SECTION("nobody else, and he is told so") {
    CHECK(world.messages(query_bytes(axfr)).empty());
    const Message refused = client.ask(axfr);
    CHECK(refused.rcode() == 5);
    CHECK(refused.extended_error() == 18);
    CHECK_FALSE(refused.aa());
    CHECK(client.worker().counters.transfers_refused.value() == 2);
  }
  SECTION("who signs with a listed key, wherever he is, and what he gets is signed") {
    const SignedBytes query = sign_with_ldns(query_bytes(axfr));
    const auto messages = world.messages(query.bytes);
    REQUIRE(messages.size() == 1);
    CHECK(LdnsVerifier(query.mac).holds(messages[0]));
  }
  SECTION("a signature that does not hold gets nothing, not even in a listed network") {
    client.from = address("192.0.2.1");
    const Bytes bad = sign_with_ldns(query_bytes(axfr), key_name, "AAAA").bytes;
    CHECK(world.messages(bad).empty());
    CHECK(Message(client.ask_bytes(bad)).rcode() == 9);
  }
  SECTION("a known key that is not listed does not help") {
    world.world.repository.zones[0].transfer->keys.clear();
    world.prepare();
    world.build();
    world.client->from = address("203.0.113.1");
    const SignedBytes query = sign_with_ldns(query_bytes(axfr));
    CHECK(world.messages(query.bytes).empty());
    const auto refused = world.client->ask_bytes(query.bytes);
    CHECK(Message(refused).rcode() == 5);
    CHECK(LdnsVerifier(query.mac).holds(refused));
  }
  SECTION("a zone without `transfer:` nobody; what is no zone of ours is NOTAUTH") {
    client.from = address("192.0.2.1");
    CHECK(rcode({.name = "example.org", .type = rrtype::axfr}) == 5);
    CHECK(rcode({.name = "example.net", .type = rrtype::axfr}) == 9);
    CHECK(rcode({.name = "www.example.com", .type = rrtype::axfr}) == 9);
    CHECK(rcode({.name = "example.com", .type = rrtype::axfr, .klass = 255}) == 5);
    CHECK(rcode({.name = "example.com", .type = rrtype::axfr, .klass = 3}) == 5);
  }
  SECTION("over UDP never (RFC 5936 §4.2)") {
    client.from = address("192.0.2.1");
    client.transport = Transport::udp;
    const Message refused = client.ask(axfr);
    CHECK(refused.rcode() == 5);
    CHECK(refused.extended_error() == 21);
    CHECK_FALSE(client.worker().transfer);
  }
  SECTION("not more at once than there are places") {
    client.from = address("192.0.2.1");
    client.worker().transfer_places = 0;
    CHECK(rcode(axfr) == 2);
    CHECK_FALSE(client.worker().transfer);
  }
}

TEST_CASE("transfer: a service that is not ready holds the zone back", "[dns][transfer]") {
  TransferWorld world;
  world.add_api(zones::Residency::hard, 100, 0);
  world.prepare();
  world.build_with({});
  CHECK(world.client->ask("example.com", rrtype::axfr).rcode() == 2);
}

TEST_CASE("transfer: IXFR is answered by the zone, or by its SOA alone", "[dns][transfer]") {
  TransferWorld world;
  world.world.repository.zones[0].serial = 1;
  world.prepare();
  world.build();
  REQUIRE(world.serial() == 1);
  Client& client = *world.client;
  const auto ask = [&](std::uint32_t serial) {
    return Message(client.ask_bytes(ixfr_bytes(serial)));
  };
  CHECK(world.messages(ixfr_bytes(0)).size() == 1);
  CHECK(world.messages(ixfr_bytes(1)).empty());
  CHECK(ask(1).answer() == Lines{world.soa(1)});
  CHECK(ask(2).answer() == Lines{world.soa(1)});  // it knows more than we do
  client.transport = Transport::udp;
  CHECK(ask(0).answer() == Lines{world.soa(1)});  // it comes by TCP (RFC 1995 §4)
  CHECK(ask(0).aa());
  CHECK(client.ask("example.com", rrtype::ixfr).rcode() == 1);  // without its SOA
  client.from = address("203.0.113.1");
  CHECK(ask(0).rcode() == 5);
}

TEST_CASE("transfer: many messages, each signed, none too long", "[dns][transfer]") {
  TransferWorld world;
  std::set<std::string> expected;
  for (unsigned index = 0; index < 5'000; ++index) {
    const std::string line = "n" + std::to_string(index) + ".deep.example.com. 300 ";
    world.world.add_rdata(name("n" + std::to_string(index) + ".deep.example.com"), rrtype::a, 300,
                          {'\x0a', '\0', static_cast<char>(index >> 8), static_cast<char>(index)});
    expected.insert(line + "A 10.0." + std::to_string(index >> 8) + "." +
                    std::to_string(index & 0xff));
  }
  // One record of nearly a whole message: 249 strings of 255 bytes.
  zones::Rdata long_text;
  for (int count = 0; count < 249; ++count) long_text += '\xff' + std::string(255, 'x');
  world.world.add_rdata(name("long.example.com"), rrtype::txt, 300, long_text);
  world.prepare();
  world.build();
  for (const bool has_edns : {false, true}) {
    const SignedBytes query = sign_with_ldns(query_bytes(
        {.name = "eXample.com", .type = rrtype::axfr, .has_edns = has_edns, .dnssec_ok = true}));
    const auto messages = world.messages(query.bytes);
    CHECK(messages.size() > 5);
    LdnsVerifier verifier(query.mac);
    std::set<std::string> found;
    std::size_t long_messages = 0;
    for (const Bytes& bytes : messages) {
      CHECK(verifier.holds(bytes));
      if (bytes.size() > transfer_message_size) ++long_messages;
      const Message message(bytes);
      CHECK(message.has_edns() == has_edns);
      for (const std::string& line : message.answer()) {
        if (line.starts_with("n") && line.find("deep") != std::string::npos) {
          CHECK(found.insert(line).second);
        }
      }
    }
    CHECK(long_messages == 1);
    std::set<std::string> in_lower_case;
    for (std::string line : found) {
      const auto at = line.find("eXample");
      if (at != std::string::npos) line[at + 1] = 'x';
      in_lower_case.insert(std::move(line));
    }
    CHECK(in_lower_case == expected);
  }
}

TEST_CASE("transfer: a key that the server does not know is found at load", "[dns][transfer]") {
  TransferWorld world;
  zones::Transfer& transfer = *world.world.repository.zones[0].transfer;
  transfer.keys[0].place = {"zones/a.yaml", 7, 3};
  transfer.notify = {{.address = address("192.0.2.1"),
                      .key = zones::TransferKey{name("other.example"), {"zones/a.yaml", 8, 5}}}};
  const std::shared_ptr<const zones::Repository> repository(&world.world.repository,
                                                            [](const zones::Repository*) {});
  const auto table = TransferTable::build(repository, {});
  REQUIRE_FALSE(table);
  CHECK(table.error() ==
        Lines{"zones/a.yaml:7:3: [unknown-tsig-key] key `transfer.example.net` is not known here; "
              "expected one of `tsig-keys` in demarcd.yaml",
              "zones/a.yaml:8:5: [unknown-tsig-key] key `other.example` is not known here; "
              "expected one of `tsig-keys` in demarcd.yaml"});
}

// ---- serials

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

TEST_CASE("serial: every SOA says it, those behind aliases too", "[dns][transfer]") {
  TransferWorld world;
  world.add_api(zones::Residency::none, 1, 0);
  world.world.add("alias.example.com. 300 IN CNAME www.example.com.");
  world.world.add("gone.example.com. 300 IN CNAME nothing.example.com.");
  world.world.add("steered.example.com. 300 IN CNAME api.example.com.");
  world.world.add("led.example.com. 300 IN DNAME example.com.");
  world.prepare();
  world.build();
  REQUIRE(world.serial() == start_serial + 1);
  const std::string serial = " " + std::to_string(start_serial + 1) + " ";
  for (const char* const qname :
       {"www.example.com", "nothing.example.com", "alias.example.com", "gone.example.com",
        "steered.example.com", "www.led.example.com", "nothing.led.example.com",
        "gone.led.example.com", "steered.led.example.com"}) {
    CAPTURE(qname);
    const Lines soa = world.client->ask(qname, rrtype::srv).authority();
    REQUIRE(soa.size() == 1);
    CAPTURE(soa[0]);
    CHECK(soa[0].find(serial) != std::string::npos);
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
    world.world.repository.zones[0].rrsets[0].rdata[0].replace(
        world.world.repository.zones[0].rrsets[0].rdata[0].size() - 20, 4, "\x7f\xff\xff\xff");
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
