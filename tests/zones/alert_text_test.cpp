// What an alert says: the law, the wish, why not, and what may lawfully be done, in order and with
// the very commands.
#include <algorithm>

#include "tests/zones/token_story.h"
#include "zones/alert_text.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

const std::string freeze_option = "demarc freeze --reason WHY";
const std::string api_scope =
    "--key KEY.pem --kid KEY-ID --audience prod-dns --zone example.com --service api.example.com "
    "--from eu --to us --mode full-write --reason WHY --case CASE";

/// The pending change of a service of tenant_repository(), from eu to us.
PendingChange change_of(const Repository& repository, ServiceId id) {
  const std::string owner = repository.service(id).owner.text_without_dot();
  return {.id = change_id("example.com", owner, {"eu"}, {"us"}),
          .zone = "example.com",
          .service = owner,
          .from = {"eu"},
          .to = {"us"},
          .since = noon,
          .evidence = "eu is down",
          .why = {}};
}

Alert held(const Repository& repository, ServiceId id, const HeldBack& back) {
  return held_alert(repository, repository.service(id), change_of(repository, id), back);
}

const HeldBack no_grant{.rule = "grant-required",
                        .by_rule = false,
                        .why = "the target is outside home and no live grant covers it"};

Alert raised(const TokenStory& story, const std::string& key) {
  const auto found = std::ranges::find_if(
      story.effects.alerts_raised, [&](const Alert& alert) { return alert.key.starts_with(key); });
  REQUIRE(found != story.effects.alerts_raised.end());
  return *found;
}

std::vector<std::string> first_words(const Options& options) {
  std::vector<std::string> words;
  for (const auto& [what, command] : options)
    words.push_back(what.substr(0, what.find_first_of(" ,:")));
  return words;
}

}  // namespace

TEST_CASE("alert text: of a held crossing, everything that counsel asks", "[alerts]") {
  const Repository repository = tenant_repository();
  const Alert alert = held(repository, ServiceId{0}, no_grant);
  const std::string id = change_of(repository, ServiceId{0}).id;
  CHECK(alert.key == "held/" + id);
  CHECK(alert.level == AlertLevel::critical);
  CHECK(alert.since == noon);
  CHECK_FALSE(alert.to_everyone);
  CHECK(alert.text == "Do not fail over api.example.com from eu to us without approval: " + id +
                          " is held back at the border (eu is down). To allow it: demarc approve "
                          "TOKEN");
  const AlertDetails& details = alert.details;
  CHECK(details.zone == "example.com");
  CHECK(details.service == "api.example.com");
  CHECK(details.tenant.empty());
  CHECK(details.residency == "hard");
  CHECK(details.home == "EU");
  CHECK(details.access == "write");
  CHECK(details.state == "held");
  CHECK(details.wanted == "from eu to us");
  CHECK(details.why == no_grant.why);
  CHECK(details.rule == "grant-required");
  CHECK(details.evidence == "eu is down");
  CHECK(details.change == id);
  CHECK(details.approvers == std::vector<std::string>{"1 legal", "1 security"});
  CHECK(details.options ==
        Options{{"wait, and mend home", "demarc explain api.example.com"},
                {"ask for approval by 1 legal, 1 security",
                 "demarc token issue " + api_scope + " --for 1h --change " + id + " > TOKEN"},
                {"present each approval", "demarc approve TOKEN"},
                {"break glass: tells everyone, must be reviewed",
                 "demarc token issue --type break-glass " + api_scope + " --for 30m > TOKEN"},
                {"keep health from moving anything", freeze_option}});
}

