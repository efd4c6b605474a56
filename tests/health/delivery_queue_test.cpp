#include "health/alerts/delivery_queue.h"

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/health/alerting.h"

using namespace demarc;
using namespace demarc::health;

namespace {

using Numbers = std::vector<std::uint64_t>;

std::string order(DeliveryQueue& queue) {
  std::string text;
  for (const Queued& one : queue.messages()) {
    text += fmt::format("{}:{}:{} ", one.number, to_text(one.notice.state), one.notice.alert.key);
  }
  return text;
}

}  // namespace

TEST_CASE("delivery queue: a later message of a key takes the earlier one's place",
          "[health][alerts]") {
  DeliveryQueue queue;
  CHECK(queue.push({1, held_notice(NoticeState::raised, "a")}).replaced.empty());
  CHECK(queue.push({2, held_notice(NoticeState::raised, "b")}).replaced.empty());
  SECTION("changed: still news to the receiver") {
    auto changed = held_notice(NoticeState::changed, "a");
    changed.before = held_alert("a");
    CHECK(queue.push({3, changed}).replaced == Numbers{1});
    CHECK(order(queue) == "2:raised:b 3:raised:a ");
    CHECK_FALSE(queue.messages().back().notice.before);
  }
  SECTION("a reminder is dropped: the alert itself is on its way") {
    CHECK(queue.push({3, held_notice(NoticeState::reminder, "a")}).replaced == Numbers{3});
    CHECK(order(queue) == "1:raised:a 2:raised:b ");
  }
  SECTION("ended: the one message tells of begin and end") {
    CHECK(queue.push({3, held_notice(NoticeState::ended, "a")}).replaced == Numbers{1});
    CHECK(order(queue) == "2:raised:b 3:ended:a ");
  }
  SECTION("two changes: before is what the receiver knows") {
    queue = {};
    auto first = held_notice(NoticeState::changed, "a");
    first.before = held_alert("a");
    first.before->text = "known";
    auto second = held_notice(NoticeState::changed, "a");
    second.before = held_alert("a");
    second.before->text = "never told";
    (void)queue.push({1, first});
    (void)queue.push({2, second});
    CHECK(queue.front().notice.state == NoticeState::changed);
    CHECK(queue.front().notice.before->text == "known");
    (void)queue.push({3, held_notice(NoticeState::ended, "a")});
    CHECK(queue.front().notice.before->text == "known");
    CHECK(queue.size() == 1);
  }
}

TEST_CASE("delivery queue: at its limit the oldest makes room", "[health][alerts]") {
  DeliveryQueue queue;
  for (std::size_t i = 1; i <= undelivered_max; ++i) {
    REQUIRE_FALSE(
        queue.push({i, held_notice(NoticeState::raised, fmt::format("k{}", i))}).too_many);
  }
  CHECK_FALSE(queue.push({5'000, held_notice(NoticeState::ended, "k7")}).too_many);
  const auto pushed = queue.push({5'001, held_notice(NoticeState::raised, "new")});
  REQUIRE(pushed.too_many);
  CHECK(pushed.too_many->number == 1);
  CHECK(queue.size() == undelivered_max);
  SECTION("but a milder one sooner") {
    auto mild = held_notice(NoticeState::raised, "mild");
    mild.alert.level = zones::AlertLevel::warning;
    const auto refused = queue.push({5'002, mild});
    REQUIRE(refused.too_many);
    CHECK(refused.too_many->number == 5'002);
    CHECK(queue.front().number == 2);
  }
}

TEST_CASE("delivery queue: break-glass is not given up for a thousand others", "[health][alerts]") {
  DeliveryQueue queue;
  auto glass = held_notice(NoticeState::raised, "break-glass/g-1");
  glass.alert.to_everyone = true;
  REQUIRE_FALSE(queue.push({1, glass}).too_many);
  for (std::size_t i = 2; i <= 2 * undelivered_max; ++i) {
    (void)queue.push({i, held_notice(NoticeState::raised, fmt::format("k{}", i))});
  }
  CHECK(queue.size() == undelivered_max);
  CHECK(queue.front().notice.alert.key == "break-glass/g-1");
}

TEST_CASE("delivery queue: what an answer means", "[health][alerts]") {
  const auto [status, delivery] = GENERATE(table<int, Delivery>({
      {200, Delivery::delivered},
      {204, Delivery::delivered},
      {299, Delivery::delivered},
      {301, Delivery::given_up},
      {400, Delivery::given_up},
      {401, Delivery::given_up},
      {404, Delivery::given_up},
      {408, Delivery::again},
      {413, Delivery::given_up},
      {425, Delivery::again},
      {429, Delivery::again},
      {500, Delivery::again},
      {503, Delivery::again},
  }));
  CAPTURE(status);
  CHECK(judge_delivery(HttpAnswer{status, ""}) == delivery);
}

TEST_CASE("delivery queue: no answer is tried again, later and later", "[health][alerts]") {
  CHECK(judge_delivery(std::unexpected(std::string("refused"))) == Delivery::again);
  const RetryTiming timing;
  const auto [failures, random, wait] = GENERATE(table<unsigned, double, int>({
      {1, 1.0, 1'000},
      {1, 0.0, 500},
      {2, 1.0, 2'000},
      {5, 0.5, 12'000},
      {9, 1.0, 256'000},
      {10, 1.0, 300'000},
      {10, 0.0, 150'000},
      {4'000'000'000U, 1.0, 300'000},
      {1, 7.0, 1'000},
  }));
  CAPTURE(failures, random);
  CHECK(backoff(timing, failures, random) == Milliseconds{wait});
}
