#include "dns/proxy_header.h"

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include "dns/server.h"
#include "tests/dns/world.h"

namespace demarc::dns::test {
namespace {

struct HeaderParts {
  std::uint8_t version_command = 0x21;
  std::uint8_t family_transport = 0x12;  // IPv4, datagram
  Bytes addresses{198, 51, 100, 7, 192, 0, 2, 1, 0x30, 0x39, 0, 53};
  Bytes tlvs;
};

Bytes header_bytes(const HeaderParts& parts = {}) {
  Bytes bytes{0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
  bytes.push_back(parts.version_command);
  bytes.push_back(parts.family_transport);
  append16(bytes, parts.addresses.size() + parts.tlvs.size());
  bytes.insert(bytes.end(), parts.addresses.begin(), parts.addresses.end());
  bytes.insert(bytes.end(), parts.tlvs.begin(), parts.tlvs.end());
  return bytes;
}

HeaderParts ipv6(std::uint8_t family_transport) {
  HeaderParts parts{.family_transport = family_transport, .addresses = Bytes(36)};
  parts.addresses[0] = 0x20;
  parts.addresses[1] = 0x01;
  parts.addresses[15] = 9;
  return parts;
}

TEST_CASE("proxy header: whose query it is", "[dns][proxy]") {
  ProxyHeader header;
  SECTION("IPv4") {
    const Bytes bytes = header_bytes();
    REQUIRE(read_proxy_header(bytes, ProxyTransport::datagram, header) == ProxyReading::good);
    CHECK(header.size == 28);
    CHECK(header.source == address("198.51.100.7"));
  }
  SECTION("IPv6, with TLVs that are skipped") {
    HeaderParts parts = ipv6(0x21);
    parts.tlvs = Bytes(40, 4);
    REQUIRE(read_proxy_header(header_bytes(parts), ProxyTransport::stream, header) ==
            ProxyReading::good);
    CHECK(header.size == 16 + 36 + 40);
    CHECK(header.source == address("2001::9"));
  }
  SECTION("LOCAL and UNSPEC: the peer itself") {
    for (const auto& [command, family] : {std::pair{0x20, 0x12}, {0x20, 0x00}, {0x21, 0x00}}) {
      HeaderParts parts;
      parts.version_command = static_cast<std::uint8_t>(command);
      parts.family_transport = static_cast<std::uint8_t>(family);
      REQUIRE(read_proxy_header(header_bytes(parts), ProxyTransport::datagram, header) ==
              ProxyReading::good);
      CHECK_FALSE(header.source);
    }
  }
}

TEST_CASE("proxy header: cut short anywhere it is incomplete, changed it is bad", "[dns][proxy]") {
  const Bytes good = header_bytes();
  ProxyHeader header;
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK(read_proxy_header(std::span(good).first(size), ProxyTransport::datagram, header) ==
          ProxyReading::incomplete);
  }
  for (std::size_t at = 0; at < 13; ++at) {
    Bytes bytes = good;
    bytes[at] ^= 0x40;
    CHECK(read_proxy_header(bytes, ProxyTransport::datagram, header) == ProxyReading::bad);
  }
  const auto reading = [&](const HeaderParts& parts) {
    return read_proxy_header(header_bytes(parts), ProxyTransport::datagram, header);
  };
  CHECK(reading({.version_command = 0x22}) == ProxyReading::bad);
  CHECK(reading({.version_command = 0x11}) == ProxyReading::bad);
  CHECK(reading({.family_transport = 0x11}) == ProxyReading::bad);  // a stream's
  CHECK(reading({.family_transport = 0x32}) == ProxyReading::bad);  // AF_UNIX
  CHECK(reading({.addresses = Bytes(11)}) == ProxyReading::bad);
  CHECK(reading({.family_transport = 0x22}) == ProxyReading::bad);  // IPv4 addresses as IPv6
  CHECK(reading({.tlvs = Bytes(proxy_header_size_max - 28)}) == ProxyReading::good);
  CHECK(reading({.tlvs = Bytes(proxy_header_size_max - 27)}) == ProxyReading::bad);
}

/// A server whose proxy is 127.0.0.1, and a service that tells clients apart.
struct Proxied {
  World world;
  std::unique_ptr<Published> published;
  std::unique_ptr<Server> server;

  Proxied() {
    zones::Service& api = world.add_service("api.example.com");
    World::route_by_country(api);
    World::add_record(api, 0, 100, "eu.example.net", {"192.0.2.1"});
    World::add_record(api, 1, 100, "us.example.net", {"192.0.2.2"});
    world.add_network("198.51.100.0/24", "US");
    published = std::make_unique<Published>(world.build());
    auto bound = Server::bind({.listen = {{address("127.0.0.1"), 0}, {address("::1"), 0}},
                               .proxy_peers = {*geo::parse_prefix("127.0.0.1/32")}});
    REQUIRE(bound);
    server = std::move(*bound);
    REQUIRE(server->serve(*published));
  }
  ~Proxied() { server->stop(); }

