// What an application is told of its mode: going up needs a token of its own with all that its rule
// asks for, going down needs none.
#include <algorithm>

#include <fmt/format.h>

#include "tests/zones/token_story.h"
#include "zones/mode_signal.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

constexpr ServiceId docs{1};

/// docs needs read-only at least; its eu is drained.
struct Modes : TokenStory {
  Modes() { happens(OrderGiven{"eu", "docs.example.com", "operator", "broken", 8h}); }

  std::string present_for_docs(const std::string& key, const std::string& id, Mode mode,
                               Milliseconds life = 1h) {
    return present(token(key, id, [&](Claims& c) {
      c.service = "docs";
      c.mode = mode;
      c.case_id = "CASE-" + id;
      c.expires = c.issued_at + std::chrono::floor<Seconds>(life);
    }));
  }
  /// As `_mode.docs.example.com` says it.
  [[nodiscard]] std::string mode() const {
    const auto live = live_mode(*steering.published(docs), clock.wall);
    return live ? std::string(to_text(live->signal.mode)) : "home";
  }
  [[nodiscard]] bool docs_cross() const {
    return answered(*configuration, *steering.published(docs), in("DE")).note ==
           ChoiceNote::exception;
  }
  [[nodiscard]] std::string grant_of(Mode mode) const {
    for (const auto& [id, grant] : steering.state().grants) {
      if (grant.scope.mode == mode && grant.complete) return id;
    }
    return {};
  }
  void go_up() {
    pass(1min);
    REQUIRE(present_for_docs("legal-1", "up-1", Mode::full_write).empty());
    REQUIRE(present_for_docs("sec-1", "up-2", Mode::full_write).empty());
    REQUIRE(mode() == "full-write");
  }
};

}  // namespace

TEST_CASE("mode: going up needs a new token, with everybody whom its rule asks for",
          "[steering][mode]") {
  Modes story;
  CHECK(story.mode() == "home");
  REQUIRE(story.present_for_docs("legal-1", "read", Mode::read_only).empty());
  REQUIRE(story.docs_cross());
  CHECK(story.mode() == "read-only");

  // The signature under read-only is not one under full-write.
  CHECK(story.present_for_docs("sec-1", "read-2", Mode::read_only) == "no-rule");
  CHECK(story.present_for_docs("legal-1", "read", Mode::full_write) == "used");
  CHECK(story.mode() == "read-only");
  story.pass(1min);
  REQUIRE(story.present_for_docs("sec-1", "up-2", Mode::full_write).empty());
  CHECK(story.reply().find("needs 1 more: legal") != std::string::npos);
  CHECK(story.mode() == "read-only");
  CHECK(std::ranges::count(story.told(), "crossing-made") == 0);

  REQUIRE(story.present_for_docs("legal-1", "up-1", Mode::full_write).empty());
  CHECK(story.mode() == "full-write");
  CHECK(story.fact("crossing-made").fact("crossing") ==
        story.grant_of(Mode::full_write) + " to us");
  CHECK(story.steering.published(docs)->mode()->grant_id == story.grant_of(Mode::full_write));
}

TEST_CASE("mode: going down needs no token, and the crossing goes on", "[steering][mode]") {
  Modes story;
  REQUIRE(story.present_for_docs("legal-1", "read", Mode::read_only, 4h).empty());
  SECTION("the wider grant ends later than the narrow one: it carries, until it is revoked") {
    story.pass(1min);
    REQUIRE(story.present_for_docs("legal-1", "up-1", Mode::full_write, 5h).empty());
    REQUIRE(story.present_for_docs("sec-1", "up-2", Mode::full_write, 5h).empty());
    REQUIRE(story.mode() == "full-write");
    story.happens(GrantRevoked{story.grant_of(Mode::full_write), "anna", "reads will do"});
    CHECK_FALSE(story.effects.reply->text.empty());
    CHECK(story.fact("crossing-made").fact("crossing") ==
          story.grant_of(Mode::read_only) + " to us");
  }
  CHECK(story.mode() == "read-only");
  CHECK(story.docs_cross());
  story.pass(4h);
  story.happens(TimerFired{});
  CHECK(story.mode() == "home");
  CHECK_FALSE(story.docs_cross());
}

