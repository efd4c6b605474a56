// Zone transfers through a real server on loopback: long ones, many at once, slow readers, and a
// change in the midst of one.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

#include "dns/server.h"
#include "dns/transfer_reply.h"
#include "tests/dns/tsig_world.h"
#include "tests/support/wait_for.h"

namespace demarc::dns::test {
namespace {

using namespace std::chrono_literals;

constexpr unsigned big_count = 400;  // TXT records of 20 KB: more than sockets take

struct TransferServer {
  World world;
  std::unique_ptr<Published> published;
  std::unique_ptr<Server> server;

  explicit TransferServer(ServerConfig config = {}) {
    world.add("www.example.com. 300 IN A 192.0.2.80");
    for (unsigned index = 0; index < big_count; ++index) {
      zones::Rdata text;
      for (int count = 0; count < 80; ++count) text += '\xfa' + std::string(250, 'x');
      world.add_rdata(name("t" + std::to_string(index) + ".example.com"), rrtype::txt, 300, text);
    }
    world.repository.zones[0].transfer.emplace().networks = {*geo::parse_prefix("127.0.0.0/8")};
    published = std::make_unique<Published>(build());
    config.listen = {{address("127.0.0.1"), 0}};
    auto bound = Server::bind(config);
    REQUIRE(bound);
    server = std::move(*bound);
    REQUIRE(server->serve(*published));
  }
  ~TransferServer() { server->stop(); }

  std::unique_ptr<const Snapshot> build() {
    world.prepare();
    world.parts.transfers = transfer_table(world, {good_key()});
    return build_snapshot(world.repository, *world.views, world.parts, {}, {}, 1);
  }
  [[nodiscard]] CounterValues counters() const { return server->counters(); }
};

class Connection {
 public:
  explicit Connection(const TransferServer& server)
      : number_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int small = 8'192;
    setsockopt(number_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    sockaddr_storage storage{};
    const socklen_t size = write_socket_address(server.server->bound()[0], storage);
    REQUIRE(connect(number_, reinterpret_cast<sockaddr*>(&storage), size) == 0);
  }
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }
  void ask(const QueryParts& parts) const {
    const Bytes query = query_bytes(parts);
    Bytes bytes;
    append16(bytes, query.size());
    bytes.insert(bytes.end(), query.begin(), query.end());
    REQUIRE(send(number_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  void ask_zone() const { ask({.name = "example.com", .type = rrtype::axfr}); }

  /// Empty at the end.
  [[nodiscard]] Bytes receive_message() const {
    const Bytes length = receive(2);
    return length.size() == 2 ? receive(get16(length.data())) : Bytes{};
  }
  /// How many records come until the second SOA.
  [[nodiscard]] std::size_t receive_zone() const {
    std::size_t count = 0;
    std::size_t soas = 0;
    while (soas < 2) {
      const Bytes bytes = receive_message();
      if (bytes.empty()) return 0;
      for (const std::string& line : Message(bytes).answer()) {
        ++count;
        if (line.starts_with("example.com. 3600 SOA")) ++soas;
      }
    }
    return count;
  }

 private:
  [[nodiscard]] Bytes receive(std::size_t size) const {
    Bytes bytes(size);
    std::size_t got = 0;
    while (got < size) {
      pollfd waiting{number_, POLLIN, 0};
      if (poll(&waiting, 1, 5'000) != 1) return {};
      const ssize_t more = recv(number_, bytes.data() + got, size - got, 0);
      if (more <= 0) return {};
      got += static_cast<std::size_t>(more);
    }
    return bytes;
  }

  int number_;
};

constexpr std::size_t record_count = big_count + 4;  // www, NS, two SOAs

TEST_CASE("transfer: others are served while one goes on, then its connection again",
          "[dns][transfer][tcp]") {
  TransferServer server;
  const Connection slow(server);
  slow.ask_zone();
  slow.ask({.id = 0x1234});  // behind the transfer
  REQUIRE(testing::wait_for([&] { return server.counters().transfers == 1; }));
  const Connection other(server);
  other.ask({.id = 0x5678});
  CHECK(Message(other.receive_message()).id() == 0x5678);
  CHECK(server.counters().transfers_finished == 0);
  CHECK(slow.receive_zone() == record_count);
  CHECK(Message(slow.receive_message()).id() == 0x1234);
  CHECK(server.counters().transfers_finished == 1);
  slow.ask_zone();
  CHECK(slow.receive_zone() == record_count);
}

TEST_CASE("transfer: a change in its midst does not reach it", "[dns][transfer][tcp]") {
  TransferServer server;
  const Connection connection(server);
  connection.ask_zone();
  REQUIRE(testing::wait_for([&] { return server.counters().transfers == 1; }));
  server.world.parts.before = nullptr;
  World other;
  server.published->publish(other.build());  // nothing of the zone is left
  CHECK(server.published->free_unused() == 1);
  CHECK(connection.receive_zone() == record_count);
  CHECK(testing::wait_for([&] { return server.published->free_unused() == 0; }));
  connection.ask_zone();
  CHECK(Message(connection.receive_message()).rcode() == 5);
}

TEST_CASE("transfer: as many at once as there are places", "[dns][transfer][tcp]") {
  ServerConfig config;
  config.tcp.transfers = 2;
  TransferServer server(config);
  Connection first(server);
  const Connection second(server);
  const Connection third(server);
  first.ask_zone();
  second.ask_zone();
  REQUIRE(testing::wait_for([&] { return server.counters().transfers == 2; }));
  third.ask_zone();
  CHECK(Message(third.receive_message()).rcode() == 2);
  SECTION("one that ends makes room") {
    CHECK(second.receive_zone() == record_count);
    third.ask_zone();
    CHECK(third.receive_zone() == record_count);
  }
  SECTION("so does one whose client goes away") {
    first.close();
    CHECK(testing::wait_for([&] {
      third.ask_zone();
      const Bytes bytes = third.receive_message();
      return !bytes.empty() && Message(bytes).rcode() == 0;
    }));
  }
  CHECK(server.counters().transfers == 3);
}

TEST_CASE("transfer: who takes too long is cut off", "[dns][transfer][tcp]") {
  ServerConfig config;
  SECTION("who reads nothing") { config.tcp.write = 200ms; }
  SECTION("who reads, and never comes to the end") { config.tcp.transfer = 200ms; }
  TransferServer server(config);
  const Connection connection(server);
  connection.ask_zone();
  CHECK(testing::wait_for([&] { return server.counters().tcp_timeouts == 1; }));
  CHECK(connection.receive_zone() == 0);
  CHECK(server.counters().transfers_finished == 0);
  CHECK(testing::wait_for([&] { return server.published->free_unused() == 0; }));
}

}  // namespace
}  // namespace demarc::dns::test
