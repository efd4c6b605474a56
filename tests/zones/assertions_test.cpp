// Assertions: what no plan may break, in made cases and over seeded random worlds; and orders,
// which are refused where they would.
#include <algorithm>
#include <random>
#include <set>
#include <span>

#include "tests/zones/token_story.h"
#include "zones/assertions.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

Assertion at_least(unsigned count, std::vector<RegionId> regions) {
  Assertion made;
  made.id = "at-least";
  made.kind = Assertion::Kind::at_least;
  made.count = count;
  made.regions = std::move(regions);
  return made;
}

Assertion never_together(std::vector<RegionId> regions) {
  Assertion made;
  made.id = "apart";
  made.kind = Assertion::Kind::never_together;
  made.regions = std::move(regions);
  return made;
}

Repository repository_with(Service made, std::vector<Assertion> assertions) {
  Policy policy = small_policy();
  policy.assertions = std::move(assertions);
  return repository_of({std::move(made)}, std::move(policy));
}

/// Regions that answer anybody at one moment: now, or once every grant has ended.
std::set<RegionId> answering(const Repository& repository, const ClearedWeights& cleared,
                             std::span<const std::uint16_t> choice_of_variant) {
  std::set<RegionId> regions;
  const auto add = [&](const Choice& choice) {
    for (const WeightedRecord& r : choice.records) {
      regions.insert(repository.services[0].record(r.record).region);
    }
  };
  for (const std::uint16_t at : choice_of_variant) {
    const Choice& choice = cleared.choices()[at];
    add(choice);
    if (choice.share < 100) add(cleared.choices()[choice.otherwise]);
  }
  return regions;
}

ClearedWeights ruled(const Configuration& configuration, const Plan& plan,
                     const std::vector<Permission>& permissions = {}) {
  return Gate::rule(*configuration.repository, *configuration.views, plan, permissions).cleared;
}

Conditions all_drained(const Service& service) {
  Conditions conditions = calm(service);
  conditions.record_drained.assign(service.records.size(), true);
  return conditions;
}

/// A world made of one number: a service of up to seven records in four regions, with checks that
/// move weight about, under up to three assertions that its base weights keep.
class RandomWorld {
 public:
  explicit RandomWorld(std::uint32_t seed) : random_(seed) {
    for (int tries = 0; tries < 200 && !configuration; ++tries) draw();
    REQUIRE(configuration);
  }

  Conditions conditions() {
    const Service& service = configuration->repository->services[0];
    Conditions made = calm(service);
    for (std::size_t i = 0; i < made.check_failing.size(); ++i) made.check_failing[i] = often();
    for (std::size_t i = 0; i < made.record_drained.size(); ++i) {
      made.record_drained[i] = below(4) == 0;
    }
    return made;
  }

  std::vector<Permission> permissions() {
    if (below(2) == 0) return {};
    return {{.grant_id = "grant-1",
             .service = ServiceId{0},
             .from = {eu, eu2},
             .to = {us},
             .mode = Mode::full_write,
             .end = noon,
             .max_share = below(2) == 0 ? 100U : 30U,
             .tenant = {},
             .case_id = "CASE-1",
             .only_failed = {}}};
  }

  std::shared_ptr<const Configuration> configuration;

 private:
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }
  bool often() { return below(2) == 0; }
  std::uint16_t weight() { return static_cast<std::uint16_t>(often() ? 0 : 1 + below(100)); }

  std::vector<RegionId> some_regions() {
    std::vector<RegionId> regions{eu, eu2, ch, us};
    std::ranges::shuffle(regions, random_);
    regions.resize(2 + below(static_cast<std::uint32_t>(regions.size()) - 1));
    return regions;
  }

  void draw() {
    const bool is_hard = often();
    std::vector<Record> records;
    for (const RegionId region : {eu, eu2, ch, us}) {
      for (std::uint32_t i = below(3); i > 0; --i) {
        const bool is_abroad = is_hard && region == us;
        records.push_back(record(region, is_abroad ? 0 : weight(),
                                 "r" + std::to_string(records.size()) + ".example.net"));
      }
    }
    if (std::ranges::none_of(records, [](const Record& r) { return r.weight != 0; })) return;
    Service made = service("api", is_hard ? Residency::hard : Residency::none, records);
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (below(4) == 0) continue;
      std::optional<std::vector<SetWeight>> on_fail;
      if (often()) {
        on_fail = std::vector<SetWeight>{{RecordId{static_cast<std::uint16_t>(i)}, 0},
                                         {RecordId{static_cast<std::uint16_t>(
                                              below(static_cast<std::uint32_t>(records.size())))},
                                          weight()}};
      }
      add_check(made, i, std::move(on_fail));
    }
    std::vector<Assertion> assertions;
    for (std::uint32_t i = 1 + below(3); i > 0; --i) {
      const auto regions = some_regions();
      assertions.push_back(often() ? never_together(regions) : at_least(1 + below(2), regions));
      assertions.back().id += "-" + std::to_string(i);
    }
    Repository repository = repository_with(std::move(made), std::move(assertions));
    // As at load: what its own base weights break is no assertion yet (zones/rules.cpp).
    if (!base_plan(repository, ServiceId{0}).asserted.empty()) return;
    configuration = configuration_of(std::move(repository));
  }

  std::mt19937 random_;
};

