// What steering remembers beside the signatures: the advisor's word on each crossing, measured lag,
// tenants' weights; and what it says of a crossing that is covered and waits.
#include <algorithm>

#include "tests/zones/token_story.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

Repository advised_repository() {
  Repository repository = tenant_repository();
  repository.policy.advisor = Advisor{"http://127.0.0.1:1/v1/data/crossing", 500ms};
  return repository;
}

/// A grant is live and home has failed: the advisor is asked.
struct Asked : TokenStory {
  explicit Asked(Repository repository = advised_repository()) : TokenStory(std::move(repository)) {
    REQUIRE(present(token("legal-1", "t-1", [](Claims& c) { c.expires += 5h; })).empty());
    REQUIRE(present(token("sec-1", "t-2", [](Claims& c) { c.expires += 5h; })).empty());
    eu_down();
  }
  void eu_up() { happens(VerdictFound{"example.com/api/api.eu.example.net", Verdict::up, "200"}); }
  /// The id of the one question that the last step asked; empty if it asked none.
  [[nodiscard]] std::string question() const {
    if (effects.advice_wanted.empty()) return {};
    CHECK(effects.advice_wanted.size() == 1);
    return effects.advice_wanted.front().id;
  }
};

std::string why_held(const TokenStory& story) {
  for (const Alert& alert : story.effects.alerts_raised) {
    if (alert.key.starts_with("held/")) return alert.details.why;
  }
  return {};
}

}  // namespace

TEST_CASE("steering: a deny is final, whatever its reason begins with", "[steering][advice]") {
  for (const char* reason :
       {"the advisor is against it", "no advice is good", "too many questions", "denied"}) {
    CAPTURE(reason);
    Asked story;
    const std::string asked = story.question();
    REQUIRE_FALSE(asked.empty());
    story.happens(AdviceGiven{asked, Effect::deny, reason});
    CHECK(story.fact("advice-given").fact("effect") == "deny");
    CHECK_FALSE(story.effects.timer == story.clock.wall + advice_asked_again);
    story.pass(advice_asked_again);
    story.happens(TimerFired{});
    CHECK(story.question().empty());
    story.happens(AdviceGiven{asked, Effect::allow, "after all"});
    CHECK_FALSE(story.crosses());
  }
}

TEST_CASE("steering: a question without a word is asked again, over a restart too",
          "[steering][advice]") {
  Asked story;
  const std::string asked = story.question();
  story.happens(AdviceGiven{asked, {}, "connection refused"});
  CHECK(story.fact("advice-given").fact("effect") == "none");
  CHECK_FALSE(story.crosses());
  CHECK(story.effects.timer == story.clock.wall + advice_asked_again);

  const auto restored = parse_state(write_state(story.steering.state()));
  REQUIRE(restored.has_value());
  CHECK(*restored == story.steering.state());
  story.pass(advice_asked_again - 1ms);
  story.happens(TimerFired{});
  CHECK(story.question().empty());
  story.pass(1ms);
  story.happens(TimerFired{});
  CHECK(story.question() == asked);
  story.happens(AdviceGiven{asked, Effect::allow, "fine"});
  CHECK(story.crosses());
}

TEST_CASE("steering: an allow is for one crossing under one policy", "[steering][advice]") {
  Asked story;
  const std::string asked = story.question();
  SECTION("home recovers and fails again") {
    story.happens(AdviceGiven{asked, Effect::allow, "fine"});
    REQUIRE(story.crosses());
    story.eu_up();
    CHECK(story.steering.state().advice.empty());
    story.eu_down();
    CHECK(story.question() == asked);
    CHECK_FALSE(story.crosses());
  }
  SECTION("home recovers before the answer is there") {
    story.eu_up();
    CHECK(story.steering.state().advice.empty());
    story.happens(AdviceGiven{asked, Effect::allow, "late"});
    story.eu_down();
    CHECK_FALSE(story.question().empty());
    CHECK_FALSE(story.crosses());
  }
  SECTION("the policy changes while another step is waited for") {
    story.happens(FreezeSet{true, "operator", "hold on"});
    story.happens(AdviceGiven{asked, Effect::allow, "fine"});
    REQUIRE_FALSE(story.crosses());
    Repository repository = advised_repository();
    repository.policy.digest = "another policy";
    story.load(std::move(repository));
    CHECK_FALSE(story.question().empty());
    CHECK(story.question() != asked);
    story.happens(FreezeSet{false, "operator", ""});
    CHECK_FALSE(story.crosses());
  }
}

