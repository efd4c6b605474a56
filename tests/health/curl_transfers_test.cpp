// Probes against real servers that behave, misbehave and break off.
#include "health/curl_transfers.h"

#include <chrono>

#include <catch2/catch.hpp>

#include "tests/health/probing.h"
#include "tests/support/wait_for.h"

using namespace demarc;
using namespace demarc::health;
using namespace std::chrono_literals;
using testing::Behaviour;
using testing::Conduct;
using testing::HttpBackend;
using zones::ProbeScheme;

namespace {

/// Outcome and detail in one, for tables: "+ HTTP 200".
std::string said(const std::optional<ProbeResult>& result) {
  if (!result) return "no result";
  return (result->outcome == ProbeOutcome::pass ? "+ " : "- ") + result->detail;
}

}  // namespace

TEST_CASE("probe: the status decides", "[health][transfers]") {
  const auto [status, expect, expected] =
      GENERATE(table<int, std::vector<zones::StatusRange>, const char*>({
          {200, {{200, 299}}, "+ HTTP 200"},
          {299, {{200, 299}}, "+ HTTP 299"},
          {300, {{200, 299}}, "- HTTP 300"},
          {503, {{200, 299}}, "- HTTP 503"},
          {404, {{200, 299}, {404, 404}}, "+ HTTP 404"},
          {204, {{200, 200}}, "- HTTP 204"},
      }));
  HttpBackend backend;
  backend.status(status);
  Probe probe = local_probe(backend.port());
  probe.expect_status = expect;
  CHECK(said(probe_once(probe)) == expected);
}

TEST_CASE("probe: what an answer must say besides its status", "[health][transfers]") {
  const auto [expect, expected] = GENERATE(table<zones::ExpectedAnswer, const char*>({
      {{.body = "\"ok\""}, "+ HTTP 200"},
      {{.body = "down"}, "- HTTP 200, but `down` is not in the body"},
      {{.headers = {{"x-role", "primary"}}}, "+ HTTP 200"},
      {{.headers = {{"x-role", "standby"}}},
       "- HTTP 200, but header x-role is `primary`, expected `standby`"},
      {{.values = {{"/status", "ok"}}}, "+ HTTP 200"},
      {{.values = {{"/status", "ok"}, {"/lag", "0"}}},
       "- HTTP 200, but JSON /lag is `7`, expected `0`"},
  }));
  HttpBackend backend;
  backend.behave({.body = R"({"status":"ok","lag":7})", .headers = "X-Role: primary\r\n"});
  Probe probe = local_probe(backend.port());
  probe.expect = expect;
  CHECK(said(probe_once(probe)) == expected);
  backend.status(503);
  CHECK(said(probe_once(probe)) == "- HTTP 503");
}

TEST_CASE("probe: no more than the body's beginning is looked at", "[health][transfers]") {
  HttpBackend backend;
  Probe probe = local_probe(backend.port());
  backend.answer_with(std::string(body_cap_bytes - 2, ' ') + "ok");
  probe.expect.body = "ok";
  CHECK(said(probe_once(probe)) == "+ HTTP 200");
  backend.answer_with(std::string(body_cap_bytes - 1, ' ') + "ok");
  CHECK(said(probe_once(probe)) == "- HTTP 200, but `ok` is not in the body's beginning");
  backend.answer_with(R"({"status":"ok"})" + std::string(body_cap_bytes, ' '));
  probe.expect = {.values = {{"/status", "ok"}}};
  CHECK(said(probe_once(probe)) == "- HTTP 200, but the JSON is too long");
}