void check_promises(const Configuration& configuration, const ClearedWeights& cleared) {
  const Repository& repository = *configuration.repository;
  const Service& service = repository.services[0];
  for (const Assertion& assertion : repository.policy.assertions) {
    CAPTURE(assertion.id);
    const auto among = [&](const std::set<RegionId>& regions) {
      return std::ranges::count_if(assertion.regions,
                                   [&](RegionId region) { return regions.contains(region); });
    };
    if (assertion.kind == Assertion::Kind::never_together) {
      CHECK(among(answering(repository, cleared, cleared.choice_of_variant())) <= 1);
      CHECK(among(answering(repository, cleared, cleared.fenced_choice_of_variant())) <= 1);
      continue;
    }
    for (const Choice& choice : cleared.choices()) {
      if (choice.kind != ChoiceKind::records) continue;
      std::set<RegionId> on;
      for (const WeightedRecord& r : choice.records) on.insert(service.record(r.record).region);
      CHECK(among(on) >= assertion.count);
    }
  }
}

}  // namespace

TEST_CASE("assertions: nothing that is published breaks one, in any random world",
          "[assertions][property]") {
  std::size_t decided = 0;
  for (std::uint32_t seed = 1; seed <= 150; ++seed) {
    RandomWorld world(seed);
    const Configuration& configuration = *world.configuration;
    for (int i = 0; i < 8; ++i) {
      CAPTURE(seed, i);
      const Plan plan = make_plan(*configuration.repository, ServiceId{0}, world.conditions());
      decided += plan.asserted.empty() ? 0 : 1;
      CHECK(broken_assertions(*configuration.repository, plan).empty());
      const ClearedWeights cleared = ruled(configuration, plan, world.permissions());
      check_promises(configuration, cleared);
      // DESIGN rule 9: never an empty set. What a share leaves may be one: it stands beside others.
      for (const auto& of_variant :
           {cleared.choice_of_variant(), cleared.fenced_choice_of_variant()}) {
        for (const std::uint16_t at : of_variant) {
          CHECK(cleared.choices()[at].kind == ChoiceKind::records);
        }
      }
    }
  }
  CHECK(decided > 200);  // else the worlds are too tame to say anything
}

TEST_CASE("assertions: two of three regions stay on, in the order of the list", "[assertions]") {
  const Service made = service("api", Residency::hard,
                               {record(eu, 50, "a.example.net"), record(eu2, 30, "b.example.net"),
                                record(ch, 20, "c.example.net")});
  const auto repository = repository_with(made, {at_least(2, {eu2, eu, ch})});
  const auto weights = [&](std::vector<bool> drained) {
    Conditions conditions = calm(repository.services[0]);
    conditions.record_drained = std::move(drained);
    return make_plan(repository, ServiceId{0}, conditions).weights;
  };
  using W = std::vector<std::uint16_t>;
  CHECK(weights({false, false, false}) == W{50, 30, 20});
  CHECK(weights({true, false, false}) == W{0, 30, 20});  // two are on: nothing to keep
  CHECK(weights({true, true, false}) == W{0, 30, 20});   // eu2 comes first
  CHECK(weights({false, true, true}) == W{50, 30, 0});
  CHECK(weights({true, true, true}) == W{50, 30, 0});
}