TEST_CASE("steering: a deny is kept while nothing new may cross anyway", "[steering][advice]") {
  Asked story;
  story.happens(AdviceGiven{story.question(), Effect::deny, "no"});
  story.happens(AuditBroken{"disk full"});
  story.happens(OrderGiven{"ch", "", "operator", "touches nothing", 1h});
  story.happens(AuditMended{});
  CHECK(story.question().empty());
  CHECK_FALSE(story.crosses());
}

TEST_CASE("steering: a reload forgets lags that nobody measures any more", "[steering][reload]") {
  Repository repository = tenant_repository();
  const LagCheck check{
      .key = "lag", .region = us, .url = {}, .pointer = {}, .probe_at = {}, .max = 30};
  repository.services[0].activation.lag = {check};
  TokenStory story(std::move(repository));
  story.happens(LagMeasured{"lag", 3.0, ""});
  CHECK(story.steering.state().lag.size() == 1);
  story.load(tenant_repository());
  CHECK(story.steering.state().lag.empty());
}

TEST_CASE("steering: a crossing that is covered and waits is not said to lack a grant",
          "[steering][activation]") {
  Repository repository = tenant_repository();
  repository.services[0].activation.capacity = 60;
  SECTION("the grant was there first") {
    TokenStory story(std::move(repository));
    (void)story.present(story.token("legal-1", "t-1"));
    (void)story.present(story.token("sec-1", "t-2"));
    const std::string grant = story.steering.state().grants.begin()->first;
    story.eu_down();
    CHECK(story.fact("crossing-held").fact("why") ==
          "a grant covers it, and it waits for steps: " + grant + " to us: capacity");
    CHECK(why_held(story) == story.fact("crossing-held").fact("why"));
  }
  SECTION("the failure was there first: the alert tells the new reason") {
    TokenStory story(std::move(repository));
    story.eu_down();
    CHECK(why_held(story) == "the target is outside home and no live grant covers it");
    (void)story.present(story.token("legal-1", "t-1"));
    CHECK(why_held(story).empty());
    (void)story.present(story.token("sec-1", "t-2"));
    CHECK(why_held(story).starts_with("a grant covers it, and it waits for steps: "));
    CHECK(std::ranges::count(story.told(), "crossing-held") == 0);
  }
  SECTION("a tenant's grant covers that tenant alone") {
    repository.services[3].activation.capacity = 60;
    TokenStory story(std::move(repository));
    const auto of_acme = [](Claims& c) { c.tenant = "acme"; };
    (void)story.present(story.token("legal-1", "t-1", of_acme));
    (void)story.present(story.token("sec-1", "t-2", of_acme));
    story.happens(OrderGiven{"eu", "api.example.com", "operator", "broken", 1h});
    for (const AuditEntry& entry : story.effects.audit) {
      if (entry.kind != "crossing-held") continue;
      CHECK(entry.fact("why") == "the target is outside home and no live grant covers it");
    }
    CHECK(std::ranges::count(story.told(), "activation-waits") == 1);
  }
  SECTION("the audit trail is broken") {
    TokenStory story(std::move(repository));
    story.happens(AuditBroken{"disk full"});
    story.eu_down();
    CHECK(why_held(story) == "the audit trail cannot be written, so nothing new may cross");
  }
}

TEST_CASE("steering: alerts that stand say after a restart what they said before",
          "[steering][alerts]") {
  const auto after_restart = [](const TokenStory& before) {
    const auto restored = parse_state(write_state(before.steering.state()));
    REQUIRE(restored.has_value());
    CHECK(*restored == before.steering.state());
    Repository repository = tenant_repository();
    repository.policy = before.configuration->repository->policy;
    TokenStory after(std::move(repository), *restored, 10min);
    return after.effects.alerts_raised;
  };
  const auto find = [](const std::vector<Alert>& alerts, std::string_view key) {
    const auto found = std::ranges::find_if(
        alerts, [&](const Alert& alert) { return alert.key.starts_with(key); });
    REQUIRE(found != alerts.end());
    return *found;
  };
  Repository repository = tenant_repository();
  Assertion kept;
  kept.id = "one-eu";
  kept.kind = Assertion::Kind::at_least;
  kept.count = 1;
  kept.regions = {eu};
  SECTION("held, and a soft crossing") {
    TokenStory story(std::move(repository));
    story.happens(OrderGiven{"eu", "", "operator", "broken", 1h});
    std::vector<Alert> before = story.effects.alerts_raised;
    REQUIRE(before.size() == 5);  // api, docs, two classes; news
    const auto after = after_restart(story);
    for (const Alert& alert : before) {
      const Alert again = find(after, alert.key);
      CAPTURE(alert.key);
      CHECK(again.text == alert.text);
      CHECK(again.details.rule == alert.details.rule);
      CHECK(again.details.why == alert.details.why);
      CHECK(again.since == alert.since);
      CHECK(again.details.options == alert.details.options);
      CHECK(again.details.approvers == alert.details.approvers);
    }
  }
  SECTION("a crossing") {
    TokenStory story(std::move(repository));
    (void)story.present(story.token("legal-1", "t-1"));
    (void)story.present(story.token("sec-1", "t-2"));
    story.pass(3min);
    story.eu_down();
    const Alert before = find(story.effects.alerts_raised, "crossing/");
    CHECK(before.since == story.clock.wall);
    const Alert again = find(after_restart(story), "crossing/");
    REQUIRE(before.details.deadline.has_value());
    CHECK(again.text == before.text);
    CHECK(again.since == before.since);
    CHECK(again.details.deadline == before.details.deadline);
    CHECK(again.details.rule == before.details.rule);
    CHECK(again.details.options == before.details.options);
  }
  SECTION("an assertion, while the evidence goes on changing") {
    repository.policy.assertions = {kept};
    TokenStory story(std::move(repository));
    story.eu_down();
    const Alert before = find(story.effects.alerts_raised, "assertion/");
    CHECK(before.details.evidence.find("HTTP 503") != std::string::npos);
    story.happens(
        VerdictFound{"example.com/api/api.eu.example.net", Verdict::down, "connection refused"});
    CHECK(find(after_restart(story), "assertion/").text == before.text);
  }
}