  /// Sends parts one after the other; what comes back to the last, empty if nothing does.
  [[nodiscard]] Bytes ask(int type, const std::vector<Bytes>& parts, std::size_t listener = 0) {
    const Endpoint to = server->bound()[listener];
    const int socket =
        ::socket(to.address.family == geo::Family::ipv4 ? AF_INET : AF_INET6, type, 0);
    sockaddr_storage storage{};
    const socklen_t size = write_socket_address(to, storage);
    REQUIRE(::connect(socket, reinterpret_cast<sockaddr*>(&storage), size) == 0);
    const timeval patience{type == SOCK_DGRAM ? 0 : 5, 500'000};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (const Bytes& part : parts) ::send(socket, part.data(), part.size(), MSG_NOSIGNAL);
    Bytes answer(4096);
    const ssize_t got = ::recv(socket, answer.data(), answer.size(), 0);
    answer.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    ::close(socket);
    return answer;
  }
};

Bytes joined(const Bytes& first, const Bytes& second) {
  Bytes bytes = first;
  bytes.insert(bytes.end(), second.begin(), second.end());
  return bytes;
}

const QueryParts question{.name = "api.example.com"};

TEST_CASE("proxy: a datagram is located by the client it is passed on for",
          "[dns][proxy][server]") {
  Proxied proxied;
  const Bytes query = query_bytes(question);
  const auto answer = [&](const Bytes& bytes, std::size_t listener = 0) {
    const Bytes message = proxied.ask(SOCK_DGRAM, {bytes}, listener);
    if (message.empty()) return std::string("silence");
    const auto records = Message(message).answer();
    return records.empty() ? "rcode " + std::to_string(Message(message).rcode()) : records[0];
  };
  CHECK(answer(joined(header_bytes(), query)).ends_with("192.0.2.2"));
  CHECK(answer(joined(header_bytes({.version_command = 0x20}), query)).ends_with("192.0.2.1"));
  CHECK(answer(query) == "silence");                             // it must have a header
  CHECK(answer(joined(header_bytes(), query), 1) == "rcode 4");  // others may not: no query
  CHECK(answer(query, 1).ends_with("192.0.2.1"));
}

TEST_CASE("proxy: a connection begins with a header, whole or in pieces", "[dns][proxy][server]") {
  Proxied proxied;
  Bytes query;
  append16(query, query_bytes(question).size());
  query = joined(query, query_bytes(question));
  const Bytes header = header_bytes({.family_transport = 0x11});
  const auto answer = [&](const std::vector<Bytes>& parts, std::size_t listener = 0) {
    const Bytes message = proxied.ask(SOCK_STREAM, parts, listener);
    return message.size() < 2 ? std::string("closed")
                              : Message(std::span(message).subspan(2)).answer().at(0);
  };
  CHECK(answer({joined(header, query)}).ends_with("192.0.2.2"));
  std::vector<Bytes> pieces;
  for (const std::uint8_t byte : joined(header, query)) pieces.push_back({byte});
  CHECK(answer(pieces).ends_with("192.0.2.2"));
  CHECK(answer({query}) == "closed");
  CHECK(answer({header_bytes(), query}) == "closed");  // a datagram's header
  CHECK(answer({query}, 1).ends_with("192.0.2.1"));
}

TEST_CASE("proxy: an operator's name is for the client it is passed on for, not for the proxy",
          "[dns][proxy][server][operator-names]") {
  Proxied proxied;
  OperatorView view;
  view.zones = {{{*geo::parse_prefix("198.51.100.0/24")}, true, false, false}};
  view.services.resize(1);
  view.services[0].regions = view.services[0].fenced_regions = {"eu", "us"};
  proxied.published->publish(with_local_names(
      proxied.published->latest(), std::make_shared<const OperatorView>(std::move(view)), nullptr));
  const Bytes query = query_bytes({.name = "_geo.api.example.com", .type = rrtype::txt});
  const std::string wanted =
      "_geo.api.example.com. 0 TXT \"v=demarc1 source=proxy prefix=198.51.100.7/32 country=- "
      "subdivision=- asn=0 region=us\"";
  Bytes framed;
  append16(framed, query.size());
  framed = joined(framed, query);
  const Bytes datagram = proxied.ask(SOCK_DGRAM, {joined(header_bytes(), query)});
  CHECK(Message(datagram).answer() == std::vector<std::string>{wanted});
  const Bytes stream =
      proxied.ask(SOCK_STREAM, {joined(header_bytes({.family_transport = 0x11}), framed)});
  REQUIRE(stream.size() > 2);
  CHECK(Message(std::span(stream).subspan(2)).answer() == std::vector<std::string>{wanted});
  const Bytes own =
      proxied.ask(SOCK_DGRAM, {joined(header_bytes({.version_command = 0x20}), query)});
  CHECK(Message(own).rcode() == 3);
  CHECK(Message(proxied.ask(SOCK_DGRAM, {query}, 1)).rcode() == 3);
}

}  // namespace
}  // namespace demarc::dns::test
