// Live drills in steering: who may begin one, what it moves, and that it always ends.
#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/zones/world.h"
#include "zones/drill/report.h"
#include "zones/key_list.h"
#include "zones/steering.h"

namespace demarc::zones {
namespace {

using namespace zones::testing;

const std::string check_key = "example.com/api/api.eu.example.net";
constexpr auto hour = Milliseconds(3'600'000);
const std::string digest(64, 'a');

struct Drills {
  explicit Drills(Residency residency = Residency::soft) {
    const auto pair = make_key_pair(KeyAlgorithm::EdDSA);
    secret = pair->private_key_pem;
    Policy policy = small_policy();
    policy.approvals.emplace();
    policy.approvals->audience = "test";
    policy.approvals->keys = {
        {"legal-1", "anna", "legal", KeyAlgorithm::EdDSA, pair->public_key_pem, {}}};
    policy.approvals->drill = {{"legal", 1}};
    configuration = configuration_of(repository_of({seed_service(residency)}, policy));
    (void)step(ConfigurationLoaded{configuration, "start"});
    (void)step(VerdictFound{check_key, Verdict::up, "HTTP 200"});
  }

  Effects step(decltype(Event::what) what) { return steering.step({now, std::move(what)}); }
  void wait(Milliseconds time) {
    now.wall += time;
    now.monotonic += time;
  }
  [[nodiscard]] std::string token(const std::string& subject) {
    Claims claims;
    claims.type = TokenType::drill;
    claims.issuer = "test";
    claims.audience = "test";
    claims.id = "t-" + std::to_string(++tokens);
    claims.issued_at = claims.not_before = std::chrono::floor<Seconds>(now.wall);
    claims.expires = claims.not_before + std::chrono::hours(1);
    claims.reason = "drill";
    claims.case_id = "D-1";
    claims.drill = subject;
    return issue_token(claims, "legal-1", KeyAlgorithm::EdDSA, secret).value();
  }
  [[nodiscard]] DrillBegun begin(const std::string& signed_for = "d") {
    return {.name = "d",
            .tokens = {token(signed_for)},
            .checks = {check_key},
            .who = "op",
            .lasts = hour};
  }
  [[nodiscard]] DrillReported report(const std::string& subject) {
    return {.name = "d",
            .how = "shadow",
            .passed = true,
            .report_digest = digest,
            .tokens = {token(subject)},
            .who = "op",
            .ended = now.wall};
  }
  [[nodiscard]] std::string region() const {
    return answered(*configuration, *steering.published(ServiceId{0}), in("DE"))
        .weights.at(0)
        .first;
  }

