#include "zones/steering.h"

#include <algorithm>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/zones/claims_at.h"
#include "tests/zones/world.h"
#include "zones/time_text.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;
using namespace std::chrono_literals;

namespace {

const WallTime noon = *parse_rfc3339("2026-11-23T12:00:00Z");
const std::string eu_check = "example.com/api/api.eu.example.net";

const KeyPair& anna_key() {
  static const KeyPair pair = make_key_pair(KeyAlgorithm::EdDSA).value();
  return pair;
}
const KeyPair& ben_key() {
  static const KeyPair pair = make_key_pair(KeyAlgorithm::EdDSA).value();
  return pair;
}

Policy policy_with_approvals(std::map<std::string, unsigned> require = {{"legal", 1}}) {
  Policy policy = small_policy();
  policy.approvals = Approvals{
      .audience = "prod-dns",
      .max_duration = 24h,
      .keys = {{"legal-1", "anna", "legal", KeyAlgorithm::EdDSA, anna_key().public_key_pem, {}},
               {"sec-1", "ben", "security", KeyAlgorithm::EdDSA, ben_key().public_key_pem, {}}},
      .rules = {{"*", Mode::full_write, std::move(require)}}};
  return policy;
}

/// Steering on a clock of the test's own.
class Story {
 public:
  explicit Story(Policy policy = policy_with_approvals(), Service made = seed_service(),
                 SteeringState restored = {})
      : steering(std::move(restored)) {
    load(std::move(made), std::move(policy));
  }

  template <typename What>
  Effects& happens(What what) {
    effects = steering.step(Event{clock, std::move(what)});
    return effects;
  }
  void pass(Milliseconds time) {
    clock.wall += time;
    clock.monotonic += time;
  }
  void load(Service made, Policy policy) {
    configuration = configuration_of(repository_of({std::move(made)}, std::move(policy)));
    happens(ConfigurationLoaded{configuration, "test"});
  }
  void eu_down() { happens(VerdictFound{eu_check, Verdict::down, "HTTP 503"}); }
  void eu_up() { happens(VerdictFound{eu_check, Verdict::up, "HTTP 200"}); }

  std::string token(const std::string& id, Milliseconds life = 1h,
                    const std::function<void(Claims&)>& change = {},
                    const std::string& key = "legal-1") const {
    Claims claims = claims_at(clock.wall, id);
    claims.expires = std::chrono::floor<Seconds>(claims.issued_at + life);
    if (change) change(claims);
    const KeyPair& pair = key == "legal-1" ? anna_key() : ben_key();
    return *issue_token(claims, key, KeyAlgorithm::EdDSA, pair.private_key_pem);
  }
  void present(const std::string& text) { happens(TokenPresented{text, "operator"}); }

  [[nodiscard]] Answered answer() const {
    return answered(*configuration, *steering.published(ServiceId{0}), in("DE"));
  }
  [[nodiscard]] std::vector<std::string> told() const {
    std::vector<std::string> kinds;
    for (const AuditEntry& entry : effects.audit) kinds.push_back(entry.kind);
    return kinds;
  }
  [[nodiscard]] bool raised(const std::string& key) const {
    return std::ranges::any_of(effects.alerts_raised,
                               [&](const Alert& alert) { return alert.key.starts_with(key); });
  }
  [[nodiscard]] std::string refusal() const {
    REQUIRE(effects.reply.has_value());
    CHECK_FALSE(effects.reply->accepted);
    return effects.reply->text;
  }

  Moment clock{noon, MonotonicTime(1h)};
  Steering steering;
  std::shared_ptr<const Configuration> configuration;
  Effects effects;
};

using Kinds = std::vector<std::string>;
const Answered at_home{ChoiceKind::records, ChoiceNote::none, {{"eu", 100}}};
const Answered held_at_home{ChoiceKind::records, ChoiceNote::held, {{"eu", 100}}};
const Answered abroad{ChoiceKind::records, ChoiceNote::exception, {{"us", 100}}};

}  // namespace