TEST_CASE("alert text: the lawful options, by who may say yes", "[alerts]") {
  Repository repository = tenant_repository();
  ServiceId id{0};
  HeldBack back = no_grant;
  using Words = std::vector<std::string>;
  Words options, approvers;
  SECTION("a residency rule forbids it: no token would help") {
    back = {.rule = "no-us", .by_rule = true, .why = "the rule no-us denies it, whoever signs"};
    options = {"wait", "keep"};
  }
  SECTION("no approvals in the policy") {
    repository.policy.approvals.reset();
    options = {"wait", "keep"};
  }
  SECTION("no rule for its mode, and no break-glass") {
    repository.policy.approvals->rules = {{"*", Mode::read_only, {{"legal", 1}}}};
    repository.policy.approvals->break_glass.reset();
    options = {"wait", "keep"};
  }
  SECTION("no break-glass") {
    repository.policy.approvals->break_glass.reset();
    options = {"wait", "ask", "present", "keep"};
    approvers = {"1 legal", "1 security"};
  }
  SECTION("a service that is only read asks for less") {
    id = ServiceId{1};
    options = {"wait", "ask", "present", "break", "keep"};
    approvers = {"1 legal"};
  }
  SECTION("a class of tenants: one tenant comes before all") {
    id = ServiceId{3};
    options = {"wait", "ask", "ask", "present", "break", "keep"};
    approvers = {"1 legal", "1 security"};
  }
  const Alert alert = held(repository, id, back);
  CHECK(first_words(alert.details.options) == options);
  CHECK(alert.details.approvers == approvers);
  CHECK(alert.details.options.back().second == freeze_option);
  CHECK(alert.details.why == back.why);
  CHECK(alert.text.ends_with(back.by_rule ? ". Rule no-us forbids it"
                                          : "). To allow it: demarc approve TOKEN"));
}

TEST_CASE("alert text: lawful standbys are offered, those that failed and those abroad are not",
          "[alerts]") {
  Repository repository = tenant_repository();
  Service& api = repository.services[0];
  api.records.push_back(record(eu2, 0, "api.eu2.example.net"));
  api.records.push_back(record(ch, 0, "api.ch.example.net"));
  SECTION("eu2 and the approved standby") {
    const Alert alert = held(repository, ServiceId{0}, no_grant);
    REQUIRE(alert.details.options.size() == 7);
    CHECK(alert.details.options[1] ==
          std::pair<std::string, std::string>("use the lawful standby ch",
                                              "demarc explain api.example.com"));
    CHECK(alert.details.options[2].first == "use the lawful standby eu2");
  }
  SECTION("eu2 has failed as well; ch's target is declared abroad") {
    api.records.back().jurisdiction = US;
    PendingChange change = change_of(repository, ServiceId{0});
    change.from = {"eu", "eu2"};
    const Alert alert = held_alert(repository, api, change, no_grant);
    for (const auto& [what, command] : alert.details.options) {
      CAPTURE(what);
      CHECK(what.find("standby") == std::string::npos);
    }
  }
  SECTION("a home of each client's own has no standby that is lawful for all") {
    api.home_kind = HomeKind::client;
    const Alert alert = held(repository, ServiceId{0}, no_grant);
    CHECK(alert.details.home == "client");
    CHECK(alert.details.options.size() == 5);
  }
}

TEST_CASE("alert text: a class of tenants is named with its parent, and its regulated tenants",
          "[alerts]") {
  const Repository repository = tenant_repository();
  const Alert alert = held(repository, ServiceId{3}, no_grant);
  const std::string id = change_of(repository, ServiceId{3}).id;
  CHECK(
      alert.text.starts_with("Do not fail over api.example.com (tenants of api-class-1) from eu to "
                             "us without approval: "));
  CHECK(alert.details.service == "api.example.com");
  CHECK(alert.details.regulated_tenants == 2);
  const auto& options = alert.details.options;
  REQUIRE(options.size() == 6);
  CHECK(options[0].second == "demarc tenant NAME --service api.example.com");
  CHECK(options[1].first == "ask for approval for one tenant alone by 1 legal, 1 security");
  CHECK(options[1].second.find("--service api.example.com --tenant NAME --from eu") !=
        std::string::npos);
  CHECK(options[1].second.ends_with(" --change " + id + " > TOKEN"));
  CHECK(options[2].first == "ask for approval for all tenants of the class by 1 legal, 1 security");
  CHECK(options[2].second.find("--tenant") == std::string::npos);
  CHECK(options[4].first == "break glass for one tenant: tells everyone, must be reviewed");
}

