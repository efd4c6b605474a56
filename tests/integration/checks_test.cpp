// Health checks that look at what an endpoint says: a real one, asked by a real demarcd.
#include <chrono>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/integration/server.h"
#include "tests/support/certificates.h"
#include "tests/support/http_backend.h"
#include "tests/support/wait_for.h"

using namespace demarc::testing;
using namespace std::chrono_literals;

namespace {

std::string detail_of(const Server& server, const std::string& check) {
  const nlohmann::json status = server.status();
  for (const auto& state : status["checks"]) {
    if (state["check"].get<std::string>().ends_with(check)) return state["detail"];
  }
  return "no such check";
}

}  // namespace

TEST_CASE("checks: an endpoint that says it is not well is left, and why is told",
          "[integration][health]") {
  Server server;
  const std::string endpoint = "endpoint: http://shop.eu.example.net/health";
  edit(server.path("repository/zones/example.com.yaml"), endpoint,
       endpoint + "\n        expect-json: { /status: ok }");
  server.eu.answer_with(R"({"status": "ok"})");
  server.start();
  REQUIRE(server.answers("shop.example.com", Server::shop_home));

  server.eu.answer_with(R"({"status": "read-only"})");
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  CHECK(server.answers("api.example.com", Server::api_home));  // its check asks for a status alone
  const std::string why = "HTTP 200, but JSON /status is `read-only`, expected `ok`";
  CHECK(detail_of(server, "shop.eu.example.net/health") == why);
  CHECK(server.ask({"explain", "shop.example.com"}).out.find(why) != std::string::npos);
  CHECK(detail_of(server, "api.eu.example.sov/health") == "HTTP 200");

  server.eu.answer_with(R"({"status": "ok"})");
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_home); }));
}

TEST_CASE("checks: when an endpoint's certificate ends is in status and metrics",
          "[integration][health]") {
  Server server;
  const CertificateAuthority ca;
  HttpBackend shop({.tls = ca.issue({.host = "shop.eu.example.net", .ends_in = 72h})});
  const std::uint16_t port = [] { return HttpBackend().port(); }();
  std::ofstream(server.path("ca.pem")) << ca.pem();
  edit(server.path("demarcd.yaml"), "node: test",
       fmt::format("node: test\nprobe-ca: ca.pem\nhttp: 127.0.0.1:{}", port));
  edit(server.path("repository/zones/example.com.yaml"),
       fmt::format("http://shop.eu.example.net/health\n        probe-at: 127.0.0.1:{}",
                   server.eu.port()),
       fmt::format("https://shop.eu.example.net/health\n        probe-at: 127.0.0.1:{}",
                   shop.port()));
  server.start();
  const auto certificate_end = [&](const std::string& check) {
    const nlohmann::json status = server.status();
    for (const auto& state : status["checks"]) {
      if (state["check"].get<std::string>().ends_with(check)) return state["certificate-end"];
    }
    return nlohmann::json("no such check");
  };
  REQUIRE(wait_for([&] { return certificate_end("shop.eu.example.net/health").is_string(); }));
  CHECK(certificate_end("shop.us.example.net/health").is_null());
  const std::string metrics =
      run({"curl", "-s", fmt::format("http://127.0.0.1:{}/metrics", port)}).out;
  INFO(metrics);
  const std::string line =
      "demarc_check_certificate_end_seconds{check=\"example.com/shop/"
      "https://shop.eu.example.net/health\"} ";
  const std::size_t found = metrics.find(line);
  REQUIRE(found != std::string::npos);
  const auto end = std::chrono::seconds{std::stoll(metrics.substr(found + line.size()))};
  const auto left = end - std::chrono::system_clock::now().time_since_epoch();
  CHECK((left > 71h && left <= 72h));
}

TEST_CASE("checks: a tls check follows the handshake, an HTTP/2 check the version",
          "[integration][health]") {
  Server server;
  const CertificateAuthority ca;
  const TlsIdentity identity = ca.issue({.host = "shop.eu.example.net", .ends_in = 72h});
  HttpBackend shop({.tls = identity, .alpn = Alpn::h2, .speaks_http2 = true});
  std::ofstream(server.path("ca.pem")) << ca.pem();
  edit(server.path("demarcd.yaml"), "node: test", "node: test\nprobe-ca: ca.pem");
  const bool is_tls = GENERATE(true, false);
  const std::string endpoint = is_tls ? fmt::format("tls://shop.eu.example.net:{}", shop.port())
                                      : "https://shop.eu.example.net/health";
  const std::string more = is_tls ? "certificate-min: 1d" : "http-version: 2";
  edit(server.path("repository/zones/example.com.yaml"),
       fmt::format("http://shop.eu.example.net/health\n        probe-at: 127.0.0.1:{}",
                   server.eu.port()),
       fmt::format("{}\n        probe-at: 127.0.0.1:{}\n        {}", endpoint, shop.port(), more));
  server.start();
  const std::string check = endpoint.substr(endpoint.find("shop.eu"));
  CHECK(server.answers("shop.example.com", Server::shop_home));
  CHECK(detail_of(server, check) == (is_tls ? "TLS handshake" : "HTTP 200"));
  CHECK((shop.requests() == 0) == is_tls);

  shop.close();
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  const std::string why = server.ask({"explain", "shop.example.com"}).out;
  CHECK(why.find("connection refused") != std::string::npos);
  shop.reopen();
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_home); }));
}
