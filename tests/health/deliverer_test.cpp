// Alerts on their way to real servers that are down, slow, refuse and come back; over restarts and
// full disks.
#include "health/alerts/deliverer.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "health/alerts/spool.h"
#include "tests/health/alerting.h"
#include "tests/support/http_backend.h"
#include "tests/support/temp_folder.h"
#include "tests/support/wait_for.h"

using namespace demarc;
using namespace demarc::health;
using demarc::testing::Conduct;
using demarc::testing::HttpBackend;
using demarc::testing::TempFolder;
using demarc::testing::wait_for;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

/// A deliverer with one webhook, `oncall`; retries come within milliseconds, and the wall clock is
/// the test's own.
class World {
 public:
  explicit World(ReceiverKind kind = ReceiverKind::webhook) {
    receiver_.name = "oncall";
    receiver_.kind = kind;
    receiver_.url = fmt::format("http://127.0.0.1:{}", backend.port());
    receiver_.secret = kind == ReceiverKind::webhook ? "0123456789abcdef" : "";
    receiver_.timeout = Milliseconds{300};
  }

  Deliverer& start() {
    deliverer_.emplace(DelivererOptions{.folder = folder.path() + "/alerts",
                                        .sender = {"ns1", ""},
                                        .receivers = {receiver_},
                                        .clock = [this] { return now(); },
                                        .seed = 1,
                                        .retry = {Milliseconds{2}, Milliseconds{10}},
                                        .repeat = Milliseconds{20}});
    const auto started = deliverer_->start();
    REQUIRE(started);
    troubles = *started;
    return *deliverer_;
  }
  void stop() { deliverer_.reset(); }
  void pass(std::int64_t seconds) { wall_ += seconds; }
  [[nodiscard]] DeliveryState state() const { return deliverer_->states().at(0); }
  [[nodiscard]] std::string spool(const std::string& name = {}) const {
    return folder.path() + "/alerts/oncall" + name;
  }
  [[nodiscard]] std::size_t files(const std::string& name = {}) const {
    std::size_t count = 0;
    for (const auto& item : fs::directory_iterator(spool(name))) count += item.is_regular_file();
    return count;
  }

  HttpBackend backend;
  TempFolder folder;
  std::vector<std::string> troubles;

 private:
  [[nodiscard]] Moment now() const {
    return {wall_at(wall_), std::chrono::floor<Milliseconds>(std::chrono::steady_clock::now())};
  }
  Receiver receiver_;
  std::atomic<std::int64_t> wall_{0};
  std::optional<Deliverer> deliverer_;
};

