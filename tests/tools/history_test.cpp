// The history of checks: what is written is told, over restarts, and nothing is made up.
#include "tools/history.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/temp_folder.h"
#include "tools/history_report.h"

using namespace demarc;
using namespace demarc::tools;
using namespace std::chrono_literals;
using demarc::testing::TempFolder;
using nlohmann::json;

namespace {

WallTime at(Milliseconds since_start) {
  return WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)) + 12h + since_start;
}

health::VerdictChange change(Milliseconds when, std::string key, zones::Verdict from,
                             zones::Verdict to, std::string detail = "HTTP 503") {
  return {.key = std::move(key),
          .from = from,
          .to = to,
          .reason = health::TransitionReason::fell,
          .detail = std::move(detail),
          .at = {at(when), MonotonicTime{}}};
}

health::CheckState state(std::string key, unsigned passes, std::chrono::microseconds latency) {
  health::CheckState made{.key = std::move(key)};
  for (unsigned i = 0; i < passes; ++i) made.latencies.add(latency);
  return made;
}

json report(const TempFolder& folder, Milliseconds since, Milliseconds now,
            const std::string& part = {}) {
  const auto found = read_history(folder.path() + "/history.db", {part, at(since), at(now)});
  REQUIRE(found);
  return *found;
}

json row_of(const json& report, const std::string& check) {
  for (const json& row : report["checks"]) {
    if (row["check"] == check) return row;
  }
  return {};
}

constexpr auto up = zones::Verdict::up;
constexpr auto down = zones::Verdict::down;
constexpr auto unknown = zones::Verdict::unknown;

std::unique_ptr<History> opened(const TempFolder& folder, Milliseconds now,
                                const std::map<std::string, std::string>& restored = {}) {
  return History::open(folder.path() + "/history.db", 24h * 92, at(now), restored);
}

}  // namespace

