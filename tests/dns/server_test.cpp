#include "dns/server.h"

#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

#include "tests/dns/world.h"

namespace demarc::dns::test {
namespace {

using namespace std::chrono_literals;

constexpr int patience_ms = 5'000;

/// A server on loopback, on ports of its own.
struct Running {
  World world;
  std::unique_ptr<Published> published;
  std::unique_ptr<Server> server;

  explicit Running(ServerConfig config = {}) {
    world.add("www.example.com. 300 IN A 192.0.2.80");
    for (unsigned index = 0; index < 3000; ++index) {
      world.add_rdata(name("big.example.com"), rrtype::a, 300,
                      {'\x0a', '\0', static_cast<char>(index >> 8), static_cast<char>(index)});
    }
    published = std::make_unique<Published>(world.build());
    if (config.listen.empty()) config.listen = {{address("127.0.0.1"), 0}, {address("::1"), 0}};
    auto bound = Server::bind(config);
    REQUIRE(bound);
    server = std::move(*bound);
    REQUIRE(server->serve(*published));
  }
  ~Running() { server->stop(); }
};

class Socket {
 public:
  Socket(int type, const Endpoint& to)
      : number_(socket(to.address.family == geo::Family::ipv4 ? AF_INET : AF_INET6, type, 0)) {
    sockaddr_storage storage{};
    const socklen_t size = write_socket_address(to, storage);
    is_connected_ = connect(number_, reinterpret_cast<sockaddr*>(&storage), size) == 0;
  }
  Socket(Socket&& other) noexcept
      : number_(std::exchange(other.number_, -1)), is_connected_(other.is_connected_) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (number_ >= 0) close(number_);
  }

  [[nodiscard]] bool is_connected() const { return is_connected_; }
  [[nodiscard]] int number() const { return number_; }
  void send(const Bytes& bytes) const { ::send(number_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  void finish() const { shutdown(number_, SHUT_WR); }

  /// What comes next; empty at the end, or when nothing comes.
  [[nodiscard]] Bytes receive(std::size_t size_max = 65'536) const {
    pollfd waiting{number_, POLLIN, 0};
    if (poll(&waiting, 1, patience_ms) != 1) return {};
    Bytes bytes(size_max);
    const ssize_t size = recv(number_, bytes.data(), bytes.size(), 0);
    bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return bytes;
  }
  [[nodiscard]] Bytes receive_exactly(std::size_t size) const {
    Bytes bytes;
    while (bytes.size() < size) {
      const Bytes more = receive(size - bytes.size());
      if (more.empty()) break;
      bytes.insert(bytes.end(), more.begin(), more.end());
    }
    return bytes;
  }
  /// One message with its length before it; empty at the end.
  [[nodiscard]] Bytes receive_message() const {
    const Bytes length = receive_exactly(2);
    return length.size() == 2 ? receive_exactly(get16(length.data())) : Bytes{};
  }
  /// Whether the server closes it, before our patience ends.
  [[nodiscard]] bool is_closed_by_peer() const {
    pollfd waiting{number_, POLLIN, 0};
    std::uint8_t byte = 0;
    return poll(&waiting, 1, patience_ms) == 1 && recv(number_, &byte, 1, 0) <= 0;
  }

 private:
  int number_;
  bool is_connected_ = false;
};

Bytes framed(const Bytes& message) {
  Bytes bytes;
  append16(bytes, message.size());
  bytes.insert(bytes.end(), message.begin(), message.end());
  return bytes;
}

TEST_CASE("server: UDP and TCP on the same port, IPv4 and IPv6", "[dns][server]") {
  Running running({.threads = 2});
  REQUIRE(running.server->bound().size() == 2);
  for (const Endpoint& endpoint : running.server->bound()) {
    CAPTURE(to_text(endpoint));
    CHECK(endpoint.port != 0);
    for (int index = 0; index < 8; ++index) {  // several sockets: both threads
      const Socket udp(SOCK_DGRAM, endpoint);
      udp.send(query_bytes({}));
      CHECK(Message(udp.receive()).answer().size() == 1);
    }
    const Socket tcp(SOCK_STREAM, endpoint);
    tcp.send(framed(query_bytes({})));
    CHECK(Message(tcp.receive_message()).answer().size() == 1);
  }
  const CounterValues counters = running.server->counters();
  CHECK(counters.udp_queries == 16);
  CHECK(counters.tcp_queries == 2);
  CHECK(counters.by_rcode[0] == 18);
}

TEST_CASE("server: steered by CPU, a thread takes what came in on its own", "[dns][server]") {
  cpu_set_t before;
  REQUIRE(sched_getaffinity(0, sizeof(before), &before) == 0);
  Running running({.threads = 2, .steers_by_cpu = true});
  std::vector<std::uint64_t> expected(4);  // two threads of each address
  for (std::size_t at = 0; at < 2; ++at) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &before)) continue;
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
      REQUIRE(sched_setaffinity(0, sizeof(one), &one) == 0);
      for (int index = 0; index < 8; ++index) {  // which sockets these are is no matter
        const Socket udp(SOCK_DGRAM, running.server->bound()[at]);
        udp.send(query_bytes({}));
        CHECK(Message(udp.receive()).answer().size() == 1);
      }
      expected[2 * at + static_cast<std::size_t>(cpu) % 2] += 8;
    }
  }
  CHECK(sched_setaffinity(0, sizeof(before), &before) == 0);
  CHECK(running.server->udp_queries_by_thread() == expected);
}

