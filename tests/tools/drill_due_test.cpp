#include "tools/drill_due.h"

#include <catch2/catch.hpp>

using namespace demarc;
using namespace demarc::tools;

namespace {

using Days = std::chrono::days;

zones::Repository repository(zones::Residency residency) {
  zones::Repository made;
  made.services.resize(2);
  made.services[1].residency = residency;
  return made;
}

WallTime day(int number) { return WallTime{} + Days{number}; }

}  // namespace

TEST_CASE("drill due: a quarter after the last that passed, or after the first answer", "[tools]") {
  using zones::AlertLevel;
  using zones::Residency;
  struct Row {
    const char* name;
    Residency residency;
    DrillRecord record;
    int today;
    std::optional<AlertLevel> level;
  };
  const auto row = GENERATE(values<Row>({
      {"new node", Residency::hard, {{}, day(100)}, 100, {}},
      {"never drilled, a day before", Residency::hard, {{}, day(100)}, 191, {}},
      {"never drilled, on the day", Residency::hard, {{}, day(100)}, 192, AlertLevel::info},
      {"drilled lately", Residency::hard, {day(150), day(1)}, 241, {}},
      {"drilled too long ago", Residency::hard, {day(150), day(1)}, 242, AlertLevel::warning},
      {"soft services cross too", Residency::soft, {{}, day(1)}, 500, AlertLevel::info},
      {"no borders, nothing to practise", Residency::none, {{}, day(1)}, 500, {}},
  }));
  CAPTURE(row.name);
  const auto due = find_drill_due(repository(row.residency), row.record, day(row.today));
  REQUIRE(due.has_value() == row.level.has_value());
  if (!due) return;
  CHECK(due->level == *row.level);
  CHECK(due->key == "drill-due");
  CHECK(due->since == row.record.passed.value_or(row.record.serving_since) + Days{92});
  CHECK(due->details.options.size() == 1);
}

TEST_CASE("drill due: the policy's own time counts, and the text has the date", "[tools]") {
  auto strict = repository(zones::Residency::hard);
  strict.policy.drill_due = Days{7};
  CHECK_FALSE(find_drill_due(strict, {day(10), day(1)}, day(17) - Milliseconds{1}));
  const auto due = find_drill_due(strict, {day(10), day(1)}, day(17));
  REQUIRE(due);
  CHECK(due->text == "the last passed drill is of 1970-01-11: a drill is due every 7 days");
}
