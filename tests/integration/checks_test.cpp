// Health checks that look at what an endpoint says: a real one, asked by a real demarcd.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/integration/server.h"
#include "tests/support/certificates.h"
#include "tests/support/free_port.h"
#include "tests/support/http_backend.h"
#include "tests/support/process.h"
#include "tests/support/wait_for.h"

using namespace demarc::testing;
using namespace std::chrono_literals;

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
  CHECK(server.detail("shop.eu.example.net/health") == why);
  CHECK(server.ask({"explain", "shop.example.com"}).out.find(why) != std::string::npos);
  CHECK(server.detail("api.eu.example.sov/health") == "HTTP 200");

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
       fmt::format("https://shop.eu.example.net/health\n        certificate-every: 1h\n"
                   "        probe-at: 127.0.0.1:{}",
                   shop.port()));
  server.start();
  REQUIRE(wait_for([&] { return shop.resumptions() >= 2; }));
  REQUIRE(wait_for(
      [&] { return server.check("shop.eu.example.net/health")["certificate-end"].is_string(); }));
  CHECK(server.check("shop.us.example.net/health")["certificate-end"].is_null());
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
  CHECK(server.detail(check) == (is_tls ? "TLS handshake" : "HTTP 200"));
  CHECK((shop.requests() == 0) == is_tls);

  shop.close();
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  const std::string why = server.ask({"explain", "shop.example.com"}).out;
  CHECK(why.find("connection refused") != std::string::npos);
  shop.reopen();
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_home); }));
}

namespace {

/// The shop's check of its home, with other settings in its place.
void replace_check(const Server& server, const std::string& check) {
  edit(server.path("repository/zones/example.com.yaml"),
       fmt::format("endpoint: http://shop.eu.example.net/health\n        probe-at: 127.0.0.1:{}",
                   server.eu.port()),
       check);
}

/// A Prometheus that answers every query with one value, or with none.
std::string prometheus_says(const std::string& value) {
  const std::string series =
      value.empty() ? "" : fmt::format(R"({{"metric":{{}},"value":[1.5,"{}"]}})", value);
  return fmt::format(R"({{"status":"success","data":{{"resultType":"vector","result":[{}]}}}})",
                     series);
}

}  // namespace

TEST_CASE("checks: a file that somebody else keeps", "[integration][health]") {
  Server server;
  std::filesystem::create_directory(server.path("evidence"));
  edit(server.path("demarcd.yaml"), "node: test", "node: test\nevidence-folder: evidence");
  replace_check(server, "endpoint: file:shop\n        of: shop.eu");
  const auto say = [&](const std::string& text) {
    std::ofstream(server.path("evidence/new")) << text;
    std::filesystem::rename(server.path("evidence/new"), server.path("evidence/shop"));
  };
  say("up\n");
  server.start();
  CHECK(server.answers("shop.example.com", Server::shop_home));
  say("down the database is gone\n");
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  CHECK(server.detail("shop/file:shop") == "file: down, the database is gone");
  say("up\n");
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_home); }));
  // Nobody keeps it any more: not known, and nothing moves.
  std::filesystem::remove(server.path("evidence/shop"));
  CHECK(wait_for([&] { return server.verdict("shop/file:shop") == "stale"; }));
  CHECK(server.answers("shop.example.com", Server::shop_home));
}

TEST_CASE("checks: a program of the operator's own, and the nearest thing to one",
          "[integration][health]") {
  Server server;
  std::filesystem::create_directory(server.path("programs"));
  const std::string program = server.path("programs/shop");
  std::ofstream(program) << "#!/bin/sh\necho asked of $1 $2\nexit $(cat " << server.path("exit")
                         << ")\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  std::ofstream(server.path("exit")) << 0;
  const bool is_on = GENERATE(true, false);
  if (is_on)
    edit(server.path("demarcd.yaml"), "node: test", "node: test\nprograms-folder: programs");
  replace_check(server, "endpoint: program:shop\n        of: shop.eu");
  server.start();
  CHECK(server.answers("shop.example.com", Server::shop_home));
  if (!is_on) {
    CHECK(server.detail("program:shop") ==
          "programs are off: demarcd.yaml names no folder of them");
    CHECK(server.verdict("program:shop") == "unknown");
    return;
  }
  CHECK(server.detail("program:shop") == "shop exit 0: asked of shop.eu.example.net 192.0.2.20");
  std::ofstream(server.path("exit")) << 1;
  CHECK(wait_for([&] { return server.verdict("program:shop") == "degraded"; }));
  CHECK(server.answers("shop.example.com", Server::shop_home));
  std::ofstream(server.path("exit")) << 2;
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
}