TEST_CASE("alert text: each reason to hold is told as it is", "[alerts][steering]") {
  Repository repository = tenant_repository();
  SECTION("no grant") {
    TokenStory story(std::move(repository));
    story.eu_down();
    const Alert alert = raised(story, "held/");
    CHECK(alert.details.why == "the target is outside home and no live grant covers it");
    CHECK(alert.details.rule == "grant-required");
    CHECK(alert.details.options.size() == 5);
  }
  SECTION("a rule") {
    ResidencyRule deny;
    deny.id = "no-us";
    deny.effect = Effect::deny;
    deny.to = {US};
    repository.policy.residency_rules = {deny};
    TokenStory story(std::move(repository));
    (void)story.present(story.token("legal-1", "t-1"));
    (void)story.present(story.token("sec-1", "t-2"));
    story.eu_down();
    const Alert alert = raised(story, "held/");
    CHECK(alert.details.why == "the rule no-us denies it, whoever signs");
    CHECK(alert.details.rule == "no-us");
    CHECK(first_words(alert.details.options) == std::vector<std::string>{"wait", "keep"});
  }
  SECTION("rules, and none that allows it") {
    ResidencyRule allow;
    allow.id = "to-ch";
    allow.effect = Effect::allow;
    allow.to = {CH};
    repository.policy.residency_rules = {allow};
    TokenStory story(std::move(repository));
    story.eu_down();
    CHECK(raised(story, "held/").details.why == "the rule default-deny denies it, whoever signs");
    CHECK(raised(story, "held/").text.ends_with("Rule default-deny forbids it"));
  }
  SECTION("a step") {
    repository.services[0].activation.capacity = 60;
    TokenStory story(std::move(repository));
    (void)story.present(story.token("legal-1", "t-1"));
    (void)story.present(story.token("sec-1", "t-2"));
    story.eu_down();
    CHECK(raised(story, "held/").details.why.ends_with(" to us: capacity"));
  }
  SECTION("the trail") {
    TokenStory story(std::move(repository));
    story.happens(AuditBroken{"no space"});
    story.eu_down();
    CHECK(raised(story, "held/").details.why ==
          "the audit trail cannot be written, so nothing new may cross");
  }
  SECTION("the clock") {
    TokenStory story(std::move(repository));
    story.clock.wall -= 1h;
    story.eu_down();
    CHECK(raised(story, "held/").details.why == "the clock is in doubt, so no grant counts");
  }
}

TEST_CASE("alert text: of a crossing under a grant, and how to end it", "[alerts][steering]") {
  TokenStory story;
  (void)story.present(story.token("legal-1", "t-1"));
  (void)story.present(story.token("sec-1", "t-2"));
  const std::string grant = story.steering.state().grants.begin()->first;
  story.eu_down();
  const Alert alert = raised(story, "crossing/");
  CHECK(alert.key == "crossing/api.example.com");
  CHECK(alert.text == "api.example.com answers outside home: " + grant + " to us");
  CHECK(alert.details.state == "crossing");
  CHECK(alert.details.wanted == grant + " to us");
  CHECK(alert.details.why == "live grants cover it");
  CHECK(alert.details.rule == "grant-required");
  CHECK(alert.details.deadline == noon + 1h);
  CHECK(alert.details.options ==
        Options{{"end it now", "demarc revoke " + grant + " --reason WHY"}});
}

TEST_CASE("alert text: of a soft crossing, an assertion, the node itself", "[alerts]") {
  const Repository repository = tenant_repository();
  const Service& news = repository.services[2];
  const CrossingFacts facts{
      .crossings = {}, .rule = "soft-residency", .evidence = "eu is down", .deadline = {}};
  const Alert soft = soft_alert(repository, news, "us", facts, noon);
  CHECK(soft.key == "soft/news.example.com");
  CHECK(soft.text == "news.example.com (soft residency) answers outside home: us");
  CHECK(soft.details.residency == "soft");
  CHECK(soft.details.state == "soft-crossing");
  CHECK(soft.details.wanted == "to us");
  CHECK(soft.details.options == Options{{"mend home", "demarc explain news.example.com"}});

  const Alert asserted = assertion_alert(repository, news, "one-eu, apart", "eu is down", noon);
  CHECK(asserted.key == "assertion/news.example.com");
  CHECK(asserted.text ==
        "assertion one-eu, apart decides what answers news.example.com, against health or orders");
  CHECK(asserted.details.rule == "one-eu, apart");
  CHECK(asserted.details.options ==
        Options{{"mend what is down", "demarc explain news.example.com"}});

  const Alert node = node_alert("audit", "the audit trail cannot be written", noon,
                                AlertLevel::critical, {{"make room", "demarc status"}});
  CHECK(node.key == "audit");
  CHECK(node.details.state == "audit");
  CHECK(node.details.why == node.text);
  CHECK(node.level == AlertLevel::critical);
  CHECK(node.details.options == Options{{"make room", "demarc status"}});
}