TEST_CASE("steering: the command in an alert of a class names the service and one tenant",
          "[steering][alerts]") {
  TokenStory story;
  story.happens(OrderGiven{"eu", "", "operator", "broken", 1h});
  std::size_t classes = 0;
  for (const Alert& alert : story.effects.alerts_raised) {
    if (!alert.key.starts_with("held/")) continue;
    const bool is_class = alert.text.find("(tenants of ") != std::string::npos;
    classes += is_class ? 1 : 0;
    bool names_tenant = false;
    for (const auto& [what, command] : alert.details.options) {
      CAPTURE(what, command);
      CHECK(command.find("class-") == std::string::npos);
      if (command.find("--tenant NAME") == std::string::npos) continue;
      names_tenant = true;
      CHECK(command.find("--service api.example.com --tenant NAME --from eu --to us") !=
            std::string::npos);
    }
    CHECK(names_tenant == is_class);
    if (!is_class) continue;
    // What the command says is accepted: for one tenant, and for the class.
    for (const bool for_one : {true, false}) {
      TokenStory other;
      other.happens(OrderGiven{"eu", "", "operator", "broken", 1h});
      const auto claims = [&](Claims& c) {
        c.service = "api.example.com";
        c.change = alert.details.change;
        // Both classes are held alike; the tenant is of this one.
        if (for_one)
          c.tenant = alert.text.find("api-class-1") != std::string::npos ? "acme" : "bolt";
      };
      CHECK(other.present(other.token("legal-1", "t-1", claims)).empty());
      CHECK(other.present(other.token("sec-1", "t-2", claims)).empty());
      CHECK(other.live() == 1);
      CHECK(std::ranges::count(other.told(), "crossing-made") == 1);
    }
  }
  CHECK(classes == 2);
}

TEST_CASE("steering: a tenant's grant follows the tenant to another class", "[steering][tenants]") {
  for (const std::uint32_t first : {3U, 4U}) {
    CAPTURE(first);
    const std::uint32_t second = 7 - first;
    const auto with_acme_in = [](std::uint32_t tenant_class) {
      Repository repository = tenant_repository();
      repository.tenants = std::make_shared<const TenantMap>(
          TenantMap::Classes{{{ServiceId{0}, "acme"}, ServiceId{tenant_class}},
                             {{ServiceId{0}, "asset"}, ServiceId{3}},
                             {{ServiceId{0}, "bolt"}, ServiceId{4}}},
          "tenants");
      return repository;
    };
    TokenStory story(with_acme_in(first));
    const auto of_acme = [](Claims& c) { c.tenant = "acme"; };
    (void)story.present(story.token("legal-1", "t-1", of_acme));
    (void)story.present(story.token("sec-1", "t-2", of_acme));
    story.happens(OrderGiven{"eu", "api.example.com", "operator", "broken", 1h});
    const auto published = [&](std::uint32_t tenant_class) {
      return std::ranges::count_if(story.effects.publish, [&](const ClearedWeights& weights) {
        return weights.tenant() == "acme" && weights.service() == ServiceId{tenant_class};
      });
    };
    REQUIRE(published(first) == 1);
    story.load(with_acme_in(second));
    CHECK(published(second) == 1);
    CHECK(published(first) == 0);
    Repository without = tenant_repository();
    without.tenants = nullptr;
    story.load(std::move(without));
    CHECK(published(first) + published(second) == 0);
  }
}