TEST_CASE("steering: a failure is held, told with two linked facts and alerted", "[steering]") {
  Story story;
  CHECK(story.told() == Kinds{"configuration-loaded", "service-loaded"});
  CHECK(story.answer() == at_home);
  story.eu_down();
  CHECK(story.answer() == held_at_home);
  CHECK(story.told() == Kinds{"weights-changed", "failover-wanted", "crossing-held"});
  CHECK(story.raised("held/chg-"));
  REQUIRE(story.steering.state().pending.size() == 1);
  const PendingChange& pending = story.steering.state().pending.begin()->second;
  CHECK(pending.from == Kinds{"eu"});
  CHECK(pending.to == Kinds{"us"});
  CHECK(story.effects.audit[1].fact("change") == pending.id);
  CHECK(story.effects.audit[2].fact("refers-to") == "failover-wanted " + pending.id);
  CHECK(story.effects.audit[1].jurisdiction == "EU");
  CHECK(story.effects.alerts_raised.front().text.starts_with(
      "Do not fail over api.example.com from eu to us without approval"));

  story.eu_down();  // the same again: nothing new
  CHECK(story.told().empty());
  story.eu_up();
  CHECK(story.told() == Kinds{"weights-changed", "pending-ended"});
  CHECK(story.steering.state().pending.empty());
  CHECK(story.answer() == at_home);
}

TEST_CASE("steering: the pending change of one failure has the same id every time", "[steering]") {
  Story one, two;
  one.eu_down();
  two.pass(5min);
  two.eu_down();
  CHECK(one.steering.state().pending.begin()->first == two.steering.state().pending.begin()->first);
}

TEST_CASE("steering: a signed token moves it, its end brings it home", "[steering]") {
  Story story;
  story.eu_down();
  story.present(story.token("t1"));
  REQUIRE(story.effects.reply->accepted);
  CHECK(story.told() == Kinds{"grant-accepted", "pending-ended", "crossing-made"});
  CHECK(story.answer() == abroad);
  CHECK(story.effects.save_state);
  CHECK(story.effects.timer == noon + 1h);
  CHECK(story.steering.published(ServiceId{0})->valid_until() == noon + 1h);

  story.pass(1h);
  story.happens(TimerFired{});
  CHECK(story.told() == Kinds{"grant-ended", "failover-wanted", "crossing-held", "crossing-ended"});
  CHECK(story.answer() == held_at_home);
  CHECK_FALSE(story.effects.timer.has_value());

  story.eu_up();
  CHECK(story.answer() == at_home);
}

TEST_CASE("steering: a grant may come before its need and goes on after recovery", "[steering]") {
  Story story;
  story.present(story.token("t1"));
  CHECK(story.told() == Kinds{"grant-accepted"});
  CHECK(story.answer() == at_home);
  story.eu_down();
  CHECK(story.answer() == abroad);
  story.eu_up();
  CHECK(story.answer() == at_home);
  CHECK(story.told() == Kinds{"weights-changed", "crossing-ended"});
}

TEST_CASE("steering: a revoked grant ends at once", "[steering]") {
  Story story;
  story.eu_down();
  story.present(story.token("t1"));
  story.happens(GrantRevoked{"t1", "anna", "eu is back"});
  CHECK(story.effects.reply->accepted);
  CHECK(story.answer() == held_at_home);
  story.happens(GrantRevoked{"t1", "anna", "again"});
  CHECK_FALSE(story.effects.reply->accepted);
}

TEST_CASE("steering: tokens it refuses, audited", "[steering]") {
  Story story;
  const auto refused = [&](const std::string& token, const std::string& rule) {
    story.present(token);
    CHECK(story.refusal().starts_with("refused: [" + rule + "]"));
    CHECK(story.told() == Kinds{"token-refused"});
    CHECK(story.effects.audit[0].fact("rule") == rule);
    CHECK(story.steering.state().grants.empty());
  };
  refused("rubbish", "malformed");
  refused(story.token("a", 1h, [](Claims& c) { c.zone = "example.org"; }), "scope");
  refused(story.token("b", 1h, [](Claims& c) { c.service = "shop"; }), "scope");
  refused(story.token("c", 1h, [](Claims& c) { c.to = {"moon"}; }), "scope");
  refused(story.token("d", 1h, [](Claims& c) { c.from = {"us"}; }), "scope");
  refused(story.token("e", 1h, [](Claims& c) { c.to = {"eu"}; }), "scope");
  refused(story.token("f", 1h, [](Claims& c) { c.to = {"ch"}; }), "scope");  // no record there
  refused(story.token("g", 1h, [](Claims& c) { c.mode = Mode::read_only; }), "mode");
  refused(story.token("h", 1h, [](Claims& c) { c.change = "chg-0000000000"; }), "scope");
  refused(story.token("i", 1h, {}, "sec-1"), "no-rule");  // the rule asks for legal
  story.happens(FreezeSet{true, "anna", "maintenance"});
  refused(story.token("j"), "frozen");
}

