// From checks to targets, and what a probe's URL is.
#include "health/probe.h"

#include <catch2/catch.hpp>

using namespace demarc;
using namespace demarc::health;
using namespace std::chrono_literals;
using zones::ProbeScheme;

namespace {

zones::HealthCheck check(std::string key, std::string path = "/health") {
  return {.key = std::move(key), .host = "api.eu.example.sov", .path = std::move(path)};
}

zones::Repository repository(std::vector<zones::HealthCheck> checks) {
  zones::Service service;
  service.records.push_back({.addresses = {geo::Address::ipv4(0xc000020a)}});
  service.checks = std::move(checks);
  zones::Repository repository;
  repository.services.push_back(std::move(service));
  return repository;
}

}  // namespace

TEST_CASE("targets: equal checks are one target with all their keys", "[health][probe]") {
  zones::Repository two = repository({check("a"), check("b"), check("c", "/other")});
  two.services.push_back(two.services.front());
  two.services.back().checks = {check("d")};
  const auto targets = build_targets(two);
  REQUIRE(targets.size() == 2);
  CHECK(targets[0].keys == std::vector<std::string>{"a", "b", "d"});
  CHECK(targets[1].keys == std::vector<std::string>{"c"});
  CHECK(targets[0].probe.addresses == std::vector{geo::Address::ipv4(0xc000020a)});
  CHECK(targets[0].probe.connect_port == 443);
}

TEST_CASE("targets: whatever differs in the question makes another target", "[health][probe]") {
  auto other = check("b");
  SECTION("scheme") { other.scheme = ProbeScheme::http; }
  SECTION("host") { other.host = "api.us.example"; }
  SECTION("port") { other.port = 8443; }
  SECTION("probe-at") { other.probe_at = zones::ProbeAt{geo::Address::ipv4(0x7f000001), 443}; }
  SECTION("interval") { other.interval = 5s; }
  SECTION("timeout") { other.timeout = 5s; }
  SECTION("fall") { other.fall = 4; }
  SECTION("rise") { other.rise = 4; }
  SECTION("method") { other.method = zones::ProbeMethod::head; }
  SECTION("http-version") { other.http_version = zones::HttpVersion::http2; }
  SECTION("expect-status") { other.expect_status = {{200, 200}}; }
  SECTION("expect-body") { other.expect.body = "ok"; }
  SECTION("expect-header") { other.expect.headers = {{"x-role", "primary"}}; }
  SECTION("expect-json") { other.expect.values = {{"/status", "ok"}}; }
  SECTION("certificate-min") { other.expect.certificate_left = 24h; }
  CHECK(build_targets(repository({check("a"), other})).size() == 2);
}

TEST_CASE("targets: probe-at replaces the record's addresses", "[health][probe]") {
  auto elsewhere = check("a");
  elsewhere.probe_at = zones::ProbeAt{geo::Address::ipv4(0x7f000001), 8081};
  const Probe probe = build_targets(repository({elsewhere})).at(0).probe;
  CHECK(probe.addresses == std::vector{geo::Address::ipv4(0x7f000001)});
  CHECK(probe.connect_port == 8081);
  CHECK(probe.port == 443);
}

TEST_CASE("targets: a tcp or tls check has neither path nor status", "[health][probe]") {
  auto one = check("a", "/");
  auto two = check("b", "/other");
  one.scheme = two.scheme = GENERATE(ProbeScheme::tcp, ProbeScheme::tls);
  two.expect_status = {{300, 399}};
  CHECK(build_targets(repository({one, two})).size() == 1);
}

TEST_CASE("probe: its URL names the port unless the scheme does", "[health][probe]") {
  const auto [scheme, host, port, path, expected] =
      GENERATE(table<ProbeScheme, const char*, std::uint16_t, const char*, const char*>({
          {ProbeScheme::https, "a.example", 443, "/health", "https://a.example/health"},
          {ProbeScheme::https, "a.example", 8443, "/h?x=1", "https://a.example:8443/h?x=1"},
          {ProbeScheme::http, "a.example", 80, "/", "http://a.example/"},
          {ProbeScheme::http, "a.example", 443, "/", "http://a.example:443/"},
          {ProbeScheme::tcp, "a.example", 80, "", "tcp://a.example:80"},
          {ProbeScheme::tls, "a.example", 443, "", "tls://a.example:443"},
          {ProbeScheme::http, "2001:db8::1", 8080, "/", "http://[2001:db8::1]:8080/"},
      }));
  CHECK(Probe{.scheme = scheme, .host = host, .port = port, .path = path}.url() == expected);
}