TEST_CASE("assertions: a region abroad keeps no promise of a hard service", "[assertions]") {
  Service made = seed_service();
  const auto repository = repository_with(made, {at_least(1, {us, eu})});
  Conditions conditions = calm(made);
  conditions.check_failing[0] = true;  // eu to 0, us to 100
  const Plan plan = make_plan(repository, ServiceId{0}, conditions);
  CHECK(plan.asserted == std::vector<std::string>{"at-least"});
  CHECK(plan.weights == std::vector<std::uint16_t>{100, 100});
  CHECK(broken_assertions(repository, plan).empty());
}

TEST_CASE("assertions: home answers while a crossing that it may not stand beside is held",
          "[assertions][gate]") {
  const auto configuration =
      configuration_of(repository_with(seed_service(), {never_together({eu, us})}));
  Conditions failed = calm(configuration->repository->services[0]);
  failed.check_failing[0] = true;  // eu to 0, us to 100
  const Plan plan = make_plan(*configuration->repository, ServiceId{0}, failed);
  const Answered held{ChoiceKind::records, ChoiceNote::held, {{"eu", 100}}};
  CHECK(answered(*configuration, ruled(*configuration, plan), in("DE")) == held);

  Permission granted{.grant_id = "grant-1",
                     .service = ServiceId{0},
                     .from = {eu},
                     .to = {us},
                     .mode = Mode::full_write,
                     .end = noon,
                     .max_share = 100,
                     .tenant = {},
                     .case_id = "CASE-1",
                     .only_failed = {}};
  const auto crossed = ruled(*configuration, plan, {granted});
  CHECK(answered(*configuration, crossed, in("DE")).weights ==
        std::vector<std::pair<std::string, int>>{{"us", 100}});
  CHECK(answered(*configuration, crossed, in("DE"), true) == held);  // once it has ended

  granted.max_share = 30;  // the rest would answer beside it
  const auto shared = ruled(*configuration, plan, {granted});
  const Choice& now = shared.choices()[shared.choice_of_variant()[0]];
  REQUIRE(now.share == 30);
  CHECK(shared.choices()[now.otherwise].kind == ChoiceKind::nodata);
  CHECK(answered(*configuration, shared, in("DE"), true) == held);
}

TEST_CASE("assertions: an on-block record that may not answer leaves it to the rest of home",
          "[assertions][gate]") {
  Service made = service("api", Residency::hard,
                         {record(eu, 100, "a.example.net"), record(us, 0, "b.example.net"),
                          record(ch, 0, "c.example.net")});
  made.on_block = {BlockAnswer::record, RecordId{2}};
  const auto configuration = configuration_of(repository_with(made, {never_together({eu, ch})}));
  Conditions failed = calm(configuration->repository->services[0]);
  failed.record_drained = {true, false, true};  // us would take over
  const Plan plan = make_plan(*configuration->repository, ServiceId{0}, failed);
  REQUIRE(plan.excluded == std::vector<bool>{false, false, true});
  CHECK(answered(*configuration, ruled(*configuration, plan), in("DE")) ==
        Answered{ChoiceKind::records, ChoiceNote::held, {{"eu", 100}}});
}

TEST_CASE("assertions: a region is not kept for a record of it that may not answer",
          "[assertions][gate]") {
  Service made = service("api", Residency::hard,
                         {record(eu, 100, "a.example.net"), record(eu, 0, "b.example.net"),
                          record(ch, 0, "c.example.net")});
  made.records[1].jurisdiction = US;
  made.on_block = {BlockAnswer::servfail, {}};
  const auto configuration = configuration_of(repository_with(made, {never_together({eu, ch})}));
  Conditions failed = calm(configuration->repository->services[0]);
  failed.record_drained = {true, false, false};  // b is well, and lies abroad
  const Plan plan = make_plan(*configuration->repository, ServiceId{0}, failed);
  CHECK(answered(*configuration, ruled(*configuration, plan), in("DE")) ==
        Answered{ChoiceKind::records, ChoiceNote::none, {{"ch", 1}}});
}