TEST_CASE("history: time down, changes and evidence of each check", "[history]") {
  const TempFolder folder;
  {
    const auto history = opened(folder, 0s);
    REQUIRE(history);
    history->note({change(10s, "api/eu", unknown, up, "HTTP 200"),
                   change(10s, "api/us", unknown, up, "HTTP 200")},
                  at(10s));
    history->note({change(100s, "api/eu", up, down)}, at(100s));
    history->note({change(160s, "api/eu", down, up, "HTTP 200")}, at(160s));
  }
  const json all = report(folder, 0s, 210s);
  const json eu = row_of(all, "api/eu");
  CHECK(eu["verdict"] == "up");
  CHECK(eu["changes"] == 3);
  CHECK(eu["down-ms"] == 60'000);
  CHECK(eu["known-ms"] == 200'000);
  CHECK(eu["last-change"]["detail"] == "HTTP 200");
  CHECK(row_of(all, "api/us")["down-ms"] == 0);
  REQUIRE(all["changes"].size() == 4);
  CHECK(all["changes"][0]["at"] == "2026-11-24T12:02:40.000Z");
  CHECK(all["changes"][1]["detail"] == "HTTP 503");
  CHECK(history_text(all).find("api/eu") != std::string::npos);
  CHECK(history_text(all).find("70.000") != std::string::npos);

  SECTION("a window that begins in the middle knows how things stood then") {
    const json late = report(folder, 130s, 170s);
    CHECK(row_of(late, "api/eu")["down-ms"] == 30'000);
    CHECK(row_of(late, "api/eu")["known-ms"] == 40'000);
    CHECK(row_of(late, "api/eu")["changes"] == 1);
    CHECK(row_of(late, "api/us")["changes"] == 0);
    CHECK(late["changes"].size() == 1);
  }
  SECTION("some of the checks") {
    const json us = report(folder, 0s, 210s, "/us");
    CHECK(us["checks"].size() == 1);
    CHECK(us["changes"].size() == 1);
    CHECK(history_text(report(folder, 0s, 210s, "nobody")).find("no check") != std::string::npos);
  }
}

TEST_CASE("history: while the server is away a check is neither up nor down", "[history]") {
  const TempFolder folder;
  {
    const auto history = opened(folder, 0s);
    history->note({change(0s, "api/eu", unknown, down), change(0s, "api/us", unknown, down)},
                  at(50s));
  }
  {
    const auto history = opened(folder, 1000s, {{"api/eu", "down"}});
    history->note({change(1100s, "api/us", unknown, up)}, at(1100s));
  }
  const json all = report(folder, 0s, 1200s);
  CHECK(row_of(all, "api/eu")["down-ms"] == 50'000 + 200'000);
  CHECK(row_of(all, "api/us")["down-ms"] == 50'000);
  CHECK(row_of(all, "api/us")["known-ms"] == 150'000);
  CHECK(history_text(all).find("the server stopped") != std::string::npos);
  CHECK(row_of(report(folder, 500s, 900s), "api/eu")["known-ms"] == 0);
}

TEST_CASE("history: probe times add up over restarts and targets that begin anew", "[history]") {
  const TempFolder folder;
  {
    const auto history = opened(folder, 0s);
    CHECK_FALSE(history->wants_latencies(at(59s)));
    CHECK(history->wants_latencies(at(60s)));
    history->note_latencies({state("api/eu", 90, 1ms)}, at(60s));
    CHECK_FALSE(history->wants_latencies(at(61s)));
    history->note_latencies({state("api/eu", 95, 1ms)}, at(120s));
  }
  {
    const auto history = opened(folder, 200s);
    history->note_latencies({state("api/eu", 5, 80ms)}, at(260s));
    history->note_latencies({state("api/eu", 2, 80ms)}, at(320s));
  }
  const json eu = row_of(report(folder, 0s, 400s), "api/eu");
  CHECK(eu["probes-passed"] == 95 + 5 + 2);
  CHECK(eu["latency-us"]["p50"].get<int>() < 1500);
  CHECK(eu["latency-us"]["p99"].get<int>() >= 80'000);
  CHECK(row_of(report(folder, 24h, 25h), "api/eu").is_null());
}

TEST_CASE("history: a check that the configuration has no more is not down for ever", "[history]") {
  const TempFolder folder;
  {
    const auto history = opened(folder, 0s, {{"old/eu", "down"}});
    history->note({change(0s, "api/eu", unknown, down), change(0s, "api/us", unknown, down)},
                  at(0s));
    history->note_latencies({state("api/us", 0, 1ms)}, at(60s));
    history->note_latencies({state("api/us", 0, 1ms)}, at(120s));
  }
  const json all = report(folder, 0s, 600s);
  for (const char* const gone : {"api/eu", "old/eu"}) {
    CHECK(row_of(all, gone)["down-ms"] == 60'000);
    CHECK(row_of(all, gone)["verdict"] == "removed");
    CHECK(row_of(all, gone)["changes"] == 2);
  }
  CHECK(row_of(all, "api/us")["down-ms"] == 120'000 + 480'000);
}

TEST_CASE("history: what is too old is forgotten", "[history]") {
  const TempFolder folder;
  {
    const auto history = History::open(folder.path() + "/history.db", 24h, at(0s), {});
    history->note({change(0s, "api/eu", unknown, down)}, at(0s));
    history->note_latencies({state("api/eu", 5, 80ms)}, at(60s));
  }
  {
    const auto history = History::open(folder.path() + "/history.db", 24h, at(72h), {});
  }
  const json all = report(folder, 0s, 72h);
  CHECK(row_of(all, "api/eu").is_null());
}

TEST_CASE("history: a file that is none is put aside", "[history]") {
  const TempFolder folder;
  folder.write("history.db", std::string(5000, 'x'));
  {
    CHECK(opened(folder, 0s));
  }
  CHECK(report(folder, 0s, 1s)["checks"].empty());
  CHECK(std::filesystem::file_size(folder.path() + "/history.db.bad") == 5000);
}

TEST_CASE("history: without a place to write there is none, and nothing else fails", "[history]") {
  const TempFolder folder;
  CHECK_FALSE(History::open(folder.path() + "/no/history.db", 24h, at(0s), {}));
  const auto none = read_history(folder.path() + "/history.db", {"", at(0s), at(1s)});
  REQUIRE_FALSE(none);
  CHECK(none.error().find("history: ") == 0);
}
