// A replica's lag: out of its JSON (pure), and from real servers in time.
#include <map>
#include <mutex>
#include <vector>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "health/lag_prober.h"
#include "health/lag_value.h"
#include "tests/support/http_backend.h"
#include "tests/support/wait_for.h"

using namespace demarc;
using namespace demarc::health;
using demarc::testing::Conduct;
using demarc::testing::HttpBackend;
using demarc::testing::wait_for;

namespace {

Moment real_clock() {
  return {WallTime{}, std::chrono::floor<Milliseconds>(std::chrono::steady_clock::now())};
}

class World {
 public:
  World()
      : prober_({.clock = real_clock, .seed = 1}, [this](zones::LagMeasured lag) {
          const std::scoped_lock lock(mutex_);
          measured_.push_back(std::move(lag));
        }) {
    REQUIRE(prober_.start());
  }

  [[nodiscard]] zones::LagCheck check(const std::string& key,
                                      Milliseconds interval = Milliseconds{5}) const {
    return {.key = key,
            .url = fmt::format("http://replica.example:{}/health", backend.port()),
            .pointer = "/replica/lag",
            .probe_at = zones::ProbeAt{geo::Address::ipv4(0x7f000001), backend.port()},
            .interval = interval,
            .timeout = Milliseconds{200}};
  }
  [[nodiscard]] std::vector<zones::LagMeasured> measured(const std::string& key = {}) {
    const std::scoped_lock lock(mutex_);
    std::vector<zones::LagMeasured> list;
    for (const auto& one : measured_) {
      if (key.empty() || one.check == key) list.push_back(one);
    }
    return list;
  }
  LagProber& prober() { return prober_; }

  HttpBackend backend;

 private:
  std::mutex mutex_;
  std::vector<zones::LagMeasured> measured_;
  LagProber prober_;
};

}  // namespace

TEST_CASE("lag: a pointer finds a finite number", "[health][lag]") {
  const auto [body, pointer, lag] = GENERATE(table<const char*, const char*, double>({
      {R"({"lag":0})", "/lag", 0},
      {R"({"lag":-1.5e2})", "/lag", -150},
      {R"({"a":{"b":[1,{"c":2}]}})", "/a/b/1/c", 2},
      {R"({"a":[7]})", "/a/0", 7},
      {R"({"a/b":{"m~n":3}})", "/a~1b/m~0n", 3},  // RFC 6901 §5
      {R"({"":4})", "/", 4},
      {R"({" ":5})", "/ ", 5},
      {R"({"0":6})", "/0", 6},
      {R"({"lag":18446744073709551615})", "/lag", 18446744073709551615.0},
  }));
  CAPTURE(body, pointer);
  CHECK(read_lag(body, pointer) == lag);
}

TEST_CASE("lag: everything else says what was found", "[health][lag]") {
  const auto [body, pointer, error] = GENERATE(table<const char*, const char*, const char*>({
      {R"({"lag":1})", "/lags", "nothing is at /lags"},
      {R"({"lag":1})", "/lag/x", "nothing is at /lag/x"},
      {R"({"a":[1]})", "/a/1", "nothing is at /a/1"},
      {R"({"a":[1]})", "/a/00", "nothing is at /a/00"},
      {R"({"a":[1]})", "/a/-", "nothing is at /a/-"},
      {R"({"a":[1]})", "/a/+0", "nothing is at /a/+0"},
      {R"({"lag":"1"})", "/lag", "what is at /lag is of type string, expected a number"},
      {R"({"lag":null})", "/lag", "what is at /lag is of type null, expected a number"},
      {R"({"lag":true})", "/lag", "what is at /lag is of type boolean, expected a number"},
      {R"({"lag":[1]})", "/lag", "what is at /lag is of type array, expected a number"},
      {R"({"lag":1})", "", "what is at  is of type object, expected a number"},
      {R"({"lag":1})", "lag", "the pointer does not begin with /"},
      {R"({"lag":1})", "/la~2g", "the pointer has a ~ without 0 or 1 after it"},
      {R"({"lag":1})", "/lag~", "the pointer has a ~ without 0 or 1 after it"},
      {R"({"lag":1e999})", "/lag", "the document: it is no valid JSON"},
      {R"({"lag":NaN})", "/lag", "the document: it is no valid JSON"},
      {R"({"lag":1} x)", "/lag", "the document: it is no valid JSON"},
      {R"({"lag":1,"lag":2})", "/lag", "the document: duplicate key `lag`"},
      {"[1]", "/0", "the document: it is JSON, but no object"},
      {"", "/lag", "the document: it is no valid JSON"},
  }));
  CAPTURE(body, pointer);
  const auto lag = read_lag(body, pointer);
  REQUIRE_FALSE(lag);
  CHECK(lag.error() == error);
}

