// The book of alerts: one notice a cause, changes, reminders, ends, restarts, floods; and who wants
// to hear of what.
#include "health/alerts/alert_book.h"

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/health/alerting.h"

using namespace demarc;
using namespace demarc::health;
using zones::AlertLevel;

namespace {

BookOptions everyone(std::size_t open_max = alerts_open_max) {
  return {
      .reminder = std::chrono::minutes{60}, .receivers = {{"oncall", {}}}, .open_max = open_max};
}

AlertBook new_book() { return {everyone(), {}, at(0)}; }

zones::Alert with_text(std::string text) {
  auto alert = held_alert();
  alert.text = std::move(text);
  return alert;
}

zones::Alert mild_alert(const std::string& key) {
  auto alert = held_alert(key);
  alert.level = AlertLevel::warning;
  return alert;
}

std::vector<std::string> told(const std::vector<Notice>& notices) {
  std::vector<std::string> list;
  for (const Notice& notice : notices) {
    list.push_back(std::string(to_text(notice.state)) + " " + notice.alert.key);
  }
  return list;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("alert book: a cause is told once, and its end", "[health][alerts]") {
  auto book = new_book();
  CHECK(told(book.raise(held_alert(), at(0))) == Words{"raised held/ch-1"});
  CHECK(book.raise(held_alert(), at(1)).empty());
  CHECK(book.tick(at(2)).empty());
  CHECK(book.open().size() == 1);
  const auto ended = book.end("held/ch-1", at(3));
  REQUIRE(told(ended) == Words{"ended held/ch-1"});
  CHECK(ended[0].at == wall_at(3));
  CHECK(book.end("held/ch-1", at(4)).empty());
  CHECK(book.open().empty());
}

TEST_CASE("alert book: a reminder comes each hour while it lasts", "[health][alerts]") {
  auto book = new_book();
  REQUIRE(book.raise(held_alert(), at(0)).size() == 1);
  CHECK(book.tick(at(3'599)).empty());
  CHECK(told(book.tick(at(3'600))) == Words{"reminder held/ch-1"});
  CHECK(book.tick(at(3'601)).empty());
  CHECK(book.tick(at(7'199)).empty());
  CHECK(told(book.tick(at(7'200))) == Words{"reminder held/ch-1"});
  REQUIRE(book.end("held/ch-1", at(7'201)).size() == 1);
  CHECK(book.tick(at(20'000)).empty());
}

TEST_CASE("alert book: what changes for a person is told again, evidence is not",
          "[health][alerts]") {
  const auto [name, change, is_told] = GENERATE(table<const char*, void (*)(zones::Alert&), bool>({
      {"text", [](zones::Alert& a) { a.text += "!"; }, true},
      {"level", [](zones::Alert& a) { a.level = AlertLevel::info; }, true},
      {"why", [](zones::Alert& a) { a.details.why = "expired"; }, true},
      {"rule", [](zones::Alert& a) { a.details.rule = "r-2"; }, true},
      {"options", [](zones::Alert& a) { a.details.options.pop_back(); }, true},
      {"deadline", [](zones::Alert& a) { a.details.deadline.reset(); }, true},
      {"tenants", [](zones::Alert& a) { ++a.details.regulated_tenants; }, true},
      {"evidence", [](zones::Alert& a) { a.details.evidence = "timeout"; }, false},
      {"since", [](zones::Alert& a) { a.since = wall_at(50); }, false},
  }));
  CAPTURE(name);
  auto book = new_book();
  REQUIRE(book.raise(held_alert(), at(0)).size() == 1);
  auto changed = held_alert();
  change(changed);
  const auto notices = book.raise(changed, at(60));
  REQUIRE(notices.size() == (is_told ? 1 : 0));
  if (!is_told) return;
  CHECK(notices[0].state == NoticeState::changed);
  REQUIRE(notices[0].before);
  CHECK(notices[0].before->text == held_alert().text);
  CHECK(notices[0].alert.since == wall_at(0));
}

TEST_CASE("alert book: a text that never rests is told every ten seconds", "[health][alerts]") {
  auto book = new_book();
  std::size_t count = book.raise(with_text("0"), at(0)).size();
  std::string last;
  for (int second = 1; second <= 100; ++second) {
    for (const auto& list :
         {book.raise(with_text(std::to_string(second)), at(second)), book.tick(at(second))}) {
      for (const Notice& notice : list) {
        ++count;
        last = notice.alert.text;
      }
    }
  }
  CHECK(count == 11);
  CHECK(last == "100");
  SECTION("and the last text is told although nobody raises it again") {
    CHECK(book.raise(with_text("final"), at(101)).empty());
    CHECK(book.tick(at(109)).empty());
    const auto late = book.tick(at(110));
    REQUIRE(told(late) == Words{"changed held/ch-1"});
    CHECK(late[0].alert.text == "final");
  }
  SECTION("a change that is taken back in time is not told") {
    CHECK(book.raise(with_text("other"), at(101)).empty());
    CHECK(book.raise(with_text("100"), at(102)).empty());
    CHECK(book.tick(at(120)).empty());
  }
}

TEST_CASE("alert book: a restart tells nothing twice, and what ended meanwhile",
          "[health][alerts]") {
  auto before = new_book();
  REQUIRE(before.raise(held_alert("held/ch-1"), at(0)).size() == 1);
  REQUIRE(before.raise(held_alert("held/ch-2"), at(0)).size() == 1);
  // As it stands in the file.
  const auto kept = parse_told(write_told(before.told()));
  REQUIRE(kept);
  AlertBook book(everyone(), *kept, at(10));
  CHECK(book.open().empty());  // nobody raised it yet in this run
  CHECK(book.open_for("oncall").size() == 2);
  SECTION("the same alert is not told again, a reminder keeps its time") {
    auto again = held_alert("held/ch-1");
    again.since = wall_at(11);
    CHECK(book.raise(again, at(11)).empty());
    CHECK(book.open().at("held/ch-1").since == wall_at(0));
    CHECK(told(book.tick(at(69))).empty());
    CHECK(told(book.tick(at(70))) == Words{"ended held/ch-2"});
    CHECK(told(book.tick(at(3'600))) == Words{"reminder held/ch-1"});
  }
  SECTION("another text is told at once") {
    CHECK(told(book.raise(with_text("new"), at(11))) == Words{"changed held/ch-1"});
  }
  SECTION("an end is told at once") {
    CHECK(told(book.end("held/ch-2", at(12))) == Words{"ended held/ch-2"});
    CHECK(told(book.tick(at(100))) == Words{"ended held/ch-1"});
  }
  SECTION("a receiver that is new hears of what stands, the old one does not") {
    auto options = everyone();
    options.receivers["am"] = {};
    AlertBook two(options, *kept, at(10));
    const auto notices = two.raise(held_alert(), at(11));
    REQUIRE(told(notices) == Words{"raised held/ch-1"});
    CHECK(notices[0].to == std::set<std::string>{"am"});
    CHECK(two.end("held/ch-1", at(12))[0].to == std::set<std::string>{"am", "oncall"});
  }
  SECTION("a clock that jumped back a year delays no reminder beyond its time") {
    AlertBook jumped(everyone(), *kept, {wall_at(-31'536'000), MonotonicTime{Seconds{10}}});
    CHECK(jumped.raise(held_alert(), {wall_at(0), MonotonicTime{Seconds{11}}}).empty());
    CHECK(jumped.tick({wall_at(0), MonotonicTime{Seconds{3'611}}}).size() >= 1);
  }
}

TEST_CASE("alert book: above the limit nobody is told but that it is so", "[health][alerts]") {
  AlertBook book(everyone(3), {}, at(0));
  for (int i = 0; i < 3; ++i) {
    CHECK(book.raise(mild_alert(fmt::format("lag/{}", i)), at(0)).size() == 1);
  }
  const auto flood = book.raise(mild_alert("lag/3"), at(1));
  REQUIRE(told(flood) == Words{"raised alerts"});
  CHECK(flood[0].alert.to_everyone);
  CHECK(flood[0].alert.details.evidence == "1 left out: lag/3");
  CHECK(book.raise(mild_alert("lag/4"), at(1)).empty());
  CHECK(book.left_out() == 2);
  CHECK(book.end("lag/4", at(2)).empty());
  CHECK(told(book.end("lag/3", at(2))) == Words{"ended alerts"});
  CHECK(book.left_out() == 0);
}

TEST_CASE("alert book: what was left out is told when there is room, the worst first",
          "[health][alerts]") {
  AlertBook book(everyone(1), {}, at(0));
  REQUIRE(book.raise(mild_alert("lag/0"), at(0)).size() == 1);
  REQUIRE(book.raise(held_alert("held/0"), at(0)).size() == 1);
  for (const char* key : {"lag/2", "lag/1"}) {
    auto alert = mild_alert(key);
    alert.since = wall_at(key == std::string("lag/2") ? 1 : 2);
    CHECK(told(book.raise(alert, at(2))) ==
          (alert.key == "lag/2" ? Words{"raised alerts"} : Words{}));
  }
  CHECK(book.raise(held_alert("held/1"), at(3)).empty());
  CHECK(book.left_out() == 3);
  CHECK(told(book.end("held/0", at(4))) == Words{"ended held/0", "raised held/1"});
  CHECK(told(book.end("held/1", at(5))) == Words{"ended held/1"});
  CHECK(told(book.end("lag/0", at(6))) == Words{"ended lag/0", "raised lag/2"});
  CHECK(told(book.end("lag/2", at(7))) == Words{"ended lag/2", "raised lag/1", "ended alerts"});
  CHECK(told(book.end("lag/1", at(8))) == Words{"ended lag/1"});
}

TEST_CASE("alert book: a thousand open alerts keep no break-glass from being told",
          "[health][alerts]") {
  auto book = new_book();
  const bool is_critical = GENERATE(false, true);
  for (std::size_t i = 0; i < 2 * alerts_open_max + 1; ++i) {
    const auto key = fmt::format("flood/{}", i);
    static_cast<void>(book.raise(is_critical ? held_alert(key) : mild_alert(key), at(0)));
  }
  CHECK(book.left_out() == (is_critical ? 1 : alerts_open_max + 1));
  auto glass = held_alert("break-glass/g-1");
  glass.to_everyone = true;
  CHECK(told(book.raise(glass, at(1))) == Words{"raised break-glass/g-1"});
  CHECK(told(book.raise(held_alert("held/last"), at(1))) ==
        (is_critical ? Words{} : Words{"raised held/last"}));
}

TEST_CASE("alert book: beyond what is kept of them, all alerts are asked for again",
          "[health][alerts]") {
  auto options = everyone(1);
  options.left_out_max = 2;
  AlertBook book(options, {}, at(0));
  for (int i = 0; i < 3; ++i) {
    static_cast<void>(book.raise(mild_alert(fmt::format("lag/{}", i)), at(i)));
  }
  CHECK(book.left_out() == 2);
  CHECK(book.raise(mild_alert("lag/3"), at(3)).empty());
  CHECK(book.left_out() == 2);
  CHECK_FALSE(book.wants_all_again());  // there is no room yet
  CHECK(told(book.end("lag/0", at(4))) == Words{"ended lag/0", "raised lag/1"});
  CHECK(book.wants_all_again());
  CHECK_FALSE(book.wants_all_again());
  CHECK(book.raise(mild_alert("lag/3"), at(5)).empty());
  CHECK(told(book.end("lag/1", at(6))) == Words{"ended lag/1", "raised lag/2"});
  CHECK(told(book.end("lag/2", at(7))) == Words{"ended lag/2", "raised lag/3", "ended alerts"});
}

TEST_CASE("alert book: receivers share what stands, as it was told last", "[health][alerts]") {
  BookOptions options = everyone();
  options.receivers["am"] = {};
  AlertBook book(options, {}, at(0));
  REQUIRE(book.raise(held_alert(), at(0)).size() == 1);
  REQUIRE(book.open_for("am").size() == 1);
  CHECK(book.open_for("am").front() == book.open_for("oncall").front());
  CHECK(book.open_for("nobody").empty());
  REQUIRE(book.raise(with_text("new"), at(60)).size() == 1);
  CHECK(book.open_for("am").front()->text == "new");
  CHECK(book.raise(with_text("newer"), at(61)).empty());
  CHECK(book.open_for("am").front()->text == "new");
  CHECK(book.tick(at(70)).size() == 1);
  CHECK(book.open_for("am").front()->text == "newer");
}

TEST_CASE("alert book: filters decide who is told first, and who was told hears the end",
          "[health][alerts]") {
  BookOptions options;
  options.receivers["critical"].levels = {AlertLevel::critical};
  options.receivers["shop"].services = {"shop.*"};
  AlertBook book(options, {}, at(0));
  const auto raised = book.raise(held_alert(), at(0));
  REQUIRE(raised.size() == 1);
  CHECK(raised[0].to == std::set<std::string>{"critical"});
  auto milder = held_alert();
  milder.level = AlertLevel::info;
  CHECK(book.raise(milder, at(60))[0].to == std::set<std::string>{"critical"});
  milder.to_everyone = true;
  CHECK(book.raise(milder, at(120))[0].to == std::set<std::string>{"critical", "shop"});
  CHECK(book.end("held/ch-1", at(130))[0].to == std::set<std::string>{"critical", "shop"});
}

TEST_CASE("receiver: what a filter lets through", "[health][alerts]") {
  const auto [name, filter, is_passed] = GENERATE(table<const char*, AlertFilter, bool>({
      {"empty", {}, true},
      {"level", {.levels = {AlertLevel::critical}}, true},
      {"other level", {.levels = {AlertLevel::info}}, false},
      {"zone", {.zones = {"example.org", "EXAMPLE.com"}}, true},
      {"other zone", {.zones = {"example.org"}}, false},
      {"service", {.services = {"*.example.com"}}, true},
      {"other service", {.services = {"shop.*"}}, false},
      {"home", {.homes = {"EU"}}, true},
      {"other home", {.homes = {"CH"}}, false},
      {"one of two does not fit", {.zones = {"example.com"}, .homes = {"CH"}}, false},
  }));
  CAPTURE(name);
  CHECK(passes(filter, held_alert()) == is_passed);
  auto everyone = held_alert();
  everyone.to_everyone = true;
  CHECK(passes(filter, everyone));
  zones::Alert node_wide{.key = "prober", .level = AlertLevel::critical};
  CHECK(passes(filter, node_wide) == (filter.levels != std::set{AlertLevel::info}));
}

TEST_CASE("receiver: a glob's star stands for any letters", "[health][alerts]") {
  const auto [pattern, text, is_match] = GENERATE(table<const char*, const char*, bool>({
      {"*", "", true},
      {"*", "a.b", true},
      {"a*", "abc", true},
      {"a*", "bac", false},
      {"*.b", "x.y.b", true},
      {"*.b", "b", false},
      {"a*b*c", "a1b2b3c", true},
      {"a*b*c", "a1c", false},
      {"api", "API", true},
      {"api", "apis", false},
      {"", "", true},
      {"", "a", false},
  }));
  CAPTURE(pattern, text);
  CHECK(matches_glob(pattern, text) == is_match);
}