TEST_CASE("assertions: pairs that make a ring leave somebody to answer", "[assertions]") {
  const Service made = service("api", Residency::hard,
                               {record(eu, 100, "a.example.net"), record(eu2, 0, "b.example.net"),
                                record(ch, 0, "c.example.net")});
  std::vector<Assertion> ring = {never_together({eu, eu2}), never_together({eu2, ch}),
                                 never_together({ch, eu})};
  const auto configuration = configuration_of(repository_with(made, ring));
  const Plan plan = make_plan(*configuration->repository, ServiceId{0},
                              all_drained(configuration->repository->services[0]));
  const auto cleared = ruled(*configuration, plan);
  CHECK(answering(*configuration->repository, cleared, cleared.choice_of_variant()).size() == 1);
  CHECK(answered(*configuration, cleared, in("DE")).kind == ChoiceKind::records);
}

TEST_CASE("assertions: zone and service narrow them; a class of tenants is its parent's",
          "[assertions]") {
  struct Row {
    const char* zone;
    const char* service;
    std::vector<std::uint32_t> kept;  // services that the assertion is about
  };
  const auto row = GENERATE(values<Row>({{"*", "*", {0, 1, 2, 3, 4}},
                                         {"example.com", "*", {0, 1, 2, 3, 4}},
                                         {"example.net", "*", {}},
                                         {"*", "docs.example.com", {1}},
                                         {"*", "api.example.com", {0, 3, 4}},
                                         {"*", "api-class-1.example.com", {}}}));
  CAPTURE(row.zone, row.service);
  Repository repository = tenant_repository();
  Assertion kept = at_least(1, {eu});
  kept.zone = row.zone;
  kept.service = row.service;
  repository.policy.assertions = {kept};
  std::vector<std::uint32_t> asserted;
  for (std::uint32_t i = 0; i < repository.services.size(); ++i) {
    const Plan plan = make_plan(repository, ServiceId{i}, all_drained(repository.services[i]));
    if (!plan.asserted.empty()) asserted.push_back(i);
  }
  CHECK(asserted == row.kept);
}

TEST_CASE("assertions: an order that would break one is refused, and leaves nothing behind",
          "[assertions][steering]") {
  Repository repository = tenant_repository();
  Assertion kept = at_least(1, {eu});
  kept.id = "one-eu";
  kept.service = "docs.example.com";
  repository.policy.assertions = {kept};
  TokenStory story(std::move(repository));
  const SteeringState before = story.steering.state();
  const std::string target = GENERATE(as<std::string>(), "eu", "docs.eu.example.net");
  const std::string service = GENERATE(as<std::string>(), "", "docs.example.com");
  story.happens(OrderGiven{target, service, "operator", "patching", 1h});
  REQUIRE(story.effects.reply.has_value());
  CHECK_FALSE(story.effects.reply->accepted);
  CHECK(story.reply() == "[one-eu] the order would break this assertion");
  CHECK(story.effects.audit.empty());
  CHECK(story.effects.publish.empty());
  CHECK(story.steering.state() == before);

  // Of another service, it takes nothing from this one.
  story.happens(OrderGiven{"eu", "api.example.com", "operator", "patching", 1h});
  REQUIRE(story.effects.reply.has_value());
  CHECK(story.effects.reply->accepted);
}

TEST_CASE("assertions: health never breaks one: it is told once, alerted, and released",
          "[assertions][steering]") {
  Repository repository = tenant_repository();
  Assertion kept = at_least(1, {eu});
  kept.id = "one-eu";
  repository.policy.assertions = {kept};
  TokenStory story(std::move(repository));
  (void)story.present(story.token("legal-1", "t-1"));
  (void)story.present(story.token("sec-1", "t-2"));
  story.eu_down();
  // The region stays on, so home has not failed: the grant opens nothing.
  CHECK_FALSE(story.crosses());
  CHECK(story.steering.state().pending.empty());
  CHECK(story.fact("assertion-held").fact("rule") == "one-eu");
  CHECK(std::ranges::count(story.effects.alerts_raised, "assertion/api.example.com", &Alert::key) ==
        1);
  story.happens(VerdictFound{"example.com/api/api.eu.example.net", Verdict::down, "timeout"});
  CHECK(story.effects.audit.empty());
  story.happens(VerdictFound{"example.com/api/api.eu.example.net", Verdict::up, "HTTP 200"});
  CHECK(story.fact("assertion-released").fact("rule") == "one-eu");
  CHECK(std::ranges::count(story.effects.alerts_ended, "assertion/api.example.com") == 1);
}
