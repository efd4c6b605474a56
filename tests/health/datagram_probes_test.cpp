// dns and icmp checks on the wire: real sockets on loopback.
#include "health/datagram_probes.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <catch2/catch.hpp>

#include "health/icmp_echo.h"
#include "health/transfers.h"
#include "tests/support/free_port.h"
#include "tests/support/udp_responder.h"
#include "tests/support/wait_for.h"

using namespace demarc;
using namespace demarc::health;
using namespace std::chrono_literals;
using zones::ProbeScheme;

namespace {

Probe local(ProbeScheme scheme, std::string path, std::uint16_t port, Milliseconds timeout = 5s) {
  return {.scheme = scheme,
          .host = "ns.eu.example",
          .port = port,
          .path = std::move(path),
          .addresses = {geo::Address::ipv4(0x7f000001)},
          .connect_port = port,
          .timing = {.interval = 10s, .timeout = timeout}};
}

FinishedProbe once(const Probe& probe) {
  const auto transfers = Transfers::create({}).value();
  transfers->start(TargetId{7}, probe);
  std::vector<FinishedProbe> results;
  (void)testing::wait_for([&] {
    results = transfers->wait(50ms);
    return !results.empty();
  });
  if (results.empty()) return {.result = {.detail = "no result"}};
  CHECK(transfers->in_flight() == 0);
  return results[0];
}

/// Whether the kernel lets this process ask (net.ipv4.ping_group_range).
bool may_ping() {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP));
  return socket.is_open();
}

}  // namespace

TEST_CASE("datagram probes: a DNS server that answers, another one, and silence",
          "[health][datagram]") {
  const testing::UdpResponder server;
  const auto good = once(local(ProbeScheme::dns, "/a.example./A", server.port()));
  CHECK(good.result.detail == "1 A");
  CHECK(good.result.outcome == ProbeOutcome::pass);
  CHECK(good.target == TargetId{7});
  CHECK(good.result.latency > 0us);
  CHECK(once(local(ProbeScheme::dns, "/twice.example./A", server.port())).result.detail == "1 A");
  Probe expects = local(ProbeScheme::dns, "/a.example./A", server.port());
  expects.expect.answers = {"192.0.2.99"};
  CHECK(once(expects).result.detail == "no A 192.0.2.99 in the answer");
  for (const char* const name : {"/silent.example./A", "/wrong.example./A"}) {
    const auto none = once(local(ProbeScheme::dns, name, server.port(), 300ms));
    CHECK(none.result.detail == "timeout after 300 ms");
    CHECK(none.result.outcome == ProbeOutcome::fail);
    CHECK(none.is_timeout);
  }
  const auto refused = once(local(ProbeScheme::dns, "/a.example./A", testing::free_port()));
  CHECK(refused.result.detail == "connection refused");
}

TEST_CASE("datagram probes: many at once, and some given up", "[health][datagram]") {
  const testing::UdpResponder server;
  const auto transfers = Transfers::create({}).value();
  for (std::uint64_t i = 1; i <= 100; ++i) {
    transfers->start(TargetId{i}, local(ProbeScheme::dns, "/a.example./A", server.port()));
  }
  transfers->cancel(TargetId{50});
  std::size_t passed = 0;
  CHECK(testing::wait_for([&] {
    for (const auto& one : transfers->wait(50ms)) {
      passed += one.result.outcome == ProbeOutcome::pass ? 1 : 0;
    }
    return transfers->in_flight() == 0;
  }));
  CHECK(passed == 99);
}

TEST_CASE("icmp: the bytes of an echo, and its reply alone", "[health][datagram]") {
  for (const auto family : {geo::Family::ipv4, geo::Family::ipv6}) {
    auto echo = write_echo(family, 0x0102030405060708);
    CHECK(echo.size() == 16);
    CHECK_FALSE(is_echo_reply(family, 0x0102030405060708, echo));
    echo[0] = family == geo::Family::ipv4 ? 0 : 129;
    CHECK(is_echo_reply(family, 0x0102030405060708, echo));
    CHECK_FALSE(is_echo_reply(family, 0x0102030405060709, echo));
    echo.push_back(0);
    CHECK_FALSE(is_echo_reply(family, 0x0102030405060708, echo));
    CHECK_FALSE(is_echo_reply(family, 0, {}));
  }
}

TEST_CASE("datagram probes: an ICMP echo where that is permitted", "[health][datagram]") {
  const auto echo = once(local(ProbeScheme::icmp, "", 0));
  if (may_ping()) {
    CHECK(echo.result.detail == "echo");
    CHECK(echo.result.outcome == ProbeOutcome::pass);
  } else {
    CHECK(echo.result.outcome == ProbeOutcome::silent);
    CHECK(echo.result.detail.starts_with("ICMP is not permitted here"));
  }
}
