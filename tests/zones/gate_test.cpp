#include "zones/gate.h"

#include <type_traits>

#include <catch2/catch.hpp>

#include "tests/zones/world.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

const WallTime noon{std::chrono::hours(12)};

struct Setting {
  std::vector<bool> failing;  // by check; missing ones are fine
  std::vector<bool> drained;  // by record
  std::vector<Permission> permissions;
};

struct Outcome {
  std::shared_ptr<const Configuration> configuration;
  Ruling ruling;
  [[nodiscard]] Answered now(const char* country = "DE") const {
    return answered(*configuration, ruling.cleared, in(country));
  }
  [[nodiscard]] Answered fenced(const char* country = "DE") const {
    return answered(*configuration, ruling.cleared, in(country), true);
  }
};

Outcome rule(Service made, const Setting& setting = {}) {
  auto configuration = configuration_of(repository_of({std::move(made)}));
  const Repository& repository = *configuration->repository;
  Conditions conditions = calm(repository.services[0]);
  for (std::size_t i = 0; i < setting.failing.size(); ++i) {
    conditions.check_failing[i] = setting.failing[i];
  }
  for (std::size_t i = 0; i < setting.drained.size(); ++i) {
    conditions.record_drained[i] = setting.drained[i];
  }
  const Plan plan = make_plan(repository, ServiceId{0}, conditions);
  auto ruling = Gate::rule(repository, *configuration->views, plan, setting.permissions);
  return {configuration, std::move(ruling)};
}

Permission grant_to(RegionId to, Mode mode = Mode::full_write) {
  return {.grant_id = "grant-1",
          .service = ServiceId{0},
          .from = {eu},
          .to = {to},
          .mode = mode,
          .end = noon};
}

Answered records(std::vector<std::pair<std::string, int>> weights,
                 ChoiceNote note = ChoiceNote::none) {
  return {ChoiceKind::records, note, std::move(weights)};
}

}  // namespace

static_assert(!std::is_default_constructible_v<ClearedWeights>,
              "cleared weights can be made outside the gate");

TEST_CASE("gate: base weights answer while nothing fails", "[zones][gate]") {
  const auto out = rule(seed_service());
  CHECK(out.now() == records({{"eu", 100}}));
  CHECK(out.fenced() == out.now());
  CHECK_FALSE(out.ruling.held);
  CHECK_FALSE(out.ruling.cleared.valid_until());
}

TEST_CASE("gate: a crossing without a grant is held back, whatever asked for it", "[zones][gate]") {
  SECTION("on-fail") {
    const auto out = rule(seed_service(), {.failing = {true}});
    CHECK(out.now() == records({{"eu", 100}}, ChoiceNote::held));
    CHECK(out.ruling.held == Held{{eu}, {us}});
  }
  SECTION("a take-over without on-fail") {
    Service made = seed_service();
    made.checks.clear();
    add_check(made, 0);
    const auto out = rule(made, {.failing = {true}});
    CHECK(out.now() == records({{"eu", 100}}, ChoiceNote::held));
    CHECK(out.ruling.held == Held{{eu}, {us}});
  }
  SECTION("a human's order") {
    const auto out = rule(seed_service(), {.drained = {true}});
    CHECK(out.now() == records({{"eu", 100}}, ChoiceNote::held));
    CHECK(out.ruling.held == Held{{eu}, {us}});
  }
  SECTION("a fall-through along the route") {
    Service made =
        service("api", Residency::hard,
                {record(eu, 100, "api.eu.example.net"), record(us, 100, "api.us.example.net")});
    made.route = RouteLines{{RouteLine{MatchAll{}, {eu, us}, {}}}};
    add_check(made, 0);
    const auto out = rule(made, {.failing = {true}});
    CHECK(out.now() == records({{"eu", 100}}, ChoiceNote::held));
    CHECK(out.ruling.held == Held{{eu}, {us}});
  }
}