TEST_CASE("server: a wildcard address answers from where it was asked", "[dns][server]") {
  ServerConfig config;
  config.listen = {{address("0.0.0.0"), 0}, {address("::"), 0}};
  Running running(config);
  // A connected socket takes answers from the asked address alone.
  for (const char* const asked : {"127.0.0.1", "127.9.8.7"}) {
    const Socket udp(SOCK_DGRAM, {address(asked), running.server->bound()[0].port});
    udp.send(query_bytes({}));
    CHECK_FALSE(udp.receive().empty());
  }
  const Socket udp(SOCK_DGRAM, {address("::1"), running.server->bound()[1].port});
  udp.send(query_bytes({}));
  CHECK_FALSE(udp.receive().empty());
}

TEST_CASE("server: a port that is taken shows at bind", "[dns][server]") {
  Running running;
  ServerConfig config;
  config.listen = {running.server->bound()[0]};
  const auto second = Server::bind(config);
  REQUIRE_FALSE(second);
  CHECK(second.error().error_number == EADDRINUSE);
  CHECK(second.error().text().starts_with("listen on 127.0.0.1:"));
}

TEST_CASE("server: a published snapshot answers the next query", "[dns][server]") {
  Running running;
  const Socket udp(SOCK_DGRAM, running.server->bound()[0]);
  udp.send(query_bytes({}));
  CHECK(Message(udp.receive()).answer().size() == 1);
  running.world.add("www.example.com. 300 IN A 192.0.2.81");
  running.published->publish(running.world.build());
  udp.send(query_bytes({}));
  CHECK(Message(udp.receive()).answer().size() == 2);
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  while (running.published->free_unused() != 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  CHECK(running.published->free_unused() == 0);
}

TEST_CASE("server: stops at once and starts again", "[dns][server]") {
  Running running;
  const auto begin = std::chrono::steady_clock::now();
  running.server->stop();
  CHECK(std::chrono::steady_clock::now() - begin < 2s);
  REQUIRE(running.server->serve(*running.published));
  const Socket udp(SOCK_DGRAM, running.server->bound()[0]);
  udp.send(query_bytes({}));
  CHECK_FALSE(udp.receive().empty());
}

TEST_CASE("udp: each query of a batch is answered as it would be alone", "[dns][server]") {
  Running running;
  running.server->stop();
  const Socket udp(SOCK_DGRAM, running.server->bound().front());
  const auto snapshot = running.world.build();
  Client alone(*snapshot);
  std::vector<Bytes> expected;
  for (std::uint16_t id = 0; id < 100; ++id) {  // they wait in the socket: several full batches
    const std::array names{"www.example.com", "ns1.example.com", "no.example.com",     "no.test",
                           "example.com",     "big.example.com", "www.www.example.com"};
    Bytes query = query_bytes({.name = names.at(id % names.size()), .id = id});
    if (id % 11 == 5) query[2] |= 0x80;                // a response: never answered
    if (id % 13 == 6) query.resize(id % header_size);  // too short for a header
    if (id % 17 == 7) query.resize(query.size() - 3);  // cut off in its question
    udp.send(query);
    const auto answer = alone.ask_bytes(query);
    if (!answer.empty()) expected.emplace_back(answer.begin(), answer.end());
  }
  REQUIRE(running.server->serve(*running.published));
  for (const Bytes& answer : expected) CHECK(udp.receive() == answer);
  CHECK(running.server->counters().udp_queries == 100);
  CHECK(running.server->counters().dropped == 100 - expected.size());
}

TEST_CASE("tcp: a connection takes a place once it has said something", "[dns][server]") {
  const Running running;
  const Endpoint to = running.server->bound()[0];
  const Socket mute(SOCK_STREAM, to);
  REQUIRE(mute.is_connected());
  const Socket other(SOCK_STREAM, to);
  other.send(framed(query_bytes({})));
  CHECK(Message(other.receive_message()).answer().size() == 1);
  CHECK(running.server->counters().tcp_connections == 1);
  mute.send(framed(query_bytes({})));
  CHECK(Message(mute.receive_message()).answer().size() == 1);
  CHECK(running.server->counters().tcp_connections == 2);
}

TEST_CASE("tcp: many queries in one write, answered in order", "[dns][server][tcp]") {
  Running running;
  const Socket tcp(SOCK_STREAM, running.server->bound()[0]);
  Bytes bytes;
  constexpr std::uint16_t count = 500;
  for (std::uint16_t id = 0; id < count; ++id) {
    const Bytes query = framed(query_bytes({.id = id}));
    bytes.insert(bytes.end(), query.begin(), query.end());
  }
  tcp.send(bytes);
  tcp.finish();  // half-closed: what was asked is answered all the same
  for (std::uint16_t id = 0; id < count; ++id) REQUIRE(Message(tcp.receive_message()).id() == id);
  CHECK(tcp.is_closed_by_peer());
}

TEST_CASE("tcp: a query in single bytes is a query", "[dns][server][tcp]") {
  Running running;
  const Socket tcp(SOCK_STREAM, running.server->bound()[1]);
  for (const std::uint8_t byte : framed(query_bytes({}))) {
    tcp.send({byte});
    std::this_thread::yield();
  }
  CHECK(Message(tcp.receive_message()).answer().size() == 1);
}

TEST_CASE("tcp: a client that reads slowly gets all its answers", "[dns][server][tcp]") {
  Running running;
  const Socket tcp(SOCK_STREAM, running.server->bound()[0]);
  constexpr std::uint16_t count = 200;  // 48 KB each: more than the socket takes
  Bytes bytes;
  for (std::uint16_t id = 0; id < count; ++id) {
    const Bytes query = framed(query_bytes({.name = "big.example.com", .id = id}));
    bytes.insert(bytes.end(), query.begin(), query.end());
  }
  tcp.send(bytes);
  std::this_thread::sleep_for(50ms);
  for (std::uint16_t id = 0; id < count; ++id) {
    const Bytes message = tcp.receive_message();
    REQUIRE(message.size() > 48'000);
    REQUIRE(get16(message.data()) == id);
  }
}

TEST_CASE("tcp: what waits too long is closed", "[dns][server][tcp]") {
  ServerConfig config;
  SECTION("an idle client") {
    config.tcp.idle = 200ms;
    Running running(config);
    const Socket tcp(SOCK_STREAM, running.server->bound()[0]);
    CHECK(tcp.is_closed_by_peer());
    CHECK(running.server->counters().tcp_timeouts == 1);
  }
  SECTION("half a query") {
    config.tcp.message = 200ms;
    Running running(config);
    const Socket tcp(SOCK_STREAM, running.server->bound()[0]);
    tcp.send({0, 40, 1});
    CHECK(tcp.is_closed_by_peer());
  }
  SECTION("a client that does not read") {
    config.tcp.write = 200ms;
    Running running(config);
    const Socket tcp(SOCK_STREAM, running.server->bound()[0]);
    const Bytes query = framed(query_bytes({.name = "big.example.com"}));
    Bytes bytes;
    for (int index = 0; index < 500; ++index) bytes.insert(bytes.end(), query.begin(), query.end());
    tcp.send(bytes);
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (running.server->counters().tcp_timeouts == 0 &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(10ms);
    }
    CHECK(running.server->counters().tcp_timeouts == 1);
  }
}

TEST_CASE("tcp: what is no query ends the connection", "[dns][server][tcp]") {
  Running running;
  SECTION("a length beyond any query") {
    const Socket tcp(SOCK_STREAM, running.server->bound()[0]);
    tcp.send({0xff, 0xff, 0});
    CHECK(tcp.is_closed_by_peer());
  }
  SECTION("a response") {
    const Socket tcp(SOCK_STREAM, running.server->bound()[0]);
    Bytes packet = query_bytes({});
    packet[2] |= qr_bit;
    tcp.send(framed(packet));
    CHECK(tcp.is_closed_by_peer());
  }
  SECTION("the longest query that is read") {
    const Socket tcp(SOCK_STREAM, running.server->bound()[0]);
    QueryParts parts;
    parts.has_edns = true;
    const std::size_t size = TcpConnection::query_size_max - query_bytes(parts).size() - 4;
    append16(parts.options, 12);  // padding
    append16(parts.options, size);
    parts.options.resize(parts.options.size() + size);
    tcp.send(framed(query_bytes(parts)));
    CHECK(Message(tcp.receive_message()).answer().size() == 1);
  }
}

TEST_CASE("tcp: a client has so many connections, a newcomer takes the place of the idlest",
          "[dns][server][tcp]") {
  ServerConfig config;
  config.tcp.connections = 4;
  config.tcp.connections_per_client = 3;
  Running running(config);
  const Endpoint& ipv4 = running.server->bound()[0];
  const auto ask = [](const Socket& socket) {
    socket.send(framed(query_bytes({})));
    return !socket.receive_message().empty();
  };
  std::vector<Socket> sockets;
  for (int index = 0; index < 3; ++index) {
    sockets.emplace_back(SOCK_STREAM, ipv4);
    CHECK(ask(sockets.back()));
  }
  const Socket refused(SOCK_STREAM, ipv4);
  CHECK(refused.is_closed_by_peer());
  const Socket other(SOCK_STREAM, running.server->bound()[1]);
  CHECK(ask(other));
  std::this_thread::sleep_for(20ms);  // so that the clock tells who was idle longest
  CHECK(ask(sockets[1]));
  CHECK(ask(sockets[2]));
  const Socket newcomer(SOCK_STREAM, running.server->bound()[1]);
  CHECK(ask(newcomer));
  CHECK(sockets[0].is_closed_by_peer());
  CHECK(ask(sockets[1]));
  CHECK(running.server->counters().tcp_refused == 1);
  CHECK(running.server->counters().tcp_evicted == 1);
}

}  // namespace
}  // namespace demarc::dns::test