TEST_CASE("checks: what a monitor knows moves traffic, what it does not know does not",
          "[integration][health]") {
  Server server;
  HttpBackend monitor;
  monitor.answer_with(prometheus_says("0.01"));
  replace_check(server, fmt::format("endpoint: http://127.0.0.1:{}/prom\n        of: shop.eu\n"
                                    "        name: errors\n"
                                    "        query: 'rate(errors[1m]) / 2'\n"
                                    "        expect-value: \"< 0.05\"",
                                    monitor.port()));
  server.start();
  CHECK(server.answers("shop.example.com", Server::shop_home));
  CHECK(monitor.last_request().starts_with(
      "GET /prom/api/v1/query?query=rate%28errors%5B1m%5D%29%20%2F%202 HTTP/1.1"));
  monitor.answer_with(prometheus_says("0.2"));
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  CHECK(server.detail("shop/errors") == "HTTP 200, but the value is 0.2, expected < 0.05");
  monitor.answer_with(prometheus_says("0.03"));
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_home); }));
  // It is gone, it is ill, it has lost the series: none of these is the shop's fault.
  const std::size_t before = monitor.requests();
  monitor.answer_with(prometheus_says("NaN"));
  CHECK(wait_for([&] { return monitor.requests() > before + 2; }));
  monitor.answer_with(prometheus_says(""));
  CHECK(wait_for([&] { return server.verdict("shop/errors") == "stale"; }));
  CHECK(server.answers("shop.example.com", Server::shop_home));
  monitor.close();
  CHECK(wait_for([&] {
    return server.detail("shop/errors").find("connection refused") != std::string::npos;
  }));
  CHECK(server.answers("shop.example.com", Server::shop_home));
}

TEST_CASE("checks: Debian's own Prometheus, scraping what a shop tells of itself",
          "[integration][health]") {
  Server server;
  HttpBackend shop;
  shop.answer_with("# TYPE shop_errors gauge\nshop_errors 0.01\n");
  const std::uint16_t port = free_port();
  std::ofstream(server.path("prometheus.yml")) << fmt::format(
      "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\n"
      "scrape_configs:\n"
      "  - job_name: shop\n"
      "    static_configs: [{{ targets: ['127.0.0.1:{}'] }}]\n",
      shop.port());
  Process prometheus({.argv = {"prometheus", "--config.file=" + server.path("prometheus.yml"),
                               "--storage.tsdb.path=" + server.path("tsdb"),
                               fmt::format("--web.listen-address=127.0.0.1:{}", port)}});
  replace_check(server, fmt::format("endpoint: http://127.0.0.1:{}\n        of: shop.eu\n"
                                    "        name: errors\n"
                                    "        query: 'sum(shop_errors{{job=\"shop\"}})'\n"
                                    "        expect-value: \"< 0.05\"",
                                    port));
  server.start();
  CHECK(wait_for([&] { return server.verdict("shop/errors") == "up"; }, 30s));
  CHECK(server.answers("shop.example.com", Server::shop_home));
  shop.answer_with("# TYPE shop_errors gauge\nshop_errors 0.5\n");
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }, 20s));
  CHECK(server.detail("shop/errors") == "HTTP 200, but the value is 0.5, expected < 0.05");
  prometheus.stop();
  CHECK(wait_for([&] { return server.verdict("shop/errors") == "stale"; }, 20s));
  CHECK(server.answers("shop.example.com", Server::shop_abroad));  // as it was known last
}

TEST_CASE("checks: one that is slow has less weight, and one that follows two goes with both",
          "[integration][health]") {
  Server server;
  HttpBackend second;
  replace_check(server,
                fmt::format("endpoint: http://shop.eu.example.net/one\n"
                            "        name: one\n"
                            "        votes: 0\n"
                            "        probe-at: 127.0.0.1:{0}\n"
                            "        interval: 1s\n"
                            "        timeout: 500ms\n"
                            "      - endpoint: http://shop.eu.example.net/two\n"
                            "        name: two\n"
                            "        votes: 0\n"
                            "        probe-at: 127.0.0.1:{1}\n"
                            "        interval: 1s\n"
                            "        timeout: 500ms\n"
                            "      - {{ name: either, of: shop.eu, calculated: {{ at-least: 1, "
                            "checks: [one, two] }} }}\n"
                            "      - endpoint: http://shop.eu.example.net/speed\n"
                            "        name: speed\n"
                            "        degraded-above: 50ms\n"
                            "        probe-at: 127.0.0.1:{0}",
                            server.eu.port(), second.port()));
  server.start();
  CHECK(server.answers("shop.example.com", Server::shop_home));
  const auto weight = [&] {
    const std::string text = server.ask({"explain", "shop.example.com"}).out;
    return text.find("50") != std::string::npos && text.find("degraded") != std::string::npos;
  };
  server.eu.slow(100ms);
  CHECK(wait_for([&] { return server.verdict("shop/speed") == "degraded"; }, 20s));
  CHECK(weight());
  CHECK(server.answers("shop.example.com", Server::shop_home));
  server.eu.ok();
  CHECK(wait_for([&] { return server.verdict("shop/speed") == "up"; }, 20s));

  second.status(500);
  CHECK(wait_for([&] { return server.verdict("shop/two") == "down"; }));
  CHECK(server.verdict("shop/either") == "up");
  CHECK(server.answers("shop.example.com", Server::shop_home));
  second.ok();
  CHECK(wait_for([&] { return server.verdict("shop/two") == "up"; }));
  second.status(500);
  server.eu.status(500);
  CHECK(wait_for([&] { return server.verdict("shop/either") == "down"; }));
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
}