TEST_CASE("gate: residency none and soft may cross; soft is told", "[zones][gate]") {
  const auto none = rule(seed_service(Residency::none), {.failing = {true}});
  CHECK(none.now() == records({{"us", 100}}));
  CHECK(none.ruling.soft_abroad.empty());

  const auto soft = rule(seed_service(Residency::soft), {.failing = {true}});
  CHECK(soft.now() == records({{"us", 100}}));
  CHECK(soft.ruling.soft_abroad == std::vector<RegionId>{us});
  CHECK_FALSE(soft.ruling.held);
}

TEST_CASE("gate: a standby approved beforehand is no crossing", "[zones][gate]") {
  Service made =
      service("api", Residency::hard,
              {record(eu, 100, "api.eu.example.net"), record(ch, 0, "api.ch.example.net")});
  add_check(made, 0);
  const auto out = rule(made, {.failing = {true}});
  CHECK(out.now() == records({{"ch", 1}}));
  CHECK_FALSE(out.ruling.held);
}

TEST_CASE("gate: on-block says what answers meanwhile", "[zones][gate]") {
  Service made = seed_service();
  const auto with = [&](BlockAnswer answer, RecordId which = {}) {
    made.on_block = {answer, which};
    return rule(made, {.failing = {true}}).now();
  };
  CHECK(with(BlockAnswer::hold) == records({{"eu", 100}}, ChoiceNote::held));
  CHECK(with(BlockAnswer::nodata) == Answered{ChoiceKind::nodata, ChoiceNote::held, {}});
  CHECK(with(BlockAnswer::servfail) == Answered{ChoiceKind::servfail, ChoiceNote::held, {}});
  CHECK(with(BlockAnswer::record, RecordId{0}) == records({{"eu", 100}}, ChoiceNote::held));
  // A record abroad is refused at load; the gate does not rely on it.
  CHECK(with(BlockAnswer::record, RecordId{1}) ==
        Answered{ChoiceKind::nodata, ChoiceNote::held, {}});
}

TEST_CASE("gate: a lawful take-over comes before on-block", "[zones][gate]") {
  Service made =
      service("api", Residency::hard,
              {record(eu, 100, "api.eu.example.net"), record(us, 0, "api.us.example.net"),
               record(eu2, 0, "api.eu2.example.net")});
  add_check(made, 0, std::vector<SetWeight>{{RecordId{0}, 0}, {RecordId{1}, 100}});
  made.on_block.answer = BlockAnswer::servfail;
  const auto out = rule(made, {.failing = {true}});
  CHECK(out.now() == records({{"eu2", 1}}));
  CHECK(out.ruling.held == Held{{eu}, {us}});  // the on-fail crossing is pending all the same

  made.checks[0].on_fail.clear();
  made.checks[0].has_on_fail = false;
  const auto without = rule(made, {.failing = {true}});
  CHECK(without.now() == records({{"eu2", 1}}));
  CHECK_FALSE(without.ruling.held);  // nobody asked to go abroad
}

TEST_CASE("gate: all down keeps answering the eligible by base weight", "[zones][gate]") {
  Service made = seed_service();
  add_check(made, 1);
  made.checks[0].on_fail = {{RecordId{0}, 0}};
  const auto out = rule(made, {.failing = {true, true}});
  CHECK(out.now() == records({{"eu", 100}}, ChoiceNote::all_down));
  CHECK_FALSE(out.ruling.held);
}

TEST_CASE("gate: all base weights zero answer the first eligible in order", "[zones][gate]") {
  const auto out =
      rule(service("api", Residency::hard,
                   {record(us, 0, "api.us.example.net"), record(eu2, 0, "api.eu2.example.net"),
                    record(eu, 0, "api.eu.example.net")}));
  CHECK(out.now() == records({{"eu2", 1}}));
}