TEST_CASE("lag prober: it asks again and again", "[health][lag]") {
  World world;
  world.backend.answer_with(R"({"replica":{"lag":2.5}})");
  world.prober().replace({world.check("a")});
  REQUIRE(wait_for([&] { return world.measured("a").size() >= 3; }));
  const auto first = world.measured("a").front();
  CHECK(first.value == 2.5);
  CHECK(first.detail == "2.5 at /replica/lag");
  const auto request = world.backend.received().front();
  CHECK(request.head.starts_with("GET /health HTTP/1.1\r\n"));
  CHECK(request.header("Host") == fmt::format("replica.example:{}", world.backend.port()));
}

TEST_CASE("lag prober: a replica that cannot be asked has no lag, and a reason", "[health][lag]") {
  World world;
  const char* expected = "";
  SECTION("down") {
    world.backend.close();
    expected = "connection refused";
  }
  SECTION("another status, whatever it says") {
    world.backend.answer_with(R"({"replica":{"lag":0}})", 503);
    expected = "HTTP 503";
  }
  SECTION("dribbling") {
    world.backend.behave({.conduct = Conduct::dribble});
    expected = "no answer within 200 ms";
  }
  SECTION("endless") {
    world.backend.behave({.conduct = Conduct::endless_body});
    expected = "the answer is above 65536 bytes";
  }
  SECTION("a redirect") {
    world.backend.behave({.conduct = Conduct::redirect, .location = "http://127.0.0.1:1/"});
    expected = "HTTP 302";
  }
  SECTION("no JSON") {
    world.backend.answer_with("<html>");
    expected = "the document: it is no valid JSON";
  }
  world.prober().replace({world.check("a")});
  REQUIRE(wait_for([&] { return !world.measured().empty(); }));
  CHECK_FALSE(world.measured()[0].value);
  CHECK(world.measured()[0].detail == expected);
}

TEST_CASE("lag prober: a replica that hangs holds up no other", "[health][lag]") {
  World world;
  HttpBackend slow;
  slow.hang();
  world.backend.answer_with(R"({"replica":{"lag":1}})");
  auto hanging = world.check("slow", std::chrono::seconds{60});
  hanging.probe_at->port = slow.port();
  hanging.timeout = std::chrono::seconds{60};
  world.prober().replace({hanging, world.check("a")});
  REQUIRE(wait_for([&] { return slow.requests() == 1 && world.measured("a").size() >= 3; }));
  CHECK(world.measured("slow").empty());
  world.prober().stop();
  CHECK(world.measured("slow").empty());
}

TEST_CASE("lag prober: checks die with their configuration", "[health][lag]") {
  World world;
  world.backend.hang();
  auto gone = world.check("gone", std::chrono::seconds{60});
  world.prober().replace({gone});
  REQUIRE(wait_for([&] { return world.backend.requests() == 1; }));
  SECTION("an answer that comes late is nobody's") {
    HttpBackend other;
    other.answer_with(R"({"replica":{"lag":1}})");
    auto next = world.check("next");
    next.probe_at->port = other.port();
    world.prober().replace({next});
    world.backend.close();  // ends the request in flight
    REQUIRE(wait_for([&] { return world.measured("next").size() >= 2; }));
    CHECK(world.measured("gone").empty());
  }
  SECTION("one that did not change goes on") {
    world.prober().replace({gone});
    world.backend.close();
    REQUIRE(wait_for([&] { return world.measured("gone").size() == 1; }));
    CHECK(world.backend.requests() == 1);
  }
  SECTION("another pointer under the same key: asked anew, the old answer does not count") {
    auto changed = gone;
    changed.pointer = "/other";
    HttpBackend other;
    other.answer_with(R"({"other":9})");
    changed.probe_at->port = other.port();
    world.prober().replace({changed});
    REQUIRE(wait_for([&] { return world.measured("gone").size() == 1; }));
    CHECK(world.measured("gone")[0].value == 9);
  }
}

TEST_CASE("lag prober: every lag check of a repository is asked", "[health][lag]") {
  zones::Repository repository;
  repository.services.resize(3);
  repository.services[0].activation.lag = {{.key = "a"}, {.key = "b"}};
  repository.services[2].activation.lag = {{.key = "c"}};
  const auto checks = build_lag_checks(repository);
  REQUIRE(checks.size() == 3);
  CHECK(checks[2].key == "c");
}