/// "state key" of every message the backend was sent.
std::vector<std::string> told(const HttpBackend& backend) {
  std::vector<std::string> list;
  for (const auto& received : backend.received()) {
    const auto body = json::parse(received.body);
    list.push_back(body["state"].get<std::string>() + " " + body["key"].get<std::string>());
  }
  return list;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("deliverer: a message comes signed, and leaves the spool", "[health][deliverer]") {
  World world;
  auto& deliverer = world.start();
  deliverer.deliver(held_notice());
  REQUIRE(wait_for([&] { return world.state().delivered == 1; }));
  const auto received = world.backend.received();
  REQUIRE(received.size() == 1);
  CHECK(received[0].header("Content-Type") == "application/json");
  CHECK(received[0].header("Demarc-Signature") ==
        write_signature("0123456789abcdef", wall_at(0), received[0].body));
  CHECK(received[0].body == write_webhook(held_notice(), {"ns1", ""}));
  CHECK(world.files() == 0);
  CHECK(world.state().undelivered == 0);
  CHECK(deliverer.is_saved());
}

TEST_CASE("deliverer: a message for others is not ours", "[health][deliverer]") {
  World world;
  auto& deliverer = world.start();
  auto other = held_notice();
  other.to = {"somebody"};
  deliverer.deliver(other);
  deliverer.deliver(held_notice(NoticeState::raised, "mine"));
  REQUIRE(wait_for([&] { return world.state().delivered == 1; }));
  CHECK(told(world.backend) == Words{"raised mine"});
}

TEST_CASE("deliverer: trouble that passes costs tries, not messages", "[health][deliverer]") {
  World world;
  SECTION("down") { world.backend.close(); }
  SECTION("500") { world.backend.status(500); }
  SECTION("429") { world.backend.status(429); }
  SECTION("dribbling") { world.backend.behave({.conduct = Conduct::dribble}); }
  SECTION("endless") { world.backend.behave({.conduct = Conduct::endless_body}); }
  SECTION("silent") { world.backend.hang(); }
  SECTION("cut short") { world.backend.behave({.conduct = Conduct::cut_short}); }
  auto& deliverer = world.start();
  for (const char* key : {"a", "b", "c"}) {
    deliverer.deliver(held_notice(NoticeState::raised, key));
  }
  REQUIRE(wait_for([&] { return world.state().failed >= 2 && deliverer.is_saved(); }));
  CHECK(world.state().delivered == 0);
  CHECK(world.state().undelivered == 3);
  CHECK(world.state().oldest == wall_at(1));
  CHECK_FALSE(world.state().last_error.empty());
  CHECK(world.files() == 3);
  const auto before = told(world.backend).size();
  world.backend.reopen();
  world.backend.ok();
  REQUIRE(wait_for([&] { return world.state().delivered == 3; }));
  auto list = told(world.backend);
  list.erase(list.begin(), list.begin() + static_cast<long>(before));
  // The one that was in flight may have come twice; the order holds.
  REQUIRE(list.size() >= 3);
  CHECK(Words(list.end() - 3, list.end()) == Words{"raised a", "raised b", "raised c"});
  CHECK(world.state().last_error.empty());
  CHECK(world.files() == 0);
}

TEST_CASE("deliverer: what is overtaken while a receiver is down is not told",
          "[health][deliverer]") {
  World world;
  world.backend.close();
  auto& deliverer = world.start();
  deliverer.deliver(held_notice(NoticeState::raised, "a"));
  deliverer.deliver(held_notice(NoticeState::raised, "b"));
  deliverer.deliver(held_notice(NoticeState::reminder, "b"));
  deliverer.deliver(held_notice(NoticeState::ended, "a"));
  REQUIRE(wait_for([&] { return deliverer.is_saved() && world.state().failed > 0; }));
  CHECK(world.files() == 2);
  world.backend.reopen();
  REQUIRE(wait_for([&] { return world.state().delivered == 2; }));
  CHECK(told(world.backend) == Words{"raised b", "ended a"});
}

TEST_CASE("deliverer: a message that is refused for good is a dead letter, the next one goes on",
          "[health][deliverer]") {
  World world;
  world.backend.answer_with("no such hook\n", 404);
  auto& deliverer = world.start();
  deliverer.deliver(held_notice(NoticeState::raised, "a"));
  REQUIRE(wait_for([&] { return world.state().dead == 1; }));
  CHECK(world.state().last_error == "HTTP 404: no such hook ");
  REQUIRE(wait_for([&] { return world.files("/dead") == 1; }));
  std::ifstream in(fs::directory_iterator(world.spool("/dead"))->path());
  const auto letter = json::parse(in);
  CHECK(letter["reason"] == "HTTP 404: no such hook ");
  CHECK(letter["notice"]["alert"]["key"] == "a");
  world.backend.ok();
  deliverer.deliver(held_notice(NoticeState::raised, "b"));
  REQUIRE(wait_for([&] { return world.state().delivered == 1; }));
  CHECK(told(world.backend) == Words{"raised a", "raised b"});
}

TEST_CASE("deliverer: after a day a message is given up, not before", "[health][deliverer]") {
  World world;
  world.backend.status(503);
  auto& deliverer = world.start();
  deliverer.deliver(held_notice());  // made at second 1
  world.pass(24 * 3'600);
  REQUIRE(wait_for([&] { return world.state().failed >= 3; }));
  CHECK(world.state().dead == 0);
  world.pass(1);
  REQUIRE(wait_for([&] { return world.state().dead == 1; }));
  CHECK(world.state().undelivered == 0);
}

TEST_CASE("deliverer: a restart goes on with the spool, in order", "[health][deliverer]") {
  World world;
  world.backend.close();
  auto& before = world.start();
  for (const char* key : {"c", "a", "b"}) {
    before.deliver(held_notice(NoticeState::raised, key));
  }
  world.stop();  // at once: what was handed in is on disk all the same
  CHECK(world.files() == 3);
  std::ofstream(world.spool("/000000000002.json")) << "{torn";
  std::ofstream(world.spool("/readme.txt")) << "not ours";
  auto& after = world.start();
  CHECK(world.troubles.size() == 1);
  CHECK(world.files("/dead") == 1);
  after.deliver(held_notice(NoticeState::raised, "d"));
  world.backend.reopen();
  REQUIRE(wait_for([&] { return world.state().delivered == 3; }));
  CHECK(told(world.backend) == Words{"raised c", "raised b", "raised d"});
  CHECK(fs::exists(world.spool("/readme.txt")));
}

TEST_CASE("deliverer: without a spool messages wait in memory, and go to disk when they can",
          "[health][deliverer]") {
  World world;
  world.backend.close();
  fs::create_directories(world.folder.path() + "/alerts");
  world.folder.write("alerts/oncall", "a file where the folder should be");
  auto& deliverer = world.start();
  CHECK_FALSE(world.troubles.empty());
  deliverer.deliver(held_notice());
  REQUIRE(wait_for([&] { return !world.state().spool_error.empty() && world.state().failed > 0; }));
  CHECK_FALSE(deliverer.is_saved());
  CHECK(world.state().undelivered == 1);
  SECTION("it is delivered all the same") {
    world.backend.reopen();
    REQUIRE(wait_for([&] { return world.state().delivered == 1; }));
    CHECK(wait_for([&] { return world.state().spool_error.empty(); }));
  }
  SECTION("the disk is back") {
    fs::remove(world.spool());
    REQUIRE(wait_for([&] { return deliverer.is_saved(); }));
    CHECK(world.state().spool_error.empty());
    CHECK(world.files() == 1);
  }
  SECTION("a message that is refused leaves no letter, and nothing breaks") {
    world.backend.reopen();
    world.backend.status(400);
    REQUIRE(wait_for([&] { return world.state().dead == 1; }));
    CHECK(world.state().undelivered == 0);
  }
}

TEST_CASE("deliverer: it stops at once, whatever a receiver does", "[health][deliverer]") {
  World world;
  world.backend.hang();
  auto& deliverer = world.start();
  deliverer.deliver(held_notice());
  REQUIRE(wait_for([&] { return world.backend.requests() == 1; }));
  world.stop();
  CHECK(world.files() == 1);
}

TEST_CASE("deliverer: Alertmanager hears again what stands", "[health][deliverer]") {
  World world(ReceiverKind::alertmanager);
  auto& deliverer = world.start();
  deliverer.deliver(held_notice());
  deliverer.stand("oncall", {std::make_shared<const zones::Alert>(held_alert()),
                             std::make_shared<const zones::Alert>(held_alert("held/ch-2"))});
  REQUIRE(wait_for([&] { return world.backend.requests() >= 4; }));
  std::set<std::size_t> sizes;
  for (const auto& received : world.backend.received()) {
    CHECK(received.head.starts_with("POST /api/v2/alerts HTTP/1.1\r\n"));
    CHECK(received.header("Demarc-Signature").empty());
    sizes.insert(json::parse(received.body).size());
  }
  CHECK(sizes == std::set<std::size_t>{1, 2});
  CHECK(world.state().delivered == 1);
  deliverer.stand("oncall", {});
  deliverer.deliver(held_notice(NoticeState::reminder));  // its own affair
  deliverer.deliver(held_notice(NoticeState::ended));
  REQUIRE(wait_for([&] { return world.state().delivered == 2; }));
  CHECK(json::parse(world.backend.received().back().body)[0]["endsAt"] ==
        "2026-11-23T06:10:01.000Z");
}

TEST_CASE("spool: it keeps a hundred dead letters, the last ones", "[health][deliverer]") {
  const TempFolder folder;
  Spool spool(folder.path() + "/x");
  std::vector<std::string> troubles;
  CHECK(spool.load(troubles).empty());
  for (std::size_t i = 0; i < dead_letters_max + 1; ++i) {
    REQUIRE(spool.bury({spool.next_number(), held_notice(), false}, "why", wall_at(0)));
  }
  CHECK(spool.dead_letters() == dead_letters_max);
  CHECK_FALSE(fs::exists(folder.path() + "/x/dead/000000000001.json"));
  CHECK(fs::exists(folder.path() + "/x/dead/000000000002.json"));
  Spool again(folder.path() + "/x");
  CHECK(again.load(troubles).empty());
  CHECK(again.next_number() == dead_letters_max + 2);
  CHECK(troubles.empty());
}
