// Small requests to real servers that behave well, badly and not at all.
#include "health/http_request.h"

#include <thread>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/support/certificates.h"
#include "tests/support/http_backend.h"
#include "tests/support/temp_folder.h"
#include "tests/support/wait_for.h"

using namespace demarc;
using namespace demarc::health;
using demarc::testing::Conduct;
using demarc::testing::HttpBackend;

namespace {

std::string url_of(const HttpBackend& backend, const std::string& path = "/hook") {
  return fmt::format("http://127.0.0.1:{}{}", backend.port(), path);
}

Result<HttpAnswer, std::string> send(const HttpRequest& request) {
  HttpClient client;
  return client.send(request);
}

}  // namespace

TEST_CASE("http request: method, headers and body go out, status and body come back",
          "[health][http]") {
  HttpBackend backend;
  backend.answer_with("{\"taken\":true}", 202);
  HttpClient client;
  for (int i = 0; i < 2; ++i) {  // a client serves many requests, each on its own connection
    const auto answer = client.send({.method = "POST",
                                     .url = url_of(backend),
                                     .headers = {{"X-One", "1"}, {"X-Two", "2"}},
                                     .body = std::string("a\0b", 3)});
    REQUIRE(answer);
    CHECK(answer->status == 202);
    CHECK(answer->body == "{\"taken\":true}");
  }
  CHECK(backend.connections() == 2);
  const auto received = backend.received();
  REQUIRE(received.size() == 2);
  CHECK(received[1].head.starts_with("POST /hook HTTP/1.1\r\n"));
  CHECK(received[1].header("X-One") == "1");
  CHECK(received[1].header("X-Two") == "2");
  CHECK(received[1].header("Expect").empty());
  CHECK(received[1].body == std::string("a\0b", 3));
}

TEST_CASE("http request: a GET has no body; another address may be connected to",
          "[health][http]") {
  HttpBackend backend;
  const auto answer =
      send({.url = fmt::format("http://api.example:{}/x", backend.port()),
            .connect_to = zones::ProbeAt{geo::Address::ipv4(0x7f000001), backend.port()}});
  REQUIRE(answer);
  CHECK(answer->body == "ok\n");
  CHECK(backend.received()[0].head.starts_with("GET /x HTTP/1.1\r\n"));
  CHECK(backend.received()[0].header("Host") == fmt::format("api.example:{}", backend.port()));
}

TEST_CASE("http request: what goes wrong is one short line", "[health][http]") {
  HttpBackend backend;
  const auto ask = [&](Milliseconds timeout = std::chrono::seconds{10}) {
    return send({.url = url_of(backend), .timeout = timeout});
  };
  SECTION("refused") {
    backend.close();
    CHECK(ask().error() == "connection refused");
  }
  SECTION("silent") {
    backend.hang();
    CHECK(ask(Milliseconds{60}).error() == "no answer within 60 ms");
  }
  SECTION("dribbling") {
    backend.behave({.conduct = Conduct::dribble});
    CHECK(ask(Milliseconds{60}).error() == "no answer within 60 ms");
  }
  SECTION("endless") {
    backend.behave({.conduct = Conduct::endless_body});
    CHECK(ask().error() == "the answer is above 65536 bytes");
  }
  SECTION("endless headers") {
    backend.behave({.conduct = Conduct::endless_headers});
    CHECK_FALSE(ask().error().empty());
  }
  SECTION("cut short") {
    backend.behave({.conduct = Conduct::cut_short});
    CHECK(ask().error() == "the answer is cut short");
  }
  SECTION("no HTTP") {
    backend.behave({.conduct = Conduct::garbage});
    CHECK(ask().error() == "not an HTTP/1.1 answer");
  }
  SECTION("reset") {
    backend.behave({.conduct = Conduct::reset});
    CHECK_FALSE(ask().error().empty());
  }
  SECTION("a redirect is an answer, not followed") {
    backend.behave({.conduct = Conduct::redirect, .location = url_of(backend, "/elsewhere")});
    CHECK(ask()->status == 302);
    CHECK(backend.requests() == 1);
  }
  SECTION("no URL") { CHECK_FALSE(send({.url = "::"}).error().empty()); }
  SECTION("another scheme") { CHECK_FALSE(send({.url = "file:///etc/passwd"}).error().empty()); }
}

TEST_CASE("http request: the cap lets its own size through", "[health][http]") {
  HttpBackend backend;
  backend.answer_with(std::string(100, 'x'));
  const auto [cap, is_taken] =
      GENERATE(table<std::size_t, bool>({{101, true}, {100, true}, {99, false}}));
  CAPTURE(cap);
  CHECK(send({.url = url_of(backend), .answer_max = cap}).has_value() == is_taken);
}

TEST_CASE("http request: https is verified by the CA that is named", "[health][http]") {
  const demarc::testing::TempFolder folder;
  const demarc::testing::CertificateAuthority ours, other;
  HttpBackend backend({.tls = ours.issue({.host = "hooks.example"})});
  const auto ask = [&](const std::string& host, const std::string& ca) {
    return send({.url = fmt::format("https://{}:{}/", host, backend.port()),
                 .ca_file = folder.write("ca.pem", ca),
                 .connect_to = zones::ProbeAt{geo::Address::ipv4(0x7f000001), backend.port()}});
  };
  CHECK(ask("hooks.example", ours.pem())->status == 200);
  CHECK_FALSE(ask("hooks.example", other.pem()));
  CHECK_FALSE(ask("other.example", ours.pem()));
}

TEST_CASE("http request: stop() ends one that waits, and all later ones", "[health][http]") {
  HttpBackend backend;
  backend.hang();
  HttpClient client;
  std::string error;
  std::thread asking([&] {
    error = client.send({.url = url_of(backend), .timeout = std::chrono::seconds{60}}).error();
  });
  const bool came = demarc::testing::wait_for([&] { return backend.requests() == 1; });
  client.stop();
  asking.join();
  CHECK(came);
  CHECK(error == "stopped");
  CHECK(client.send({.url = url_of(backend)}).error() == "stopped");
}

TEST_CASE("http request: which URLs an editor may write", "[health][http]") {
  const auto [url, is_good] = GENERATE(table<const char*, bool>({
      {"http://127.0.0.1:9093", true},
      {"https://hooks.example/a?b=c", true},
      {"http://[::1]:80/", true},
      {"hooks.example", false},
      {"ftp://hooks.example/", false},
      {"file:///etc/passwd", false},
      {"https://user:secret@hooks.example/", false},
      {"https://hooks.example/#x", false},
      {"https://", false},
      {"http://a b/", false},
      {"", false},
  }));
  CAPTURE(url);
  CHECK(find_url_error(url).has_value() == !is_good);
}
