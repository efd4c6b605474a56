// A tenant's own grant: published for that tenant alone, and taken back whichever way it ends.
#include <algorithm>

#include "tests/zones/token_story.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

constexpr ServiceId class_of_acme{3}, class_of_bolt{4};

/// api's eu is drained by hand, which fails every tenant of api.
struct Tenants : TokenStory {
  void drain() { happens(OrderGiven{"eu", "api.example.com", "operator", "broken", 3h}); }
  void approve(const std::string& tenant) {
    const auto of_one = [&](Claims& c) { c.tenant = tenant; };
    REQUIRE(present(token("legal-1", "l-" + tenant, of_one)).empty());
    REQUIRE(present(token("sec-1", "s-" + tenant, of_one)).empty());
  }
  /// What the last step published for one tenant; null: nothing.
  [[nodiscard]] const ClearedWeights* published_for(const std::string& tenant) const {
    const auto found = std::ranges::find(effects.publish, tenant, &ClearedWeights::tenant);
    return found != effects.publish.end() ? &*found : nullptr;
  }
  [[nodiscard]] Answered answer(const ClearedWeights& weights) const {
    return answered(*configuration, weights, in("DE"));
  }
  [[nodiscard]] std::string only_grant() const { return steering.state().grants.begin()->first; }
  [[nodiscard]] bool class_crosses(ServiceId tenant_class) const {
    return answer(*steering.published(tenant_class)).note == ChoiceNote::exception;
  }
};

}  // namespace

TEST_CASE("steering: a tenant's grant is published for that tenant, and withdrawn with its end",
          "[steering][tenants]") {
  Tenants story;
  const bool is_drained_first = GENERATE(true, false);
  if (is_drained_first) story.drain();
  story.approve("acme");
  if (!is_drained_first) story.drain();

  const ClearedWeights* weights = story.published_for("acme");
  REQUIRE(weights != nullptr);
  CHECK(weights->service() == class_of_acme);
  CHECK(weights->valid_until() == story.clock.wall + 1h);
  CHECK(story.answer(*weights) ==
        Answered{ChoiceKind::records, ChoiceNote::exception, {{"us", 1}}});
  REQUIRE(weights->mode().has_value());
  CHECK(weights->mode()->grant_id == story.only_grant());
  const AuditEntry& made = story.fact("crossing-made");
  CHECK(made.fact("tenant") == "acme");
  CHECK(made.fact("crossing") == story.only_grant() + " to us for tenant acme");
  CHECK(made.fact("class") == "api-class-1");
  const auto answered_now = [&](const char* tenant) {
    return story.answer(*story.steering.published(class_of_acme, tenant)).note;
  };
  CHECK(answered_now("acme") == ChoiceNote::exception);
  CHECK(answered_now("asset") == ChoiceNote::held);
  // asset is of the same class, bolt of another: none of it is theirs.
  CHECK(story.published_for("asset") == nullptr);
  CHECK(story.published_for("bolt") == nullptr);
  CHECK_FALSE(story.class_crosses(class_of_acme));
  CHECK_FALSE(story.class_crosses(class_of_bolt));
  CHECK_FALSE(story.crosses());

  bool is_failing_still = true;
  SECTION("its hour is over") {
    story.pass(1h);
    story.happens(TimerFired{});
  }
  SECTION("it is revoked") { story.happens(GrantRevoked{story.only_grant(), "anna", "a mistake"}); }
  SECTION("a key under it is revoked") {
    story.happens(KeyRevoked{"sec-1", "anna", "laptop lost"});
  }
  SECTION("home recovers") {
    story.happens(OrderEnded{"eu", "operator"});
    is_failing_still = false;
  }
  SECTION("the clock goes back") {
    story.clock.wall -= 1min;
    story.happens(TimerFired{});
  }
  weights = story.published_for("acme");
  REQUIRE(weights != nullptr);
  CHECK_FALSE(weights->valid_until());
  CHECK_FALSE(weights->mode());
  CHECK(story.answer(*weights) == Answered{ChoiceKind::records,
                                           is_failing_still ? ChoiceNote::held : ChoiceNote::none,
                                           {{"eu", 100}}});
  CHECK(story.fact("crossing-ended").fact("crossing").ends_with(" to us for tenant acme"));
  // Withdrawn once: afterwards the class answers it.
  story.happens(TimerFired{});
  story.happens(OrderGiven{"ch", "", "operator", "touches nothing", 1h});
  CHECK(story.published_for("acme") == nullptr);
  CHECK(answered_now("acme") == answered_now("asset"));
}

TEST_CASE("steering: grants of two tenants of one class end apart", "[steering][tenants]") {
  Tenants story;
  story.drain();
  story.approve("acme");
  const std::string of_acme = story.only_grant();
  story.approve("asset");
  REQUIRE(story.published_for("asset") != nullptr);
  CHECK(story.published_for("acme") == nullptr);  // unchanged
  story.happens(GrantRevoked{of_acme, "anna", "a mistake"});
  REQUIRE(story.published_for("acme") != nullptr);
  CHECK_FALSE(story.published_for("acme")->valid_until());
  CHECK(story.published_for("asset") == nullptr);
  CHECK(std::ranges::count(story.told(), "crossing-ended") == 1);
  CHECK(story.steering.state().told.at("api-class-1.example.com").crossings.size() == 1);
}

TEST_CASE("steering: a tenant's new crossing is not published without its entry",
          "[steering][tenants]") {
  Tenants story;
  story.drain();
  story.approve("acme");
  for (const ClearedWeights& weights : story.effects.publish_if_unaudited) {
    CAPTURE(weights.tenant());
    CHECK_FALSE(weights.valid_until());
  }
  story.happens(AuditBroken{"no space"});
  REQUIRE(story.published_for("acme") != nullptr);
  CHECK_FALSE(story.published_for("acme")->valid_until());
  story.happens(AuditMended{});
  REQUIRE(story.published_for("acme") != nullptr);
  CHECK(story.published_for("acme")->valid_until());
  CHECK(story.fact("crossing-made").fact("tenant") == "acme");
}