TEST_CASE("steering: a token counts once, after its end and after a restart too", "[steering]") {
  Story story;
  const std::string token = story.token("t1");
  story.present(token);
  CHECK(story.effects.reply->accepted);
  story.present(token);
  CHECK(story.refusal().starts_with("refused: [used]"));

  const auto restored = parse_state(write_state(story.steering.state()));
  REQUIRE(restored.has_value());
  CHECK(*restored == story.steering.state());
  Story again(policy_with_approvals(), seed_service(), *restored);
  again.present(token);
  CHECK(again.refusal().starts_with("refused: [used]"));
}

TEST_CASE("steering: a token may name the one change it approves", "[steering]") {
  Story story;
  story.eu_down();
  const std::string id = story.steering.state().pending.begin()->first;
  story.present(story.token("t1", 1h, [&](Claims& c) { c.change = id; }));
  CHECK(story.effects.reply->accepted);
  CHECK(story.answer() == abroad);
}

TEST_CASE("steering: two persons where the rule asks for two", "[steering]") {
  Story story(policy_with_approvals({{"legal", 1}, {"security", 1}}));
  story.eu_down();
  story.present(story.token("t1"));
  CHECK(story.effects.reply->accepted);
  CHECK(story.told() == Kinds{"token-accepted"});
  CHECK(story.answer() == held_at_home);
  story.present(story.token("t2"));  // the same person again
  CHECK(story.answer() == held_at_home);
  story.present(story.token("t3", 30min, {}, "sec-1"));
  CHECK(story.answer() == abroad);
  CHECK(story.steering.state().grants.begin()->second.ends == noon + 30min);
}

TEST_CASE("steering: a key, rule or region that a reload removes ends its grants", "[steering]") {
  const auto change = GENERATE(values<void (*)(Policy&)>({
      [](Policy& p) { p.approvals->keys.erase(p.approvals->keys.begin()); },
      [](Policy& p) { p.approvals->keys[0].public_key_pem = ben_key().public_key_pem; },
      [](Policy& p) { p.approvals->rules.clear(); },
      [](Policy& p) { p.approvals->rules[0].require["security"] = 1; },
      [](Policy& p) { p.approvals.reset(); },
      [](Policy& p) { p.regions[3].name = "usa"; },
      [](Policy& p) { p.regions[3].jurisdiction = EU; },
      [](Policy& p) { p.regions[3].jurisdiction = CH; },
      [](Policy& p) { p.approvals->keys[0].not_after = noon; },
  }));
  Story story;
  story.eu_down();
  story.present(story.token("t1"));
  REQUIRE(story.answer() == abroad);
  Policy changed = policy_with_approvals();
  change(changed);
  story.load(seed_service(), changed);
  CHECK(story.steering.state().grants.empty());
  CHECK(std::ranges::count(story.told(), "grant-ended") == 1);
  CHECK(story.answer().note != ChoiceNote::exception);
}

TEST_CASE("steering: a reload that changes nothing about a crossing keeps it", "[steering]") {
  Story story;
  story.eu_down();
  story.present(story.token("t1"));
  story.load(seed_service(), policy_with_approvals());
  CHECK(story.answer() == abroad);
  CHECK(std::ranges::count(story.told(), "crossing-made") == 0);
  // Even with a trail that cannot be written: this crossing is not new.
  CHECK(story.effects.publish_if_unaudited == story.effects.publish);
}

TEST_CASE("steering: a restart goes on where it stopped", "[steering]") {
  Story story;
  story.eu_down();
  story.present(story.token("t1"));
  Story again(policy_with_approvals(), seed_service(), story.steering.state());
  CHECK(again.answer() == abroad);
  CHECK(again.raised("crossing/api.example.com"));
  CHECK(again.told() == Kinds{"configuration-loaded"});

  Story late(policy_with_approvals(), seed_service(), story.steering.state());
  Steering later(story.steering.state());
  const auto effects = later.step(
      Event{{noon + 2h, MonotonicTime(0h)}, ConfigurationLoaded{story.configuration, "start"}});
  CHECK(later.state().grants.empty());
  CHECK(answered(*story.configuration, *later.published(ServiceId{0}), in("DE")) == held_at_home);
}

