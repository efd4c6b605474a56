// A zone that may be transferred: messages of a transfer, and the serial they tell.
#pragma once

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "dns/transfer_reply.h"
#include "dns/transfer_serials.h"
#include "dns/transfer_stream.h"
#include "tests/dns/tsig_world.h"

namespace demarc::dns::test {

using Lines = std::vector<std::string>;

inline constexpr std::int64_t start_ms = 1'795'413'600'000;  // 2026-11-23T06:00:00Z
inline constexpr std::uint32_t start_serial = 1'795'413'600;
inline const Moment start{WallTime{Milliseconds{start_ms}}, MonotonicTime{Milliseconds{5'000}}};

inline Moment after(std::int64_t seconds) {
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

}  // namespace demarc::dns::test
