// The gate under residency rules, shares, tenants, assertions and activation steps.
#include <catch2/catch.hpp>

#include "tests/zones/world.h"
#include "zones/activation.h"
#include "zones/assertions.h"
#include "zones/residency_rules.h"
#include "zones/steering_state.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;
using namespace std::chrono_literals;

namespace {

const WallTime noon{12h};

Permission permission(unsigned share = 100, std::string tenant = {}) {
  return {.grant_id = "grant-1",
          .service = ServiceId{0},
          .from = {eu},
          .to = {us},
          .mode = Mode::full_write,
          .end = noon,
          .max_share = share,
          .tenant = std::move(tenant),
          .case_id = "CASE-1",
          .only_failed = {}};
}

struct Ruled {
  std::shared_ptr<const Configuration> configuration;
  Ruling ruling;
  [[nodiscard]] const Choice& now() const {
    return ruling.cleared.choices()[ruling.cleared.choice_of_variant()[0]];
  }
};

Ruled rule(Policy policy, Service made, const std::vector<Permission>& permissions,
           const std::string& tenant = {}) {
  auto configuration = configuration_of(repository_of({std::move(made)}, std::move(policy)));
  Conditions conditions = calm(configuration->repository->services[0]);
  if (!conditions.check_failing.empty()) conditions.check_failing[0] = true;
  const Plan plan = make_plan(*configuration->repository, ServiceId{0}, conditions);
  auto ruling =
      Gate::rule(*configuration->repository, *configuration->views, plan, permissions, tenant);
  return {configuration, std::move(ruling)};
}

ResidencyRule deny_us(std::optional<Mode> mode = {}) {
  ResidencyRule made;
  made.id = "no-us";
  made.effect = Effect::deny;
  made.to = {US};
  made.mode = mode;
  return made;
}

}  // namespace

TEST_CASE("residency rules: the first match decides, none denies, no rules ask for a grant",
          "[residency-rules]") {
  Policy policy = small_policy();
  const Crossing crossing{"example.com", "api.example.com", EU, US, Mode::read_only};
  CHECK(match_rule(policy, crossing) == RuleMatch{Effect::allow, "grant-required"});
  policy.residency_rules = {deny_us(Mode::full_write)};
  CHECK(match_rule(policy, crossing) == RuleMatch{Effect::deny, "default-deny"});
  ResidencyRule allow;
  allow.id = "reads";
  allow.effect = Effect::allow;
  policy.residency_rules = {allow, deny_us()};
  CHECK(match_rule(policy, crossing) == RuleMatch{Effect::allow, "reads"});
  policy.residency_rules = {deny_us(), allow};
  CHECK(match_rule(policy, crossing) == RuleMatch{Effect::deny, "no-us"});
}

TEST_CASE("gate: a rule that denies wins over a live grant", "[gate][residency-rules]") {
  Policy policy = small_policy();
  policy.residency_rules = {deny_us()};
  const auto out = rule(policy, seed_service(), {permission()});
  CHECK(out.ruling.made.empty());
  CHECK(out.ruling.held_rule == "no-us");
  CHECK(out.ruling.held_by_rule);
  CHECK(out.now().note == ChoiceNote::held);
  const auto soft = rule(policy, seed_service(Residency::soft), {});
  CHECK(soft.ruling.soft_abroad.empty());
  CHECK(soft.ruling.held_rule == "no-us");
}

TEST_CASE("gate: a share leaves the rest to the lawful choice, and the signal names the grant",
          "[gate]") {
  const auto out = rule(small_policy(), seed_service(), {permission(30)});
  CHECK(out.now().share == 30);
  const Choice& rest = out.ruling.cleared.choices()[out.now().otherwise];
  CHECK(rest.share == 100);
  CHECK(rest.note == ChoiceNote::held);
  REQUIRE(out.ruling.cleared.mode().has_value());
  CHECK(*out.ruling.cleared.mode() == ModeSignal{Mode::full_write, "CASE-1", "grant-1"});
  Permission wide = permission(80);
  wide.grant_id = "grant-2";
  CHECK(rule(small_policy(), seed_service(), {permission(30), wide}).now().share == 80);
  CHECK_FALSE(rule(small_policy(), seed_service(), {}).ruling.cleared.mode().has_value());
}

TEST_CASE("gate: a target declared to lie elsewhere than its region is covered by no grant",
          "[gate]") {
  Service service = seed_service();
  service.records.at(1).jurisdiction = US;
  CHECK(rule(small_policy(), service, {permission()}).ruling.made.size() == 1);
  service.records.at(1).jurisdiction = CH;
  const auto out = rule(small_policy(), service, {permission()});
  CHECK(out.ruling.made.empty());
  CHECK(out.ruling.held);
  CHECK(out.now().note == ChoiceNote::held);
}

