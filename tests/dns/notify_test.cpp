#include "dns/notify.h"

#include <catch2/catch.hpp>

#include "tests/dns/tsig_world.h"

namespace demarc::dns::test {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t wall_ms = 1'795'413'600'000;  // 2026-11-23T06:00:00Z

Moment at(Milliseconds since) {
  return {WallTime{Milliseconds{wall_ms}} + since, MonotonicTime{1'000'000ms} + since};
}

/// example.com, of which 192.0.2.7 is told without a key and 2001:db8::7 with one.
struct NotifyWorld {
  World world;
  std::uint16_t last_id = 0x1000;
  NotifyQueue queue{[this] { return ++last_id; }};

  NotifyWorld() {
    zones::Transfer& transfer = world.repository.zones[0].transfer.emplace();
    transfer.notify = {{.address = address("192.0.2.7"), .port = 53},
                       {.address = address("2001:db8::7"),
                        .port = 5300,
                        .key = zones::TransferKey{name(key_name), {}}}};
    configure();
  }
  void configure() { queue.configure(*transfer_table(world, {good_key()})); }
  void change(std::uint32_t serial, Milliseconds since) {
    queue.change(name("example.com"), serial, at(since).monotonic);
  }
  [[nodiscard]] std::vector<NotifyMessage> due(Milliseconds since) {
    return queue.take_due(at(since)).messages;
  }
};

Bytes answer_to(const NotifyMessage& message, unsigned rcode = 0) {
  Query query;
  Bytes answer = message.bytes;
  answer[2] = 0;
  REQUIRE(read_query(answer, query) == Reading::good);
  if (query.tsig_at != 0) answer.resize(query.tsig_at);
  answer[2] = qr_bit | 4 << 3;
  answer[3] = static_cast<std::uint8_t>(rcode);
  answer[11] = 0;
  if (query.tsig_at == 0) return answer;
  const auto record = read_tsig(message.bytes, query.tsig_at);
  REQUIRE(record);
  const TsigKeys keys{good_key()};
  const std::uint64_t now = wall_ms / 1000;
  const TsigRequest request = check_tsig(message.bytes, *record, keys, now);
  REQUIRE(request.error == TsigError::none);
  const std::size_t size = answer.size();
  answer.resize(size + tsig_size_max);
  answer.resize(append_tsig(request, answer, size, now));
  return answer;
}

TEST_CASE("notify: nothing is said before something changes", "[dns][notify]") {
  NotifyWorld world;
  CHECK(world.due(0s).empty());
  CHECK(world.queue.waiting() == 0);
  world.queue.change(name("example.org"), 7, at(0s).monotonic);
  CHECK(world.due(0s).empty());
}

TEST_CASE("notify: each secondary is told at once, signed if it has a key", "[dns][notify]") {
  NotifyWorld world;
  world.change(7, 0s);
  const auto messages = world.due(0s);
  REQUIRE(messages.size() == 2);
  CHECK(messages[0].address == address("192.0.2.7"));
  CHECK(messages[0].port == 53);
  CHECK(messages[1].port == 5300);
  const Packet plain = parse_packet(messages[0].bytes);
  CHECK(ldns_pkt_get_opcode(plain.get()) == LDNS_PACKET_NOTIFY);
  CHECK(ldns_pkt_aa(plain.get()));
  CHECK(ldns_pkt_qdcount(plain.get()) == 1);
  CHECK(ldns_pkt_tsig(plain.get()) == nullptr);
  CHECK(ldns_pkt_tsig(parse_packet(messages[1].bytes).get()) != nullptr);
  CHECK(world.due(1999ms).empty());
}

TEST_CASE("notify: who does not answer is asked again, less and less, then no more",
          "[dns][notify]") {
  NotifyWorld world;
  world.change(7, 0s);
  Milliseconds now = 0s;
  for (const Milliseconds wait : {2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s}) {
    CHECK(world.due(now).size() == 2);
    CHECK(world.due(now + wait - 1ms).empty());
    now += wait;
  }
  const auto last = world.queue.take_due(at(now));
  CHECK(last.messages.empty());
  REQUIRE(last.given_up.size() == 2);
  CHECK(last.given_up[0].kind == NotifyOutcome::Kind::unanswered);
  CHECK(last.given_up[0].serial == 7);
  CHECK(world.queue.waiting() == 0);
  world.change(8, now + 1h);
  CHECK(world.due(now + 1h).size() == 2);
}

TEST_CASE("notify: a fast change is told once a second, with the last serial", "[dns][notify]") {
  NotifyWorld world;
  world.change(7, 0s);
  CHECK(world.due(0s).size() == 2);
  world.change(8, 10ms);
  world.change(9, 20ms);
  CHECK(world.due(999ms).empty());
  const auto messages = world.due(1s);
  REQUIRE(messages.size() == 2);
  const auto outcome =
      world.queue.take_answer(address("192.0.2.7"), 53, answer_to(messages[0]), at(1s).wall);
  REQUIRE(outcome);
  CHECK(outcome->serial == 9);
}

TEST_CASE("notify: only an answer to what was sent ends it", "[dns][notify]") {
  NotifyWorld world;
  world.change(7, 0s);
  const auto messages = world.due(0s);
  REQUIRE(messages.size() == 2);
  const geo::Address from = address("192.0.2.7");
  const Bytes good = answer_to(messages[0]);
  const auto is_taken = [&](const Bytes& bytes, const geo::Address& source, std::uint16_t port) {
    return world.queue.take_answer(source, port, bytes, at(0s).wall).has_value();
  };
  CHECK_FALSE(is_taken(good, address("192.0.2.8"), 53));
  CHECK_FALSE(is_taken(good, from, 54));
  for (const std::size_t at_byte : {std::size_t{0}, std::size_t{2}, std::size_t{13}}) {
    Bytes bad = good;
    bad[at_byte] ^= 0x10;  // the id, the opcode, the question
    CAPTURE(at_byte);
    CHECK_FALSE(is_taken(bad, from, 53));
  }
  Bytes query = good;
  query[2] &= 0x7f;
  CHECK_FALSE(is_taken(query, from, 53));
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(
        is_taken(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)), from, 53));
  }
  CHECK(world.queue.waiting() == 2);
  CHECK(is_taken(good, from, 53));
  CHECK_FALSE(is_taken(good, from, 53));  // once
  CHECK(world.queue.waiting() == 1);
  SECTION("of a signed message: one with a signature that holds") {
    const geo::Address other = address("2001:db8::7");
    const Bytes signed_answer = answer_to(messages[1]);
    Bytes bad = signed_answer;
    bad[3] = 5;
    CHECK_FALSE(is_taken(bad, other, 5300));
    Bytes plain(signed_answer.begin(),
                signed_answer.begin() + static_cast<std::ptrdiff_t>(good.size()));
    plain[11] = 0;
    CHECK_FALSE(is_taken(plain, other, 5300));
    CHECK(is_taken(signed_answer, other, 5300));
  }
  SECTION("a refusal ends it, too, and is told") {
    world.change(8, 5s);
    const auto again = world.due(5s);
    const auto outcome = world.queue.take_answer(from, 53, answer_to(again.at(0), 5), at(5s).wall);
    REQUIRE(outcome);
    CHECK(outcome->kind == NotifyOutcome::Kind::refused);
    CHECK(outcome->rcode == 5);
  }
}

TEST_CASE("notify: a load keeps what is under way, and forgets who is gone", "[dns][notify]") {
  NotifyWorld world;
  world.change(7, 0s);
  const auto messages = world.due(0s);
  auto& notify = world.world.repository.zones[0].transfer->notify;
  notify.erase(notify.begin() + 1);
  world.configure();
  CHECK(world.queue.waiting() == 1);
  CHECK(world.queue.take_answer(address("192.0.2.7"), 53, answer_to(messages[0]), at(0s).wall));
}

}  // namespace
}  // namespace demarc::dns::test