TEST_CASE("checks: answers live shorter while they may change", "[integration][health]") {
  Server server;
  edit(server.path("repository/zones/example.com.yaml"), "shop:\n    ttl: 30",
       "shop:\n    ttl: 30\n    ttl-min: 5");
  edit(server.path("repository/zones/example.com.yaml"),
       fmt::format("http://shop.eu.example.net/health\n        probe-at: 127.0.0.1:{}\n"
                   "        interval: 200ms\n        timeout: 200ms\n        fall: 2",
                   server.eu.port()),
       fmt::format("http://shop.eu.example.net/health\n        probe-at: 127.0.0.1:{}\n"
                   "        interval: 200ms\n        timeout: 200ms\n        fall: 10",
                   server.eu.port()));
  server.start();
  const auto ttl = [&] {
    return dig("127.0.0.1", server.port(), {"shop.example.com", "A"}).ttl().value_or(0);
  };
  CHECK(ttl() == 30);
  server.eu.status(500);  // it will take ten failures
  CHECK(wait_for([&] { return ttl() == 5; }));
  CHECK(server.answers("shop.example.com", Server::shop_home));
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_abroad); }));
  CHECK(ttl() == 5);
  server.eu.ok();
  CHECK(wait_for([&] { return server.answers("shop.example.com", Server::shop_home); }));
  CHECK(wait_for([&] { return ttl() == 30; }));
}

TEST_CASE("checks: every setting that decides, and where it came from", "[integration][health]") {
  Server server;
  edit(server.path("repository/zones/example.com.yaml"), "shop:\n    ttl: 30",
       "shop:\n    ttl: 30\n    ttl-min: 5\n    leash: { slow-start: 20s, min-healthy: 10% }");
  std::ofstream(server.path("repository/policy.yaml"), std::ios::app)
      << "leash: { failback-delay: 1m, min-healthy: 20% }\n";
  server.start();
  const auto said = server.ask({"explain", "shop.example.com", "--json"});
  REQUIRE(said.exit == 0);
  const auto settings = nlohmann::json::parse(said.out).at("settings");
  const auto find = [&](const std::string& of, const std::string& setting) {
    for (const auto& one : settings) {
      if (!one["of"].get<std::string>().ends_with(of) || one["setting"] != setting) continue;
      return one["value"].get<std::string>() + " by " + one["source"].get<std::string>();
    }
    return std::string("none");
  };
  CHECK(find("service", "ttl").starts_with("30s by zones/example.com.yaml:"));
  CHECK(find("service", "ttl-min").starts_with("5s by zones/example.com.yaml:"));
  CHECK(find("service", "quorum") == "1 by default");
  CHECK(find("service", "leash/slow-start").starts_with("20s by zones/example.com.yaml:"));
  CHECK(find("service", "leash/min-healthy").starts_with("10% by zones/example.com.yaml:"));
  CHECK(find("service", "leash/failback-delay") == "1m by policy.yaml");
  CHECK(find("service", "leash/flap") == "none by default");
  CHECK(find("shop.us.example.net/health", "interval").starts_with("200ms by zones/example.com"));
  CHECK(find("shop.us.example.net/health", "rise") == "2 by default");
  CHECK(find("shop.us.example.net/health", "expect-status") == "200-299 by default");
  const auto text = server.ask({"explain", "shop.example.com", "--settings"}).out;
  CHECK(text.find("leash/failback-delay       1m                     policy.yaml") !=
        std::string::npos);
  CHECK(server.ask({"explain", "shop.example.com"}).out.find("settings") == std::string::npos);
}
