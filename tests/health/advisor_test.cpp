// The policy engine's advice: what its answers mean, and that everything but a clear yes or no
// in time is no word. The server is ours and speaks Open Policy Agent's documented data API.
#include "health/advisor.h"

#include <mutex>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/http_backend.h"
#include "tests/support/wait_for.h"

using namespace demarc;
using namespace demarc::health;
using demarc::testing::Conduct;
using demarc::testing::HttpBackend;
using demarc::testing::wait_for;
using zones::Effect;
using Word = std::optional<Effect>;  // nothing: no word

namespace {

Moment real_clock() {
  return {WallTime{}, std::chrono::floor<Milliseconds>(std::chrono::steady_clock::now())};
}

class World {
 public:
  World()
      : client_({.clock = real_clock}, [this](zones::AdviceGiven advice) {
          const std::scoped_lock lock(mutex_);
          given_.push_back(std::move(advice));
        }) {
    REQUIRE(client_.start());
  }

  void ask(const std::string& id, Milliseconds timeout = std::chrono::seconds{10},
           std::string input = "{\"service\":\"api.example.com\"}") {
    const std::string url =
        fmt::format("http://127.0.0.1:{}/v1/data/demarc/crossing", backend.port());
    client_.ask({id, {url, timeout}, std::move(input)});
  }
  std::vector<zones::AdviceGiven> wait(std::size_t count) {
    CHECK(wait_for([&] {
      const std::scoped_lock lock(mutex_);
      return given_.size() >= count;
    }));
    const std::scoped_lock lock(mutex_);
    return given_;
  }
  void stop() { client_.stop(); }

  HttpBackend backend;

 private:
  std::mutex mutex_;
  std::vector<zones::AdviceGiven> given_;
  AdvisorClient client_;
};

}  // namespace

TEST_CASE("advisor: what an answer says", "[health][advisor]") {
  const auto [status, body, effect, detail] = GENERATE(table<int, const char*, Word, const char*>({
      {200, R"({"result":true})", Effect::allow, "allowed"},
      {200, R"({"result":false})", Effect::deny, "denied"},
      {200, R"({"result":{"allow":true,"reason":"case 7"}})", Effect::allow, "case 7"},
      {200, R"({"result":{"allow":false,"reason":"not on\nSundays"}})", Effect::deny,
       "not on Sundays"},
      {200, R"({"result":{"allow":true},"decision_id":"d-1"})", Effect::allow,
       "allowed (decision d-1)"},
      {200, R"({"result":{"allow":false,"reason":7}})", Effect::deny, "denied"},
      {200, R"({})", Word{}, "the advisor's answer has no `result`: its rule is undefined"},
      {200, R"({"decision_id":"d-2"})", Word{},
       "the advisor's answer has no `result`: its rule is undefined"},
      {200, R"({"result":{}})", Word{}, "the result has no `allow` that is true or false"},
      {200, R"({"result":{"allow":"true"}})", Word{},
       "the result has no `allow` that is true or false"},
      {200, R"({"result":"true"})", Word{},
       "the result is of type string, expected true, false or an object with `allow`"},
      {200, R"({"result":[true]})", Word{},
       "the result is of type array, expected true, false or an object with `allow`"},
      {200, R"({"result":1})", Word{},
       "the result is of type number, expected true, false or an object with `allow`"},
      {200, R"({"result":null})", Word{},
       "the result is of type null, expected true, false or an object with `allow`"},
      {200, R"({"result":true,"result":true})", Word{},
       "the advisor's answer: duplicate key `result`"},
      {200, "true", Word{}, "the advisor's answer: it is JSON, but no object"},
      {200, "", Word{}, "the advisor's answer: it is no valid JSON"},
      {201, R"({"result":true})", Word{}, "the advisor answered HTTP 201"},
      {500, R"({"result":true})", Word{}, "the advisor answered HTTP 500"},
      {302, R"({"result":true})", Word{}, "the advisor answered HTTP 302"},
  }));
  CAPTURE(status, body);
  const Advice advice = read_advice(status, body);
  CHECK(advice.effect == effect);
  CHECK(advice.detail == detail);
}

