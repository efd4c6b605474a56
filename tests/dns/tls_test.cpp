#include "dns/tls.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include <catch2/catch.hpp>

#include "dns/published.h"
#include "dns/server.h"
#include "tests/dns/world.h"
#include "tests/support/certificates.h"
#include "tests/support/temp_folder.h"
#include "tests/support/wait_for.h"

namespace demarc::dns::test {
namespace {

using demarc::testing::CertificateAuthority;
using demarc::testing::TempFolder;

std::shared_ptr<const TlsContext> context_of(const CertificateAuthority& authority) {
  const TempFolder folder;
  const auto identity = authority.issue({.host = "ns1.example.com"});
  folder.write("cert.pem", identity.certificate_pem);
  folder.write("key.pem", identity.key_pem);
  auto context = TlsContext::load(folder.path() + "/cert.pem", folder.path() + "/key.pem");
  REQUIRE(context);
  return *context;
}

struct TlsServed {
  CertificateAuthority authority;
  World world;
  std::unique_ptr<Published> published;
  std::unique_ptr<Server> server;

  explicit TlsServed(ServerConfig config = {}, bool has_certificate = true) {
    world.add("www.example.com. 300 IN A 192.0.2.80");
    for (unsigned index = 0; index < 3000; ++index) {
      world.add_rdata(name("big.example.com"), rrtype::a, 300,
                      {'\x0a', '\0', static_cast<char>(index >> 8), static_cast<char>(index)});
    }
    Identity identity;
    if (has_certificate) identity.tls = context_of(authority);
    world.parts.identity = std::make_shared<const Identity>(std::move(identity));
    published = std::make_unique<Published>(world.build());
    config.listen = {{address("127.0.0.1"), 0}};
    config.tls_listen = {{address("127.0.0.1"), 0}};
    auto bound = Server::bind(config);
    REQUIRE(bound);
    server = std::move(*bound);
    REQUIRE(server->serve(*published));
  }
  ~TlsServed() { server->stop(); }
};

/// A blocking client that trusts anybody: who is trusted is the test of another program.
class TlsClient {
 public:
  explicit TlsClient(const Endpoint& to) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_storage storage{};
    const socklen_t size = write_socket_address(to, storage);
    REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&storage), size) == 0);
    ::signal(SIGPIPE, SIG_IGN);  // a server that hangs up is a result, not the end of the test
    const timeval patience{5, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    context_ = SSL_CTX_new(TLS_client_method());
    session_ = SSL_new(context_);
    SSL_set_fd(session_, socket_);
    static constexpr unsigned char dot[] = {3, 'd', 'o', 't'};
    SSL_set_alpn_protos(session_, dot, sizeof dot);
    is_connected_ = SSL_connect(session_) == 1;
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient() {
    SSL_free(session_);
    SSL_CTX_free(context_);
    ::close(socket_);
  }

  [[nodiscard]] bool is_connected() const { return is_connected_; }
  [[nodiscard]] std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(session_, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  void send(const Bytes& bytes) const {
    REQUIRE(SSL_write(session_, bytes.data(), static_cast<int>(bytes.size())) ==
            static_cast<int>(bytes.size()));
  }
  [[nodiscard]] Bytes receive_exactly(std::size_t size) const {
    Bytes bytes(size);
    std::size_t at = 0;
    while (at < size) {
      const int more = SSL_read(session_, bytes.data() + at, static_cast<int>(size - at));
      if (more <= 0) return {};
      at += static_cast<std::size_t>(more);
    }
    return bytes;
  }
  [[nodiscard]] Bytes receive_message() const {
    const Bytes length = receive_exactly(2);
    return length.size() == 2 ? receive_exactly(get16(length.data())) : Bytes{};
  }

 private:
  int socket_;
  SSL_CTX* context_ = nullptr;
  SSL* session_ = nullptr;
  bool is_connected_ = false;
};

void append_query(Bytes& bytes, const QueryParts& parts) {
  const Bytes query = query_bytes(parts);
  append16(bytes, query.size());
  bytes.insert(bytes.end(), query.begin(), query.end());
}

TEST_CASE("tls: many queries in one record and across records, answered in order", "[dns][tls]") {
  TlsServed served;
  const TlsClient client(served.server->tls_bound()[0]);
  REQUIRE(client.is_connected());
  CHECK(client.protocol() == "dot");
  Bytes bytes;
  constexpr std::uint16_t count = 2000;  // 66 KB: several records, none ends with a query
  for (std::uint16_t id = 0; id < count; ++id) append_query(bytes, {.id = id});
  client.send(bytes);
  for (std::uint16_t id = 0; id < count; ++id) {
    const Bytes message = client.receive_message();
    REQUIRE_FALSE(message.empty());
    REQUIRE(Message(message).id() == id);
    REQUIRE(Message(message).answer().size() == 1);
  }
  CHECK(served.server->counters().tls_connections == 1);
}

TEST_CASE("tls: a client that reads slowly gets all its answers", "[dns][tls]") {
  TlsServed served;
  const TlsClient client(served.server->tls_bound()[0]);
  Bytes bytes;
  constexpr std::uint16_t count = 200;  // 48 KB each: more than the socket takes
  for (std::uint16_t id = 0; id < count; ++id) {
    append_query(bytes, {.name = "big.example.com", .id = id});
  }
  client.send(bytes);
  for (std::uint16_t id = 0; id < count; ++id) {
    const Bytes message = client.receive_message();
    REQUIRE(message.size() > 48'000);
    REQUIRE(get16(message.data()) == id);
  }
}

TEST_CASE("tls: answers are padded to 468 bytes for those who pad (RFC 8467)", "[dns][tls]") {
  TlsServed served;
  const TlsClient client(served.server->tls_bound()[0]);
  QueryParts parts;
  parts.has_edns = true;
  const auto ask = [&](const QueryParts& query) {
    Bytes bytes;
    append_query(bytes, query);
    client.send(bytes);
    return client.receive_message();
  };
  CHECK(ask(parts).size() < 100);
  append16(parts.options, edns::padding);
  append16(parts.options, 0);
  CHECK(ask(parts).size() == 468);
  parts.name = "big.example.com";
  CHECK(ask(parts).size() % 468 == 0);
  CHECK(Message(ask(parts)).answer().size() == 3000);
}

TEST_CASE("tls: what is no TLS, and silence, end the connection", "[dns][tls]") {
  ServerConfig config;
  config.tcp.idle = std::chrono::milliseconds(200);
  TlsServed served(config);
  for (const bool says_something : {true, false}) {
    const int plain = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_storage storage{};
    const socklen_t size = write_socket_address(served.server->tls_bound()[0], storage);
    REQUIRE(::connect(plain, reinterpret_cast<sockaddr*>(&storage), size) == 0);
    Bytes bytes;
    append_query(bytes, {});
    if (says_something) ::send(plain, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    pollfd waiting{plain, POLLIN, 0};
    std::uint8_t answer[512];
    ssize_t got = 1;
    while (got > 0 && ::poll(&waiting, 1, 5000) == 1) got = ::recv(plain, answer, sizeof answer, 0);
    CHECK(got <= 0);  // an alert at most, then the end
    ::close(plain);
  }
  CHECK(TlsClient(served.server->tls_bound()[0]).is_connected());
}

TEST_CASE("tls: without a certificate nobody is served, with one published later everybody is",
          "[dns][tls]") {
  TlsServed served({}, false);
  CHECK_FALSE(TlsClient(served.server->tls_bound()[0]).is_connected());
  Identity identity;
  identity.tls = context_of(served.authority);
  served.world.parts.identity = std::make_shared<const Identity>(std::move(identity));
  served.published->publish(served.world.build());
  CHECK(TlsClient(served.server->tls_bound()[0]).is_connected());
}

TEST_CASE("tls: a certificate or key that is none is told with its file", "[dns][tls]") {
  const TempFolder folder;
  const CertificateAuthority authority;
  const auto one = authority.issue({.host = "a.example"});
  const auto other = authority.issue({.host = "b.example"});
  folder.write("cert.pem", one.certificate_pem);
  folder.write("other.pem", other.key_pem);
  folder.write("none.pem", "none");
  const auto error = [&](const char* certificate, const char* key) {
    const auto context = TlsContext::load(folder.path() + certificate, folder.path() + key);
    return context ? std::string{} : context.error();
  };
  CHECK(error("/none.pem", "/other.pem").find("/none.pem: [bad-certificate]") != std::string::npos);
  CHECK(error("/gone.pem", "/other.pem").find("/gone.pem: [bad-certificate]") != std::string::npos);
  CHECK(error("/cert.pem", "/other.pem").find("/other.pem: [bad-key]") != std::string::npos);
  CHECK(error("/cert.pem", "/none.pem").find("/none.pem: [bad-key]") != std::string::npos);
}

}  // namespace
}  // namespace demarc::dns::test