TEST_CASE("gate: a grant opens what it names and ends at its end", "[zones][gate]") {
  SECTION("it moves nothing before its need") {
    const auto out = rule(seed_service(), {.permissions = {grant_to(us)}});
    CHECK(out.now() == records({{"eu", 100}}));
    CHECK(out.ruling.made.empty());
    CHECK_FALSE(out.ruling.cleared.valid_until());
  }
  SECTION("with need: abroad now, home when fenced") {
    const auto out = rule(seed_service(), {.failing = {true}, .permissions = {grant_to(us)}});
    CHECK(out.now() == records({{"us", 100}}, ChoiceNote::exception));
    CHECK(out.fenced() == records({{"eu", 100}}, ChoiceNote::held));
    CHECK(out.ruling.made == std::vector<Made>{{"grant-1", us, {eu}, {}}});
    CHECK(out.ruling.cleared.valid_until() == noon);
    CHECK_FALSE(out.ruling.held);
  }
  SECTION("for another region it opens nothing") {
    const auto out = rule(seed_service(), {.failing = {true}, .permissions = {grant_to(ch)}});
    CHECK(out.now() == records({{"eu", 100}}, ChoiceNote::held));
  }
  SECTION("of a mode that does not cover the service it opens nothing") {
    const auto out =
        rule(seed_service(), {.failing = {true}, .permissions = {grant_to(us, Mode::read_only)}});
    CHECK(out.now() == records({{"eu", 100}}, ChoiceNote::held));
  }
  SECTION("of another service it opens nothing") {
    Permission other = grant_to(us);
    other.service = ServiceId{1};
    const auto out = rule(seed_service(), {.failing = {true}, .permissions = {other}});
    CHECK(out.now() == records({{"eu", 100}}, ChoiceNote::held));
  }
  SECTION("from a region that is fine it opens nothing") {
    Permission other = grant_to(us);
    other.from = {eu2};
    const auto out = rule(seed_service(), {.failing = {true}, .permissions = {other}});
    CHECK(out.now() == records({{"eu", 100}}, ChoiceNote::held));
  }
  SECTION("of two the longer one carries the answer") {
    Permission longer = grant_to(us);
    longer.grant_id = "grant-2";
    longer.end = noon + std::chrono::hours(1);
    const auto out =
        rule(seed_service(), {.failing = {true}, .permissions = {grant_to(us), longer}});
    CHECK(out.ruling.made == std::vector<Made>{{"grant-2", us, {eu}, {}}});
    CHECK(out.ruling.cleared.valid_until() == longer.end);
  }
}

TEST_CASE("gate: home client judges every client by its own jurisdiction", "[zones][gate]") {
  Service made =
      service("accounts", Residency::hard,
              {record(eu, 100, "a.eu.example.net"), record(us, 100, "a.us.example.net")});
  made.home_kind = HomeKind::client;
  made.home = EU;
  made.route = RouteLines{
      {RouteLine{MatchCountry{{code("US")}}, {us, eu}, {}}, RouteLine{MatchAll{}, {eu, us}, {}}}};
  add_check(made, 0);
  add_check(made, 1);
  SECTION("calm") {
    const auto out = rule(made);
    CHECK(out.now("DE") == records({{"eu", 100}}));
    CHECK(out.now("US") == records({{"us", 100}}));
    CHECK(out.now("JP") == records({{"eu", 100}}));
  }
  SECTION("eu fails: its clients are held, the others untouched") {
    const auto out = rule(made, {.failing = {true, false}});
    CHECK(out.now("DE") == records({{"eu", 100}}, ChoiceNote::held));
    CHECK(out.now("US") == records({{"us", 100}}));
    CHECK(out.ruling.held == Held{{eu}, {us}});
  }
  SECTION("a class whose home has no record is answered by on-block alone, nothing is pending") {
    const auto out = rule(made);
    CHECK(out.now("CH") == Answered{ChoiceKind::nodata, ChoiceNote::held, {}});
    CHECK_FALSE(out.ruling.held);
    CHECK(out.ruling.made.empty());
  }
}

TEST_CASE("gate: a hard service without a home answers nothing", "[zones][gate]") {
  Service made = seed_service();
  made.home.reset();
  CHECK(rule(made).now().kind == ChoiceKind::nodata);
}

TEST_CASE("gate: nearest with a limit never goes beyond it", "[zones][gate]") {
  Service made =
      service("cdn", Residency::none,
              {record(eu, 100, "c.eu.example.net"), record(us, 100, "c.us.example.net")});
  made.route = RouteNearest{{eu, us}, 1};
  add_check(made, 0);
  const auto out = rule(made, {.failing = {true}});
  CHECK(out.now("DE") == records({{"eu", 100}}, ChoiceNote::all_down));
  CHECK(out.now("US") == records({{"us", 100}}));
}