TEST_CASE("advisor: a long reason is cut between letters", "[health][advisor]") {
  std::string reason = "x";
  while (reason.size() < 300) reason += "\u00e4";
  const auto advice = read_advice(200, R"({"result":{"allow":true,"reason":")" + reason + "\"}}");
  CHECK(advice.detail == reason.substr(0, 199));
}

TEST_CASE("advisor: the question is the data API's, the answer has its id", "[health][advisor]") {
  World world;
  world.backend.answer_with(R"({"result":{"allow":true,"reason":"fine"}})");
  world.ask("g-1 to us");
  const auto given = world.wait(1);
  REQUIRE(given.size() == 1);
  CHECK(given[0].id == "g-1 to us");
  CHECK(given[0].effect == Effect::allow);
  CHECK(given[0].detail == "fine");
  const auto received = world.backend.received().at(0);
  CHECK(received.head.starts_with("POST /v1/data/demarc/crossing HTTP/1.1\r\n"));
  CHECK(received.header("Content-Type") == "application/json");
  CHECK(nlohmann::json::parse(received.body) ==
        nlohmann::json::parse(R"({"input":{"service":"api.example.com"}})"));
}

TEST_CASE("advisor: no clear answer in time is no word", "[health][advisor]") {
  World world;
  const char* expected = "";
  Milliseconds timeout = std::chrono::seconds{10};
  std::string input = "{}";
  SECTION("down") {
    world.backend.close();
    expected = "the advisor gave no answer: connection refused";
  }
  SECTION("silent") {
    world.backend.hang();
    timeout = Milliseconds{50};
    expected = "the advisor gave no answer: no answer within";
  }
  SECTION("dribbling") {
    world.backend.behave({.conduct = Conduct::dribble});
    timeout = Milliseconds{50};
    expected = "the advisor gave no answer: no answer within";
  }
  SECTION("endless") {
    world.backend.behave({.conduct = Conduct::endless_body});
    expected = "the advisor gave no answer: the answer is above 65536 bytes";
  }
  SECTION("a redirect to a yes") {
    world.backend.behave({.conduct = Conduct::redirect, .location = "http://127.0.0.1:1/"});
    expected = "the advisor answered HTTP 302";
  }
  SECTION("a question that is none") {
    input = "{\"a\":1}, \"x\": {";
    expected = "the question is no JSON object";
  }
  world.ask("g", timeout, input);
  const auto given = world.wait(1);
  REQUIRE(given.size() == 1);
  CHECK_FALSE(given[0].effect);
  CHECK(given[0].detail.starts_with(expected));
}

TEST_CASE("advisor: time in the line counts, and a full line gives no word", "[health][advisor]") {
  World world;
  world.backend.hang();
  world.ask("first", Milliseconds{150});
  REQUIRE(wait_for([&] { return world.backend.requests() == 1; }));
  for (std::size_t i = 0; i < questions_max + 2; ++i)
    world.ask(std::to_string(i), Milliseconds{100});
  const auto given = world.wait(questions_max + 3);
  REQUIRE(given.size() == questions_max + 3);
  CHECK(world.backend.requests() == 1);  // the others were too old when their turn came
  CHECK(given[1].detail == "no advice within 100 ms");
  CHECK(given[questions_max].detail == "no advice within 100 ms");
  CHECK(given[questions_max + 1].detail == "too many questions wait for the advisor");
  for (const auto& one : given) CHECK_FALSE(one.effect);
}

TEST_CASE("advisor: it stops at once, and says nothing afterwards", "[health][advisor]") {
  World world;
  world.backend.hang();
  world.ask("g", std::chrono::seconds{60});
  REQUIRE(wait_for([&] { return world.backend.requests() == 1; }));
  world.stop();
  CHECK(world.wait(0).empty());
}