TEST_CASE("probe: it asks for the host by name at the given address", "[health][transfers]") {
  HttpBackend backend;
  Probe probe = local_probe(backend.port());
  SECTION("at the URL's port") {
    CHECK(said(probe_once(probe)) == "+ HTTP 200");
    const std::string head = backend.last_request();
    CAPTURE(head);
    CHECK(head.starts_with("GET /health HTTP/1.1\r\n"));
    CHECK(head.contains("\r\nHost: api.eu.example.sov:" + std::to_string(backend.port())));
    CHECK(head.contains("\r\nUser-Agent: Demarc-health-check\r\n"));
    CHECK_FALSE(head.contains("invalid"));
    CHECK_FALSE(head.contains("Accept-Encoding"));
  }
  SECTION("at another port, as probe-at has it") {
    probe.port = 80;
    probe.path = "/a/../b?c=d";
    CHECK(said(probe_once(probe, {.user_agent = "Demarc ns1"})) == "+ HTTP 200");
    CHECK(backend.last_request().starts_with("GET /a/../b?c=d HTTP/1.1\r\n"));
    CHECK(backend.last_request().contains("\r\nHost: api.eu.example.sov\r\n"));
    CHECK(backend.last_request().contains("\r\nUser-Agent: Demarc ns1\r\n"));
  }
}

TEST_CASE("probe: IPv6, and the first of several addresses that accepts", "[health][transfers]") {
  HttpBackend backend({.address = "::1"});
  Probe probe = local_probe(backend.port());
  geo::Address v6{.family = geo::Family::ipv6};
  v6.bytes[15] = 1;
  probe.addresses = {v6};
  CHECK(said(probe_once(probe)) == "+ HTTP 200");
  probe.addresses = {loopback(), v6};  // nobody listens on 127.0.0.1
  CHECK(said(probe_once(probe)) == "+ HTTP 200");
}

TEST_CASE("probe: one host name at two addresses at the same time", "[health][transfers]") {
  HttpBackend good({.address = "127.0.0.1"});
  HttpBackend bad({.address = "127.0.0.2", .port = good.port()});
  bad.status(500);
  auto transfers = CurlTransfers::create({});
  REQUIRE(transfers);
  Probe probe = local_probe(good.port());
  (*transfers)->start(TargetId{1}, probe);
  probe.addresses = {geo::Address::ipv4(0x7f000002)};
  (*transfers)->start(TargetId{2}, probe);
  std::string details[3];
  CHECK(testing::wait_for([&] {
    for (const auto& [target, result, is_timeout] : (*transfers)->wait(50ms)) {
      details[static_cast<std::size_t>(target)] = result.detail;
    }
    return !details[1].empty() && !details[2].empty();
  }));
  CHECK(details[1] == "HTTP 200");
  CHECK(details[2] == "HTTP 500");
}

TEST_CASE("probe: without addresses the host is resolved", "[health][transfers]") {
  HttpBackend backend;
  Probe probe = local_probe(backend.port());
  probe.addresses.clear();
  probe.host = "localhost";
  CHECK(said(probe_once(probe)) == "+ HTTP 200");
}

TEST_CASE("probe: what misbehaves is judged, and ends", "[health][transfers]") {
  const auto [name, conduct, timeout, expected] =
      GENERATE(table<const char*, Conduct, Milliseconds, const char*>({
          {"silence", Conduct::hang, 300ms, "- timeout after 300 ms"},
          {"a redirect is not followed", Conduct::redirect, 5s, "- HTTP 302"},
          {"an endless body is cut, its status counts", Conduct::endless_body, 5s, "+ HTTP 200"},
          {"a dribbled body is too slow", Conduct::dribble, 500ms, "- timeout after 500 ms"},
          {"endless headers", Conduct::endless_headers, 5s, "- headers above 32768 bytes"},
          {"less than promised", Conduct::cut_short, 5s, "- answer cut short"},
          {"no HTTP", Conduct::garbage, 5s, "- not an HTTP/1.1 answer"},
          {"a reset", Conduct::reset, 5s, "- connection reset"},
      }));
  CAPTURE(name);
  HttpBackend backend;
  HttpBackend elsewhere;
  backend.behave({.conduct = conduct,
                  .location = "http://127.0.0.1:" + std::to_string(elsewhere.port()) + "/"});
  Probe probe = local_probe(backend.port());
  probe.timing.timeout = timeout;
  CHECK(said(probe_once(probe)) == expected);
  CHECK(elsewhere.connections() == 0);
  CHECK(testing::wait_for([&] { return backend.open_connections() == 0; }));
}