  std::string secret;
  int tokens = 0;
  std::shared_ptr<const Configuration> configuration;
  Steering steering;
  Moment now{WallTime(Milliseconds(1'800'000'000'000)), MonotonicTime(Milliseconds(1000))};
};

TEST_CASE("steering: a drill moves a soft service and ends by itself", "[zones][drill]") {
  Drills world;
  CHECK(world.region() == "eu");
  const Effects begun = world.step(world.begin());
  REQUIRE(begun.reply);
  INFO(begun.reply->text);
  REQUIRE(begun.reply->accepted);
  CHECK(begun.save_state);
  CHECK(begun.timer == world.now.wall + hour);
  CHECK(world.region() == "us");
  // What health says meanwhile changes nothing.
  (void)world.step(VerdictFound{check_key, Verdict::up, "HTTP 200"});
  CHECK(world.region() == "us");
  world.wait(hour - Milliseconds(1));
  (void)world.step(TimerFired{});
  CHECK(world.region() == "us");
  world.wait(Milliseconds(1));
  const Effects ended = world.step(TimerFired{});
  CHECK(world.region() == "eu");
  CHECK(ended.alerts_ended == std::vector<std::string>{"drill/d", "soft/api.example.com"});
}

TEST_CASE("steering: a drill does not move a hard service", "[zones][drill]") {
  Drills world(Residency::hard);
  REQUIRE(world.step(world.begin()).reply->accepted);
  CHECK(world.region() == "eu");
  CHECK(world.steering.state().pending.size() == 1);
  REQUIRE(world.step(DrillEnded{"op", ""}).reply->accepted);
  CHECK(world.steering.state().pending.empty());
}

TEST_CASE("steering: a restart goes on with the drill and ends it on time", "[zones][drill]") {
  Drills world;
  REQUIRE(world.step(world.begin()).reply->accepted);
  const auto restored = parse_state(write_state(world.steering.state()));
  REQUIRE(restored);
  CHECK(*restored == world.steering.state());
  world.steering = Steering(*restored);
  const Effects started = world.step(ConfigurationLoaded{world.configuration, "start"});
  CHECK(world.region() == "us");
  const auto alert = std::ranges::find(started.alerts_raised, "drill/d", &Alert::key);
  REQUIRE(alert != started.alerts_raised.end());
  CHECK(alert->level == AlertLevel::info);
  world.wait(hour);
  (void)world.step(TimerFired{});
  CHECK(world.region() == "eu");
}

TEST_CASE("steering: a drill is refused with a reason, and in the trail", "[zones][drill]") {
  Drills world;
  const auto refused = [&](const DrillBegun& event, const std::string& rule) {
    const Effects effects = world.step(event);
    CAPTURE(rule, effects.reply->text);
    CHECK_FALSE(effects.reply->accepted);
    CHECK(effects.reply->text.starts_with("refused: [" + rule + "]"));
    REQUIRE(effects.audit.size() == 1);
    CHECK(effects.audit[0].kind == "drill-refused");
    CHECK(effects.audit[0].fact("rule") == rule);
    CHECK(world.region() == "eu");
  };
  refused(world.begin("another"), "scope");
  DrillBegun event = world.begin();
  event.tokens.clear();
  refused(event, "no-rule");
  event = world.begin();
  event.checks = {"no such check"};
  refused(event, "scope");
  event = world.begin();
  event.checks.clear();
  refused(event, "scope");
  event = world.begin();
  event.lasts = 4 * hour + Milliseconds(1);
  refused(event, "overlong");
  event.lasts = Milliseconds(0);
  refused(event, "overlong");
  event.lasts = 4 * hour;
  event.name = "a b";
  refused(event, "scope");
  REQUIRE(world.step(FreezeSet{true, "op", "why"}).reply->accepted);
  refused(world.begin(), "frozen");
  REQUIRE(world.step(FreezeSet{false, "op", ""}).reply->accepted);

  const DrillBegun good = world.begin();
  REQUIRE(world.step(good).reply->accepted);
  CHECK(world.step(world.begin()).reply->text.starts_with("refused: [not-now]"));  // one at a time
  REQUIRE(world.step(DrillEnded{"op", ""}).reply->accepted);
  CHECK_FALSE(world.step(DrillEnded{"op", ""}).reply->accepted);
  refused(good, "used");
}

TEST_CASE("steering: a freeze and a reload without its checks end a drill", "[zones][drill]") {
  Drills world;
  REQUIRE(world.step(world.begin()).reply->accepted);
  REQUIRE(world.step(FreezeSet{true, "op", "why"}).reply->accepted);
  CHECK_FALSE(world.steering.state().drill);
  REQUIRE(world.step(FreezeSet{false, "op", ""}).reply->accepted);
  REQUIRE(world.step(world.begin()).reply->accepted);
  Repository other = *world.configuration->repository;
  other.services[0].checks.clear();
  (void)world.step(ConfigurationLoaded{configuration_of(std::move(other)), "reload"});
  CHECK_FALSE(world.steering.state().drill);
}

TEST_CASE("steering: the revocation of a key that signed a drill ends it", "[zones][drill]") {
  Drills world;
  REQUIRE(world.step(world.begin()).reply->accepted);
  const auto restored = parse_state(write_state(world.steering.state()));
  REQUIRE(restored);
  world.steering = Steering(*restored);  // known over a restart
  (void)world.step(ConfigurationLoaded{world.configuration, "start"});
  REQUIRE(world.region() == "us");
  const Effects revoked = world.step(KeyRevoked{"legal-1", "op", "lost"});
  CHECK_FALSE(world.steering.state().drill);
  CHECK(world.region() == "eu");
  CHECK(std::ranges::count(revoked.audit, "drill-ended", &AuditEntry::kind) == 1);
}

TEST_CASE("steering: with an untrusted key list no drill begins, goes on or counts",
          "[zones][drill]") {
  Drills world;
  const auto with_list = [&](std::uint32_t version) {
    Repository repository =
        repository_of({seed_service(Residency::soft)}, world.configuration->repository->policy);
    auto& approvals = *repository.policy.approvals;
    approvals.key_list = KeyList{.version = version, .require = {{"legal", 1}}};
    approvals.key_list->digest = key_list_digest(approvals);
    world.configuration = configuration_of(std::move(repository));
    return world.step(ConfigurationLoaded{world.configuration, "reload"});
  };
  (void)with_list(2);
  REQUIRE(world.step(world.begin()).reply->accepted);
  REQUIRE(world.region() == "us");
  const Effects untrusted = with_list(1);  // an older list
  REQUIRE(std::ranges::count(untrusted.audit, "keys-refused", &AuditEntry::kind) == 1);
  CHECK_FALSE(world.steering.state().drill);
  CHECK(world.region() == "eu");
  CHECK(world.step(world.begin()).reply->text.starts_with("refused: [not-now] the key list"));
  CHECK(world.step(world.report(drill::sign_off_subject("d", digest)))
            .reply->text.starts_with("refused: [not-now] the key list"));
  (void)with_list(2);
  CHECK(world.step(world.begin()).reply->accepted);
}

TEST_CASE("steering: only a signed report that passed moves the due date", "[zones][drill]") {
  Drills world;
  const std::string subject = drill::sign_off_subject("d", digest);
  CHECK_FALSE(world.step(world.report("d")).reply->accepted);  // signs no report
  CHECK_FALSE(
      world.step(world.report(drill::sign_off_subject("d", std::string(64, 'b')))).reply->accepted);
  DrillReported event = world.report(subject);
  event.sign_off = {{"security", 1}};  // the scenario asks for more than the policy
  CHECK_FALSE(world.step(event).reply->accepted);
  event = world.report(subject);
  event.ended += Milliseconds(6000);
  CHECK_FALSE(world.step(event).reply->accepted);  // a drill of tomorrow
  event = world.report(subject);
  event.report_digest = "short";
  CHECK_FALSE(world.step(event).reply->accepted);
  CHECK_FALSE(world.steering.state().drill_passed);

  event = world.report(subject);
  event.passed = false;
  const Effects failed = world.step(event);
  CHECK(failed.reply->accepted);
  CHECK(failed.audit.at(0).kind == "drill-reported");
  CHECK_FALSE(world.steering.state().drill_passed);

  event = world.report(subject);
  event.ended -= hour;
  REQUIRE(world.step(event).reply->accepted);
  CHECK(world.steering.state().drill_passed == world.now.wall - hour);
  CHECK_FALSE(world.step(event).reply->accepted);  // its tokens are used
  DrillReported older = world.report(subject);
  older.ended -= 2 * hour;
  REQUIRE(world.step(older).reply->accepted);
  CHECK(world.steering.state().drill_passed == world.now.wall - hour);  // never backwards
  const auto restored = parse_state(write_state(world.steering.state()));
  REQUIRE(restored);
  CHECK(restored->drill_passed == world.steering.state().drill_passed);
}

}  // namespace
}  // namespace demarc::zones
