// What `demarc status` and `demarc pending` show of crossings that wait: as JSON, and for people.
#include "tools/activation_status.h"

#include <nlohmann/json.hpp>

#include "tests/zones/token_story.h"
#include "tools/status.h"

using namespace demarc;
using namespace demarc::tools;
using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

/// A service that wants capacity and a measured lag, and an advisor.
Repository guarded_repository() {
  Repository repository = tenant_repository();
  repository.services[0].activation.capacity = 60;
  repository.services[0].activation.lag = {
      {.key = "lag", .region = us, .url = {}, .pointer = {}, .probe_at = {}, .max = 30}};
  repository.policy.advisor = Advisor{"http://127.0.0.1:1/v1/data/crossing", 500ms};
  return repository;
}

}  // namespace

TEST_CASE("status: what a covered crossing waits for, the advisor's word, the lag",
          "[tools][status]") {
  TokenStory story(guarded_repository());
  CHECK(waits_of(story.steering).empty());
  CHECK(pending_text(pending_of(story.steering)) == "nothing is pending\n");
  (void)story.present(story.token("legal-1", "t-1"));
  (void)story.present(story.token("sec-1", "t-2"));
  story.happens(LagMeasured{"lag", 31.0, ""});
  story.eu_down();
  REQUIRE(story.effects.advice_wanted.size() == 1);
  story.happens(AdviceGiven{story.effects.advice_wanted[0].id, Effect::deny, "not on Sundays"});

  const auto waits = waits_of(story.steering);
  REQUIRE(waits.size() == 1);
  CHECK(waits[0]["service"] == "api.example.com");
  std::vector<std::string> failed;
  for (const auto& step : waits[0]["steps"]) {
    if (!step["passed"].get<bool>()) failed.push_back(step["name"]);
  }
  CHECK(failed == std::vector<std::string>{"capacity", "replication-lag", "advisor"});
  const auto advice = advice_of(story.steering.state());
  REQUIRE(advice.size() == 1);
  CHECK(advice[0]["word"] == "deny");
  CHECK(advice[0]["detail"] == "not on Sundays");
  const auto lag = lag_of(story.steering.state());
  REQUIRE(lag.size() == 1);
  CHECK(lag[0]["value"] == 31.0);

  const std::string text = activation_text(waits, advice, lag);
  for (const char* part : {"waits for its steps: grant-", "NOT PASSED",
                           "deny since 2026-11-23T12:00:00.000Z: ", "not on Sundays",
                           "lag lag: 31.0 at 2026-11-23T12:00:00.000Z\n"}) {
    CAPTURE(text, part);
    CHECK(text.find(part) != std::string::npos);
  }
  const auto pending = pending_of(story.steering);
  REQUIRE(pending.size() == 1);
  CHECK(pending[0]["steps"].size() == waits[0]["steps"].size());
  CHECK(pending[0]["why"].get<std::string>().starts_with("a grant covers it, and it waits"));
}

TEST_CASE("pending: the command for a class names its service, and one tenant", "[tools][status]") {
  TokenStory story(guarded_repository());
  story.happens(OrderGiven{"eu", "api.example.com", "operator", "broken", 1h});
  std::size_t classes = 0;
  const auto pending = pending_of(story.steering);
  for (const auto& change : pending) {
    const auto command = change["command"].get<std::string>();
    CAPTURE(command);
    CHECK(command.find("--service api.example.com --from eu --to us --mode full-write") !=
          std::string::npos);
    if (!change.contains("class")) continue;
    ++classes;
    CHECK(change["tenants-of"] == "api.example.com");
    CHECK(change["command-for-one-tenant"].get<std::string>().find(
              "--service api.example.com --tenant NAME --from eu") != std::string::npos);
  }
  CHECK(classes == 2);
  const std::string text = pending_text(pending);
  CHECK(text.find("api.example.com (tenants of api-class-1)") != std::string::npos);
  CHECK(text.find("to allow it for one tenant: ") != std::string::npos);
}

TEST_CASE("pending: a tenant's covered crossing is shown where it waits", "[tools][status]") {
  Repository repository = tenant_repository();
  repository.services[3].activation.capacity = 60;
  TokenStory story(std::move(repository));
  const auto of_acme = [](Claims& c) { c.tenant = "acme"; };
  (void)story.present(story.token("legal-1", "t-1", of_acme));
  (void)story.present(story.token("sec-1", "t-2", of_acme));
  story.happens(OrderGiven{"eu", "api.example.com", "operator", "broken", 1h});
  const auto waits = waits_of(story.steering);
  REQUIRE(waits.size() == 1);
  CHECK(waits[0]["crossing"].get<std::string>().ends_with(" to us for tenant acme"));
  CHECK(pending_text(pending_of(story.steering)).find("NOT PASSED") != std::string::npos);

  const nlohmann::json covered = {{{"id", nullptr},
                                   {"service", "api.example.com"},
                                   {"crossing", "grant-1 to us"},
                                   {"steps", nlohmann::json::array()}}};
  CHECK(pending_text(covered) ==
        "api.example.com  grant-1 to us is covered and waits for its steps\n");
}