TEST_CASE("gate: a soft service's record is judged by where it runs and is declared to lie",
          "[gate]") {
  Service service = seed_service(Residency::soft);
  service.records.at(0).jurisdiction = US;  // in region eu, it says
  const auto eligible = [&](Policy policy) {
    const auto configuration = configuration_of(repository_of({service}, std::move(policy)));
    const Repository& repository = *configuration->repository;
    return is_eligible(repository, repository.services[0], repository.services[0].records[0], EU);
  };
  CHECK(eligible(small_policy()));
  Policy policy = small_policy();
  policy.residency_rules = {deny_us()};
  CHECK_FALSE(eligible(policy));
  service.records.at(0).region = us;
  service.records.at(0).jurisdiction = EU;
  CHECK(eligible(small_policy()));
  CHECK_FALSE(eligible(policy));
}

TEST_CASE("grant: a token that names a pending change opens nothing but that change", "[grant]") {
  const auto configuration = configuration_of(repository_of({seed_service()}, small_policy()));
  Grant grant{.id = "grant-1",
              .scope = {.zone = "example.com",
                        .service = "api.example.com",
                        .from = {"eu"},
                        .to = {"us"},
                        .mode = Mode::full_write}};
  CHECK_FALSE(permission_of(*configuration->repository, grant).at(0).only_failed);
  grant.scope.change = change_id("example.com", "api.example.com", {"eu"}, {"us"});
  const auto named = permission_of(*configuration->repository, grant);
  REQUIRE(named.size() == 1);
  CHECK(named[0].only_failed == std::vector<RegionId>{eu});  // a second failure is another change
  grant.scope.change = change_id("example.com", "api.example.com", {"eu", "eu2"}, {"us"});
  CHECK(permission_of(*configuration->repository, grant).empty());
}

TEST_CASE("gate: a tenant's permission counts for that tenant alone", "[gate]") {
  CHECK(rule(small_policy(), seed_service(), {permission(100, "acme")}).ruling.made.empty());
  CHECK(
      rule(small_policy(), seed_service(), {permission(100, "acme")}, "other").ruling.made.empty());
  const auto out = rule(small_policy(), seed_service(), {permission(100, "acme")}, "acme");
  REQUIRE(out.ruling.made.size() == 1);
  CHECK(out.ruling.made[0] == Made{"grant-1", us, {eu}, "acme"});
  CHECK(out.ruling.cleared.tenant() == "acme");
}

TEST_CASE("gate: a made crossing never widens to another failed region", "[gate]") {
  Permission known = permission();
  known.only_failed = std::vector<RegionId>{eu2};
  CHECK(rule(small_policy(), seed_service(), {known}).ruling.made.empty());
  known.only_failed = std::vector<RegionId>{eu};
  CHECK(rule(small_policy(), seed_service(), {known}).ruling.made.size() == 1);
}

TEST_CASE("assertions: at-least keeps a region on, never-together lets one answer",
          "[assertions]") {
  Policy policy = small_policy();
  Assertion kept;
  kept.id = "one-eu";
  kept.kind = Assertion::Kind::at_least;
  kept.count = 1;
  kept.regions = {eu};
  policy.assertions = {kept};
  const auto out = rule(policy, seed_service(), {});
  CHECK(out.now().records.front().record == RecordId{0});
  CHECK_FALSE(out.ruling.held_by_rule);

  Assertion apart;
  apart.id = "apart";
  apart.kind = Assertion::Kind::never_together;
  apart.regions = {eu, eu2};
  policy.assertions = {apart};
  Service both = service("api", Residency::hard,
                         {record(eu, 50, "a.example.net"), record(eu2, 50, "b.example.net")});
  const auto alone = rule(policy, both, {});
  REQUIRE(alone.now().records.size() == 1);
  CHECK(alone.now().records.front().record == RecordId{0});
  const auto repository = repository_of({both}, policy);
  CHECK(base_plan(repository, ServiceId{0}).asserted == std::vector<std::string>{"apart"});
}

TEST_CASE("activation: each step that does not hold is named", "[activation]") {
  Service made = seed_service();
  add_check(made, 1);
  made.activation.capacity = 60;
  made.activation.lag = {
      {.key = "lag", .region = us, .url = {}, .pointer = {}, .probe_at = {}, .max = 30}};
  const auto repository = repository_of({made});
  SteeringState state;
  state.checks[made.checks[0].key].failing = true;
  Plan plan = base_plan(repository, ServiceId{0});
  const Made crossing{"grant-1", us, {eu}, {}};
  const Activating asked{repository, state, plan, crossing, "grant-required", "eu down", noon};
  CHECK(failed_steps(checklist(asked)) == "target-healthy, capacity, replication-lag, legal-token");
  state.checks[made.checks[1].key].verdict = Verdict::up;
  state.lag["lag"] = {10.0, "", noon};
  state.grants["grant-1"].complete = true;
  CHECK(failed_steps(checklist(asked)) == "capacity");
  state.lag["lag"] = {31.0, "", noon};
  CHECK(failed_steps(checklist(asked)) == "capacity, replication-lag");
  state.lag["lag"] = {10.0, "", noon - 30s};
  CHECK(failed_steps(checklist(asked)) == "capacity, replication-lag");
  state.freeze = Freeze{"anna", "why", noon};
  CHECK(failed_steps(checklist(asked)) == "capacity, replication-lag, freeze-off");
}