TEST_CASE("steering: a clock that goes back makes no crossing and says so", "[steering]") {
  Story story;
  story.eu_down();
  story.present(story.token("t1"));
  REQUIRE(story.answer() == abroad);
  story.clock.wall -= 1h;
  story.clock.monotonic += 1s;
  story.happens(TimerFired{});
  CHECK(story.answer() == held_at_home);
  CHECK(story.raised("clock"));
  CHECK(story.steering.clock_in_doubt());
  story.present(story.token("t2"));
  CHECK_FALSE(story.effects.reply->accepted);

  SECTION("it comes right by itself") {
    story.clock.wall += 1h;
    story.happens(TimerFired{});
    CHECK_FALSE(story.steering.clock_in_doubt());
    CHECK(story.answer() == abroad);
  }
  SECTION("a grant ends on time all the same") {
    story.clock.monotonic += 1h;  // the wall clock stays an hour behind
    story.clock.wall += 1h;
    story.happens(TimerFired{});
    CHECK(story.steering.state().grants.empty());
  }
  SECTION("a human trusts it") {
    story.happens(ClockTrusted{"anna", "the clock was an hour ahead before"});
    CHECK_FALSE(story.steering.clock_in_doubt());
  }
}

TEST_CASE("steering: without an audit trail nothing new crosses, moves at home go on",
          "[steering]") {
  Service made = seed_service();
  made.records.push_back(record(eu2, 0, "api.eu2.example.net"));
  Story story(policy_with_approvals(), made);
  story.present(story.token("t1"));
  story.eu_down();
  // The loop could not write the entries: it published the other list and says so.
  REQUIRE(story.effects.publish_if_unaudited.size() == 1);
  CHECK(answered(*story.configuration, story.effects.publish_if_unaudited[0], in("DE")) ==
        Answered{ChoiceKind::records, ChoiceNote::none, {{"eu2", 1}}});
  const auto new_crossing = std::ranges::find_if(
      story.effects.audit, [](const AuditEntry& e) { return e.tells_of_new_crossing; });
  REQUIRE(new_crossing != story.effects.audit.end());
  story.happens(AuditBroken{"no space"});
  CHECK(story.raised("audit"));
  CHECK(story.answer().weights == std::vector<std::pair<std::string, int>>{{"eu2", 1}});
  CHECK_FALSE(story.effects.publish.empty());  // published again, whatever the loop did

  story.present(story.token("t2"));
  CHECK(story.refusal().starts_with("refused: [not-now]"));
  story.happens(AuditMended{});
  CHECK(story.answer() == abroad);
  CHECK(std::ranges::count(story.told(), "crossing-made") == 1);
}

TEST_CASE("steering: a crossing that is answered stays when the trail breaks", "[steering]") {
  Story story;
  story.eu_down();
  story.present(story.token("t1"));
  story.pass(1s);
  story.happens(NodeFact{"note", "something to write"});
  story.happens(AuditBroken{"no space"});
  story.happens(TimerFired{});
  CHECK(story.answer() == abroad);
}

TEST_CASE("steering: a reload in the step that notices the clock rules the new services alone",
          "[steering]") {
  Story story;
  story.configuration = configuration_of(repository_of(
      {seed_service(), service("b", Residency::none, {record(eu, 1, "b.example.net")})},
      policy_with_approvals()));
  story.happens(ConfigurationLoaded{story.configuration, "test"});
  story.clock.wall -= 1h;
  story.load(seed_service(), policy_with_approvals());  // one service less, and the clock went back
  CHECK(story.steering.clock_in_doubt());
  CHECK(story.answer() == at_home);
}

TEST_CASE("steering: what a restart must know is saved before it counts", "[steering]") {
  Story story;
  story.happens(FreezeSet{true, "anna", "maintenance"});
  CHECK(story.effects.save_state);
  story.happens(FreezeSet{false, "anna", ""});
  CHECK(story.effects.save_state);
  story.present(story.token("t1"));
  CHECK(story.effects.save_state);
  story.happens(GrantRevoked{"t1", "anna", "over"});
  CHECK(story.effects.save_state);
  story.happens(OrderGiven{"eu", "", "anna", "patching", 1h});
  CHECK(story.effects.save_state);
  story.happens(OrderEnded{"eu", "anna"});
  CHECK(story.effects.save_state);
}

