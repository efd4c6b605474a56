#include "zones/plan.h"

#include <catch2/catch.hpp>

#include "tests/zones/world.h"

using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

using Weights = std::vector<std::uint16_t>;

Weights weights(Service made, std::vector<bool> failing, std::vector<bool> drained = {}) {
  const Repository repository = repository_of({std::move(made)});
  Conditions conditions = calm(repository.services[0]);
  conditions.check_failing = std::move(failing);
  if (!drained.empty()) conditions.record_drained = std::move(drained);
  return make_plan(repository, ServiceId{0}, conditions).weights;
}

}  // namespace

TEST_CASE("plan: failing checks apply their on-fail in file order onto the base", "[zones][plan]") {
  Service made = service("api", Residency::none,
                         {record(eu, 100, "a.eu.example.net"), record(eu2, 50, "a.eu2.example.net"),
                          record(us, 0, "a.us.example.net")});
  add_check(made, 0, std::vector<SetWeight>{{RecordId{0}, 0}, {RecordId{2}, 10}});
  add_check(made, 1, std::vector<SetWeight>{{RecordId{1}, 0}, {RecordId{2}, 70}});
  CHECK(weights(made, {false, false}) == Weights{100, 50, 0});
  CHECK(weights(made, {true, false}) == Weights{0, 50, 10});
  CHECK(weights(made, {false, true}) == Weights{100, 0, 70});
  CHECK(weights(made, {true, true}) == Weights{0, 0, 70});
}

TEST_CASE("plan: a down record without on-fail loses its weight", "[zones][plan]") {
  Service made = seed_service(Residency::none);
  made.checks.clear();
  add_check(made, 0);
  CHECK(weights(made, {true}) == Weights{0, 0});
}

TEST_CASE("plan: on-fail does not lift a record that is down itself", "[zones][plan]") {
  Service made = seed_service(Residency::none);
  add_check(made, 1);
  CHECK(weights(made, {true, true}) == Weights{0, 0});
}

TEST_CASE("plan: quorum says how many checks make a record down", "[zones][plan]") {
  Service made = service("api", Residency::none, {record(eu, 100, "a.eu.example.net")});
  add_check(made, 0);
  add_check(made, 0);
  CHECK(weights(made, {true, false}) == Weights{0});
  made.quorum = 2;
  CHECK(weights(made, {true, false}) == Weights{100});
  CHECK(weights(made, {true, true}) == Weights{0});
  made.quorum = 9;  // more than there are: all of them
  CHECK(weights(made, {true, true}) == Weights{0});
}

TEST_CASE("plan: a drained record has no weight, whatever health says", "[zones][plan]") {
  CHECK(weights(seed_service(), {false}, {true, false}) == Weights{0, 0});
  CHECK(weights(seed_service(), {true}, {false, true}) == Weights{0, 0});
}

TEST_CASE("plan: votes weigh what checks say, and none is only heard through others",
          "[zones][plan]") {
  Service made = service("api", Residency::none, {record(eu, 100, "a.eu.example.net")});
  for (const unsigned votes : {2U, 1U, 0U}) {
    add_check(made, 0);
    made.checks.back().votes = votes;
  }
  made.quorum = 2;
  CHECK(weights(made, {true, false, false}) == Weights{0});
  CHECK(weights(made, {false, true, true}) == Weights{100});
  made.quorum = 9;
  CHECK(weights(made, {true, false, true}) == Weights{100});
  CHECK(weights(made, {true, true, false}) == Weights{0});
}

TEST_CASE("plan: a degraded record keeps a part of its weight, and never nothing",
          "[zones][plan]") {
  Service made = service("api", Residency::none,
                         {record(eu, 100, "a.eu.example.net"), record(eu2, 1, "a.eu2.example.net"),
                          record(us, 0, "a.us.example.net")});
  for (std::size_t i = 0; i < 3; ++i) add_check(made, i);
  made.degraded_weight = 30;
  const auto degraded = [&](std::vector<bool> which, std::vector<bool> failing) {
    const Repository repository = repository_of({made});
    Conditions conditions = calm(repository.services[0]);
    conditions.check_degraded = std::move(which);
    conditions.check_failing = std::move(failing);
    return make_plan(repository, ServiceId{0}, conditions);
  };
  const std::vector<bool> none(3, false), all(3, true);
  CHECK(degraded(all, none).weights == Weights{30, 1, 0});
  CHECK(degraded(all, none).usable == std::vector<bool>{true, true, true});
  CHECK(degraded({true, false, false}, none).weights == Weights{30, 1, 0});
  CHECK(degraded(all, {true, false, false}).weights == Weights{0, 1, 0});
  made.checks[0].votes = 0;
  CHECK(degraded(all, none).weights == Weights{100, 1, 0});
}
