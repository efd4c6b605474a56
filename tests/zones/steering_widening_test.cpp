// A live grant from two regions of home: when the second fails too, the crossing widens. That is a
// crossing of its own: an entry on disk before it is published, and no widening without one.
#include <algorithm>

#include "tests/zones/token_story.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

const Answered from_both{ChoiceKind::records, ChoiceNote::none, {{"eu", 60}, {"eu2", 40}}};
const Answered from_eu2{ChoiceKind::records, ChoiceNote::none, {{"eu2", 40}}};
const Answered widened{ChoiceKind::records, ChoiceNote::exception, {{"us", 100}}};

/// eu 60 and eu2 40 answer together; a failing eu sends its share abroad, a failing eu2 just loses.
Repository two_regions() {
  Service api =
      service("api", Residency::hard,
              {record(eu, 60, "api.eu.example.net"), record(eu2, 40, "api.eu2.example.net"),
               record(us, 0, "api.us.example.net")});
  add_check(api, 0, std::vector<SetWeight>{{RecordId{0}, 0}, {RecordId{2}, 100}});
  add_check(api, 1);
  Policy policy = small_policy();
  policy.approvals = full_approvals();
  return repository_of({api}, std::move(policy));
}

struct Both : TokenStory {
  explicit Both(Repository repository = two_regions()) : TokenStory(std::move(repository)) {
    const auto from_each = [](Claims& c) { c.from = {"eu", "eu2"}; };
    REQUIRE(present(token("legal-1", "t-1", from_each)).empty());
    REQUIRE(present(token("sec-1", "t-2", from_each)).empty());
    grant = steering.state().grants.begin()->first;
  }
  void eu2_down() { verdict("eu2", Verdict::down); }
  void verdict(const std::string& region, Verdict is) {
    happens(VerdictFound{"example.com/api/api." + region + ".example.net", is, "HTTP"});
  }
  [[nodiscard]] Answered answer() const { return of(*steering.published(ServiceId{0})); }
  [[nodiscard]] Answered of(const ClearedWeights& weights) const {
    return answered(*configuration, weights, in("DE"));
  }
  [[nodiscard]] std::vector<std::string> left() const {
    const auto told = steering.state().told.find("api.example.com");
    return told == steering.state().told.end() ? std::vector<std::string>{} : told->second.left;
  }

  std::string grant;
};

}  // namespace

TEST_CASE("steering: a second failed region is a new entry before the crossing widens",
          "[steering][widening]") {
  Both story;
  REQUIRE(story.answer() == from_both);
  story.eu_down();
  const Answered narrow{ChoiceKind::records, ChoiceNote::exception, {{"eu2", 40}, {"us", 100}}};
  CHECK(story.answer() == narrow);
  CHECK(story.fact("crossing-made").fact("from") == "eu");
  CHECK(story.left() == std::vector<std::string>{"eu"});

  story.pass(1s);
  story.eu2_down();
  CHECK(std::ranges::count(story.told(), "crossing-made") == 1);
  CHECK(std::ranges::count(story.told(), "crossing-ended") == 0);  // the grant's crossing goes on
  const AuditEntry& wider = story.fact("crossing-made");
  CHECK(wider.fact("from") == "eu,eu2");
  CHECK(wider.fact("crossing") == story.grant + " to us");
  CHECK(wider.fact("evidence").find("api.eu2.example.net") != std::string::npos);
  CHECK(wider.tells_of_new_crossing);
  CHECK(story.effects.save_state);
  CHECK(story.answer() == widened);
  CHECK(story.left() == std::vector<std::string>{"eu,eu2"});

  SECTION("narrower again: nothing new crosses, so nothing new is told") {
    story.verdict("eu2", Verdict::up);
    CHECK(story.answer() == narrow);
    CHECK(std::ranges::count(story.told(), "crossing-made") == 0);
    CHECK(story.left() == std::vector<std::string>{"eu"});
    story.eu2_down();
    CHECK(std::ranges::count(story.told(), "crossing-made") == 1);
  }
  SECTION("a restart tells nothing twice") {
    const auto restored = parse_state(write_state(story.steering.state()));
    REQUIRE(restored.has_value());
    const TokenStory after(two_regions(), *restored);
    CHECK(std::ranges::count(after.told(), "crossing-made") == 0);
    CHECK(answered(*after.configuration, *after.steering.published(ServiceId{0}), in("DE")) ==
          widened);
  }
  SECTION("home comes back whole") {
    story.verdict("eu", Verdict::up);
    story.verdict("eu2", Verdict::up);
    CHECK(story.answer() == from_both);
    CHECK(story.left().empty());
  }
}

TEST_CASE("steering: a failure while the trail cannot be written widens nothing",
          "[steering][widening]") {
  Both story;
  story.eu_down();
  story.pass(1s);
  SECTION("the very entry of the widening is the one that fails") {
    story.eu2_down();
    REQUIRE(story.effects.publish_if_unaudited.size() == 1);
    const Answered instead = story.of(story.effects.publish_if_unaudited[0]);
    CHECK(instead.note == ChoiceNote::held);
    CHECK(std::ranges::count(instead.weights, std::pair<std::string, int>{"us", 100}) == 0);
    story.happens(AuditBroken{"no space"});
  }
  SECTION("it failed before") {
    story.happens(NodeFact{"note", "something to write"});
    story.happens(AuditBroken{"no space"});
    REQUIRE(story.answer().note == ChoiceNote::exception);  // what is answered already stays
    story.eu2_down();
    CHECK(std::ranges::count(story.told(), "crossing-made") == 0);
  }
  CHECK(story.answer().note == ChoiceNote::held);
  CHECK(story.answer().weights ==
        std::vector<std::pair<std::string, int>>{{"eu", 60}, {"eu2", 40}});

  story.happens(AuditMended{});
  CHECK(story.answer() == widened);
  CHECK(story.fact("crossing-made").fact("from") == "eu,eu2");
}

TEST_CASE("steering: a grant from one region alone does not speak for the other",
          "[steering][widening]") {
  TokenStory story(two_regions());
  REQUIRE(story.present(story.token("legal-1", "t-1")).empty());  // from eu
  REQUIRE(story.present(story.token("sec-1", "t-2")).empty());
  story.happens(VerdictFound{"example.com/api/api.eu2.example.net", Verdict::down, "HTTP 503"});
  CHECK_FALSE(story.crosses());
  story.eu_down();
  CHECK(story.crosses());
  CHECK(story.fact("crossing-made").fact("from") == "eu,eu2");
}