TEST_CASE("probe: a slow answer counts while it is within the timeout", "[health][transfers]") {
  HttpBackend backend;
  Probe probe = local_probe(backend.port());
  backend.slow(200ms);
  probe.timing.timeout = 10s;
  const auto in_time = probe_once(probe);
  CHECK(said(in_time) == "+ HTTP 200");
  CHECK(in_time->latency >= 200ms);
  backend.slow(10s);
  probe.timing.timeout = 100ms;
  CHECK(said(probe_once(probe)) == "- timeout after 100 ms");
}

TEST_CASE("probe: a closed port refuses, and answers again when it is open",
          "[health][transfers]") {
  const auto scheme = GENERATE(ProbeScheme::http, ProbeScheme::tcp);
  HttpBackend backend;
  const Probe probe = local_probe(backend.port(), scheme);
  backend.close();
  CHECK(said(probe_once(probe)) == "- connection refused");
  backend.reopen();
  CHECK(said(probe_once(probe)).starts_with("+ "));
}

TEST_CASE("probe: tcp connects, says nothing and leaves", "[health][transfers]") {
  HttpBackend backend;
  backend.hang();
  auto transfers = CurlTransfers::create({});
  REQUIRE(transfers);
  (*transfers)->start(TargetId{1}, local_probe(backend.port(), ProbeScheme::tcp));
  std::optional<ProbeResult> result;
  CHECK(testing::wait_for([&] {
    const auto finished = (*transfers)->wait(50ms);
    if (!finished.empty()) result = finished.front().result;
    return result.has_value();
  }));
  CHECK(said(result) == "+ connected");
  CHECK(testing::wait_for([&] { return backend.connections() == 1; }));
  CHECK(testing::wait_for([&] { return backend.open_connections() == 0; }));
  CHECK(backend.requests() == 0);
}

TEST_CASE("probe: each one is a connection of its own", "[health][transfers]") {
  HttpBackend backend;
  auto transfers = CurlTransfers::create({});
  REQUIRE(transfers);
  for (std::size_t probes = 1; probes <= 3; ++probes) {
    (*transfers)->start(TargetId{1}, local_probe(backend.port()));
    REQUIRE(testing::wait_for([&] { return !(*transfers)->wait(50ms).empty(); }));
    CHECK(backend.connections() == probes);
  }
}

TEST_CASE("probe: a proxy in the environment is not asked", "[health][transfers]") {
  HttpBackend backend;
  HttpBackend proxy;
  setenv("http_proxy", ("http://127.0.0.1:" + std::to_string(proxy.port())).c_str(), 1);
  CHECK(said(probe_once(local_probe(backend.port()))) == "+ HTTP 200");
  unsetenv("http_proxy");
  CHECK(proxy.connections() == 0);
}

TEST_CASE("probe: one that cannot even begin still ends", "[health][transfers]") {
  Probe probe = local_probe(1);
  probe.path = "/with a space\n";
  CHECK(said(probe_once(probe)).starts_with("- "));
}

TEST_CASE("probe: a cancelled one is never heard of again", "[health][transfers]") {
  HttpBackend backend;
  backend.hang();
  auto transfers = CurlTransfers::create({});
  REQUIRE(transfers);
  (*transfers)->start(TargetId{1}, local_probe(backend.port()));
  CHECK(testing::wait_for([&] {
    CHECK((*transfers)->wait(5ms).empty());
    return backend.requests() == 1;
  }));
  (*transfers)->cancel(TargetId{1});
  CHECK((*transfers)->in_flight() == 0);
  CHECK(testing::wait_for([&] { return backend.open_connections() == 0; }));
}