TEST_CASE("steering: a freeze stops health, not the way home", "[steering]") {
  Service made = seed_service(Residency::none);
  Story story(policy_with_approvals(), made);
  const Answered moved{ChoiceKind::records, ChoiceNote::none, {{"us", 100}}};
  SECTION("a failure during the freeze moves nothing until it ends") {
    story.happens(FreezeSet{true, "anna", "maintenance"});
    story.eu_down();
    CHECK(story.answer() == at_home);
    story.happens(FreezeSet{false, "anna", ""});
    CHECK(story.answer() == moved);
  }
  SECTION("a recovery during the freeze goes home") {
    story.eu_down();
    CHECK(story.answer() == moved);
    story.happens(FreezeSet{true, "anna", "maintenance"});
    story.eu_up();
    CHECK(story.answer() == at_home);
  }
  SECTION("it survives a restart") {
    story.happens(FreezeSet{true, "anna", "maintenance"});
    Story again(policy_with_approvals(), made, story.steering.state());
    again.eu_down();
    CHECK(again.answer() == at_home);
    CHECK(again.steering.state().freeze.has_value());
  }
}

TEST_CASE("steering: stale and unknown verdicts move nothing", "[steering]") {
  Story story(policy_with_approvals(), seed_service(Residency::none));
  story.happens(VerdictFound{eu_check, Verdict::stale, "no result for 30 s"});
  CHECK(story.answer() == at_home);
  story.eu_down();
  const Answered moved = story.answer();
  story.happens(VerdictFound{eu_check, Verdict::stale, "no result for 30 s"});
  CHECK(story.answer() == moved);
}

TEST_CASE("steering: an order needs a reason and an end, and wins over health", "[steering]") {
  Story story(policy_with_approvals(), seed_service(Residency::none));
  story.happens(OrderGiven{"api.eu.example.net", "", "anna", "", 1h});
  CHECK(story.refusal() == "an order needs a reason");
  story.happens(OrderGiven{"api.eu.example.net", "", "anna", "patching", 0ms});
  CHECK(story.refusal() == "an order needs an end, at most 31 days away");
  story.happens(OrderGiven{"mars", "", "anna", "patching", 1h});
  CHECK(story.refusal() == "no service has a record whose region or endpoint is `mars`");

  const std::string target = GENERATE(as<std::string>(), "api.eu.example.net", "eu");
  story.happens(OrderGiven{target, "", "anna", "patching", 1h});
  REQUIRE(story.effects.reply->accepted);
  CHECK(story.answer().weights == std::vector<std::pair<std::string, int>>{{"us", 1}});
  SECTION("it ends by itself") {
    story.pass(1h);
    story.happens(TimerFired{});
  }
  SECTION("it is taken back") { story.happens(OrderEnded{target, "anna"}); }
  CHECK(story.answer() == at_home);
}

TEST_CASE("steering: a soft crossing is audited and alerted", "[steering]") {
  Story story(policy_with_approvals(), seed_service(Residency::soft));
  story.eu_down();
  CHECK(story.told() == Kinds{"weights-changed", "soft-crossing-begun"});
  CHECK(story.raised("soft/api.example.com"));
  story.eu_up();
  CHECK(story.told() == Kinds{"weights-changed", "soft-crossing-ended"});
}

TEST_CASE("steering: events in one step rule a service once", "[steering]") {
  Story story;
  const std::vector<Event> events{{story.clock, VerdictFound{eu_check, Verdict::down, "HTTP 503"}},
                                  {story.clock, VerdictFound{eu_check, Verdict::up, "HTTP 200"}}};
  const Effects effects = story.steering.step(events);
  CHECK(effects.publish.empty());
  CHECK(effects.audit.empty());
}

TEST_CASE("steering: a state file that was edited or torn is refused", "[steering][state]") {
  Story story;
  story.eu_down();
  story.present(story.token("t1"));
  const std::string text = write_state(story.steering.state());
  CHECK(parse_state(text) == story.steering.state());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string bad = text;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    const auto parsed = parse_state(bad);
    if (parsed && *parsed != story.steering.state()) FAIL("byte " << i << " changed the state");
    if (i + 1 < text.size()) CHECK_FALSE(parse_state(text.substr(0, i)).has_value());
  }
}
