#include "dns/tsig.h"

#include <catch2/catch.hpp>

#include "tests/dns/tsig_world.h"

namespace demarc::dns::test {
namespace {

Tsig read(const Bytes& message) {
  Query query;
  REQUIRE(read_query(message, query) == Reading::good);
  REQUIRE(query.tsig_at != 0);
  const auto record = read_tsig(message, query.tsig_at);
  REQUIRE(record);
  return *record;
}

TsigError check(const Bytes& message, std::uint64_t now = seconds_now()) {
  return check_tsig(message, read(message), {good_key()}, now).error;
}

// Where the MAC's size stands: behind the names and the times.
std::size_t mac_size_at(const Bytes& message) {
  const Tsig record = read(message);
  return static_cast<std::size_t>(record.mac.data() - message.data()) - 2;
}

// The record with its MAC cut to `size` bytes.
Bytes with_mac_size(Bytes message, std::size_t size) {
  const std::size_t at = mac_size_at(message);
  const std::size_t cut = tsig_mac_size - size;
  const Tsig record = read(message);
  const std::size_t rdlength_at = record.at + record.key.size + 8;
  put16(message.data() + rdlength_at, get16(message.data() + rdlength_at) - cut);
  put16(message.data() + at, size);
  const auto mac = message.begin() + static_cast<std::ptrdiff_t>(at + 2 + size);
  message.erase(mac, mac + static_cast<std::ptrdiff_t>(cut));
  return message;
}

TEST_CASE("tsig: what ldns signs holds, whatever the name's letters", "[dns][tsig]") {
  CHECK(check(sign_with_ldns(query_bytes({})).bytes) == TsigError::none);
  CHECK(check(sign_with_ldns(query_bytes({.has_edns = true})).bytes) == TsigError::none);
  CHECK(check(sign_with_ldns(query_bytes({}), "TransFer.example.NET.").bytes) == TsigError::none);
}

TEST_CASE("tsig: what does not hold says why", "[dns][tsig]") {
  const Bytes good = sign_with_ldns(query_bytes({})).bytes;
  const std::uint64_t now = seconds_now();
  SECTION("a key that nobody knows") {
    CHECK(check(sign_with_ldns(query_bytes({}), "other.example.net.").bytes) == TsigError::badkey);
  }
  SECTION("another algorithm of a known key") {
    const Bytes sha1 = sign_with_ldns(query_bytes({}), key_name, key_base64, "hmac-sha1.").bytes;
    CHECK(check(sha1) == TsigError::badkey);
  }
  SECTION("another secret") {
    CHECK(check(sign_with_ldns(query_bytes({}), key_name, "AAAA").bytes) == TsigError::badsig);
  }
  SECTION("any byte of what is signed changed") {
    const std::size_t mac_at = mac_size_at(good) + 2;
    for (std::size_t at = header_size; at < mac_at + tsig_mac_size; ++at) {
      Bytes bad = good;
      bad[at] ^= 0x80;
      Query query;
      if (read_query(bad, query) != Reading::good || query.tsig_at == 0) continue;
      const auto record = read_tsig(bad, query.tsig_at);
      if (!record) continue;
      CAPTURE(at);
      CHECK(check_tsig(bad, *record, {good_key()}, now).error != TsigError::none);
    }
  }
  SECTION("an ID that a forwarder changed is no change") {
    Bytes forwarded = good;
    forwarded[0] ^= 0xff;
    CHECK(check(forwarded) == TsigError::none);
  }
  SECTION("time: just inside and just outside the fudge, both ways") {
    const std::uint64_t then = read(good).time_signed;
    CHECK(check(good, then + 300) == TsigError::none);
    CHECK(check(good, then + 301) == TsigError::badtime);
    CHECK(check(good, then - 300) == TsigError::none);
    CHECK(check(good, then - 301) == TsigError::badtime);
  }
  SECTION("a MAC that is cut short, but not too short to be one") {
    CHECK(check(with_mac_size(good, 31)) == TsigError::badtrunc);
    CHECK(check(with_mac_size(good, 16)) == TsigError::badtrunc);
    CHECK(check(with_mac_size(good, 0)) == TsigError::badsig);
  }
}

TEST_CASE("tsig: malformed records are none", "[dns][tsig]") {
  const Bytes good = sign_with_ldns(query_bytes({})).bytes;
  const Tsig record = read(good);
  const std::size_t fixed = record.at + record.key.size;
  const auto is_read = [&](const Bytes& message) {
    return read_tsig(message, record.at).has_value();
  };
  CHECK(is_read(good));
  for (const auto& [what, at] : {std::pair{"TYPE", fixed + 1},
                                 {"CLASS", fixed + 3},
                                 {"TTL", fixed + 7},
                                 {"RDLENGTH", fixed + 9}}) {
    CAPTURE(what);
    Bytes bad = good;
    ++bad[at];
    CHECK_FALSE(is_read(bad));
  }
  CHECK_FALSE(is_read(with_mac_size(good, 15)));
  for (std::size_t size = record.at; size < good.size(); ++size) {
    CHECK_FALSE(read_tsig(std::span(good).first(size), record.at));
  }
  Bytes followed = good;
  followed.push_back(0);
  CHECK_FALSE(is_read(followed));
  SECTION("a compressed owner is fine, one that leads in a circle is not") {
    // The QNAME www.example.com: its suffix is no key of ours, but a name.
    Bytes message = query_bytes({});
    const std::size_t at = message.size();
    append16(message, 0xc000 | header_size);
    message.insert(message.end(), good.begin() + static_cast<std::ptrdiff_t>(fixed), good.end());
    const auto compressed = read_tsig(message, at);
    REQUIRE(compressed);
    CHECK(compressed->key.size == name_bytes("www.example.com").size());
    put16(message.data() + at, 0xc000 | at);
    CHECK_FALSE(read_tsig(message, at));
  }
}

TEST_CASE("tsig: signed queries get signed answers, over UDP and TCP", "[dns][tsig]") {
  World world;
  world.add("www.example.com. 300 IN A 192.0.2.80");
  for (int index = 0; index < 29; ++index) {
    world.add("many.example.com. 300 IN A 192.0.2." + std::to_string(index));
  }
  world.prepare();
  world.parts.transfers = transfer_table(world, {good_key()});
  const auto snapshot = build_snapshot(world.repository, *world.views, world.parts, {}, {}, 1);
  Client client(*snapshot);
  client.worker().now.wall_ms = static_cast<std::int64_t>(seconds_now()) * 1000;
  const auto count_of_errors = [&] { return client.worker().counters.tsig_errors.value(); };
  for (const Transport transport : {Transport::udp, Transport::tcp}) {
    client.transport = transport;
    for (const bool has_edns : {false, true}) {
      const SignedBytes query = sign_with_ldns(query_bytes({.has_edns = has_edns}));
      const auto answer = client.ask_bytes(query.bytes);
      CHECK(LdnsVerifier(query.mac).holds(answer));
      CHECK(Message(answer).answer() ==
            std::vector<std::string>{"www.example.com. 300 A 192.0.2.80"});
    }
  }
  client.transport = Transport::udp;
  SECTION("what fits only without its signature is truncated") {
    const Bytes plain = query_bytes({.name = "many.example.com"});
    CHECK_FALSE(Message(client.ask_bytes(plain)).tc());
    const SignedBytes query = sign_with_ldns(plain);
    const auto answer = client.ask_bytes(query.bytes);
    CHECK(LdnsVerifier(query.mac).holds(answer));
    CHECK(Message(answer).tc());
    CHECK(answer.size() <= udp_size_without_edns);
  }
  SECTION("BADKEY and BADSIG: NOTAUTH, no data, not signed") {
    for (const auto& [key, secret, error] :
         {std::tuple{"other.example.net.", key_base64, 17U}, {key_name, "AAAA", 16U}}) {
      const auto answer = client.ask_bytes(sign_with_ldns(query_bytes({}), key, secret).bytes);
      const Message message(answer);
      CHECK(message.rcode() == 9);
      CHECK(message.answer().empty());
      const Packet packet = parse_packet(answer);
      REQUIRE(ldns_pkt_tsig(packet.get()) != nullptr);
      CHECK(ldns_rdf_size(ldns_rr_rdf(ldns_pkt_tsig(packet.get()), 3)) == 2);  // no MAC
      CHECK(ldns_rdf2native_int16(ldns_rr_rdf(ldns_pkt_tsig(packet.get()), 5)) == error);
    }
    CHECK(count_of_errors() == 2);
  }
  SECTION("BADTIME: NOTAUTH, signed, with our time (§5.2.3)") {
    const SignedBytes query = sign_with_ldns(query_bytes({}));
    client.worker().now.wall_ms += 1'000'000;
    const auto answer = client.ask_bytes(query.bytes);
    CHECK(LdnsVerifier(query.mac).holds(answer));
    CHECK(Message(answer).rcode() == 9);
    const Packet packet = parse_packet(answer);
    CHECK(ldns_rdf2native_int16(ldns_rr_rdf(ldns_pkt_tsig(packet.get()), 5)) == 18);
    CHECK(ldns_rdf_size(ldns_rr_rdf(ldns_pkt_tsig(packet.get()), 6)) == 8);
  }
  SECTION("a malformed record, and one that is not the last: FORMERR") {
    Bytes message = sign_with_ldns(query_bytes({})).bytes;
    message[message.size() - 1] ^= 1;  // Other Len
    CHECK(Message(client.ask_bytes(message)).rcode() == 1);
    message = sign_with_ldns(query_bytes({})).bytes;
    const Bytes opt = opt_bytes({});
    message.insert(message.end(), opt.begin(), opt.end());
    ++message[11];
    CHECK(Message(client.ask_bytes(message)).rcode() == 1);
  }
}

TEST_CASE("tsig: our own requests, and the answers to them", "[dns][tsig]") {
  const TsigKeys keys{good_key()};
  const TsigKey& key = keys[0];
  const std::uint64_t now = seconds_now();
  Bytes request = query_bytes({});
  const std::size_t unsigned_size = request.size();
  request.resize(unsigned_size + tsig_size_max);
  TsigMac mac{};
  request.resize(sign_request(key, request, unsigned_size, now, mac));
  CHECK(check(request) == TsigError::none);

  const TsigRequest checked = check_tsig(request, read(request), keys, now);
  Bytes answer = query_bytes({});
  const std::size_t size = answer.size();
  answer.resize(size + tsig_size_max);
  answer.resize(append_tsig(checked, answer, size, now));
  CHECK(holds_for_answer(answer, read(answer), key, mac, now));
  CHECK_FALSE(holds_for_answer(answer, read(answer), key, TsigMac{}, now));
  CHECK_FALSE(holds_for_answer(answer, read(answer), key, mac, now + 301));
  answer[2] ^= 1;
  CHECK_FALSE(holds_for_answer(answer, read(answer), key, mac, now));
}

}  // namespace
}  // namespace demarc::dns::test