TEST_CASE("mode: one that is wider and shorter counts until its end, then the narrow one again",
          "[steering][mode]") {
  Modes story;
  REQUIRE(story.present_for_docs("legal-1", "read", Mode::read_only, 4h).empty());
  story.pass(1min);
  REQUIRE(story.present_for_docs("legal-1", "up-1", Mode::full_write, 30min).empty());
  REQUIRE(story.present_for_docs("sec-1", "up-2", Mode::full_write, 30min).empty());
  CHECK(story.mode() == "full-write");
  story.pass(30min);
  CHECK(story.mode() == "home");  // a query thread that nobody has told yet
  story.happens(TimerFired{});
  CHECK(story.mode() == "read-only");
  CHECK(story.docs_cross());
}

TEST_CASE("mode: of two regions under grants of their own the narrowest is told",
          "[steering][mode]") {
  Repository repository = tenant_repository();
  repository.policy.jurisdictions.push_back({"JP", {code("JP")}, {}});
  repository.policy.regions.push_back({"jp", JurisdictionId{3}, {35, 139}});
  constexpr RegionId jp{4};
  Service& service = repository.services[index_of(docs)];
  service.records.push_back(record(jp, 0, "docs.jp.example.net"));
  service.route = RouteLines{
      {RouteLine{MatchCountry{{code("JP")}}, {eu, jp}, {}}, RouteLine{MatchAll{}, {eu, us}, {}}}};
  TokenStory story(std::move(repository));
  story.happens(OrderGiven{"eu", "docs.example.com", "operator", "broken", 8h});
  const auto sign = [&](const char* key, const char* to, Mode mode, Seconds life) {
    return story.present(story.token(key, fmt::format("{}-{}", key, to), [&](Claims& c) {
      c.service = "docs";
      c.to = {to};
      c.mode = mode;
      c.expires = c.issued_at + life;
    }));
  };
  const Seconds full_life = GENERATE(Seconds(30min), Seconds(2h));
  REQUIRE(sign("legal-1", "jp", Mode::full_write, full_life).empty());
  REQUIRE(sign("sec-1", "jp", Mode::full_write, full_life).empty());
  const auto told = [&] { return *story.steering.published(docs)->mode(); };
  CHECK(told().mode == Mode::full_write);
  REQUIRE(sign("legal-1", "us", Mode::read_only, 1h).empty());
  CHECK(answered(*story.configuration, *story.steering.published(docs), in("JP")).weights.front() ==
        std::pair<std::string, int>("jp", 1));
  CHECK(answered(*story.configuration, *story.steering.published(docs), in("DE")).weights.front() ==
        std::pair<std::string, int>("us", 1));
  CHECK(told().mode == Mode::read_only);
  CHECK(story.steering.state().grants.at(told().grant_id).scope.mode == Mode::read_only);
  CHECK(story.steering.published(docs)->valid_until() ==
        story.clock.wall + std::min(full_life, Seconds(1h)));
}

TEST_CASE("mode: without the control thread it goes down by itself at the end",
          "[steering][mode]") {
  Modes story;
  REQUIRE(story.present_for_docs("legal-1", "read", Mode::read_only).empty());
  story.go_up();
  const auto until = story.steering.published(docs)->valid_until();
  REQUIRE(until.has_value());
  CHECK(live_mode(*story.steering.published(docs), *until - 1ms).has_value());
  CHECK_FALSE(live_mode(*story.steering.published(docs), *until).has_value());
}

TEST_CASE("mode: one that covers less than the service's access opens nothing",
          "[steering][mode]") {
  TokenStory story;
  story.eu_down();
  for (const Mode mode : {Mode::read_only, Mode::scoped_write}) {
    CHECK(story.present(story.token("legal-1", std::string(to_text(mode)),
                                    [&](Claims& c) { c.mode = mode; })) == "mode");
  }
  CHECK_FALSE(story.crosses());
  CHECK(story.steering.state().grants.empty());
}
