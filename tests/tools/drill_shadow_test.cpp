// Drills in shadow: the example's scenario end to end on a virtual clock, and what must not be
// missed.
#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/support/temp_folder.h"
#include "tools/drill_evidence.h"
#include "tools/drill_files.h"
#include "zones/drill/judge.h"
#include "zones/drill/report_json.h"
#include "zones/drill/shadow.h"

namespace demarc::testing {
namespace {

using namespace zones::drill;

const WallTime started{Milliseconds(1'800'000'000'000)};

Report run(const std::string& path, std::uint64_t seed = 1) {
  auto files = tools::load_drill(path, DEMARC_SOURCE_DIR "/zones/example", false);
  if (!files) FAIL(files.error().front());
  auto evidence = tools::make_evidence(files->scenario, *files->repository, seed);
  auto report = run_shadow({.scenario = files->scenario,
                            .repository = std::move(files->repository),
                            .evidence = std::move(evidence),
                            .token_files = files->token_files,
                            .started = started,
                            .seed = seed,
                            .scenario_digest = files->scenario_digest});
  if (!report) FAIL(report.error());
  return std::move(*report);
}

Report run_text(const std::string& scenario, std::uint64_t seed = 1) {
  const TempFolder folder;
  folder.write("d.yaml", scenario);
  return run(folder.path() + "/d.yaml", seed);
}

const std::string example = DEMARC_SOURCE_DIR "/zones/example/drills/eu-down.yaml";

const Recovery& recovery_of(const Report& report, const std::string& service) {
  const auto found = std::ranges::find(report.recoveries, service, &Recovery::service);
  REQUIRE(found != report.recoveries.end());
  return *found;
}

std::vector<std::string> kinds(const Report& report) {
  std::vector<std::string> kinds;
  for (const Decision& decision : report.decisions) kinds.push_back(decision.kind);
  return kinds;
}

TEST_CASE("shadow: the shop moves, the API waits for its token, both come home", "[tools][drill]") {
  const Report report = run(example);
  CHECK(report.passed);
  CHECK(report.violations.empty());
  CHECK(report.expected.size() == 5);

  const Recovery& shop = recovery_of(report, "shop.example.com");
  REQUIRE(shop.detected);
  // Two failed probes of 1 s and a timeout of 500 ms: never earlier than one, never later than all.
  CHECK(*shop.detected > Milliseconds(1000));
  CHECK(*shop.detected <= Milliseconds(2500));
  CHECK(shop.decided == shop.detected);
  CHECK(shop.measured == *shop.detected + Milliseconds(10) + Milliseconds(30'000));
  CHECK(shop.worst == Milliseconds(2500 + 10 + 30'000));
  CHECK(shop.how == "moved to us-east");
  REQUIRE(shop.back);
  CHECK(*shop.back <= Milliseconds(2100));

  const Recovery& api = recovery_of(report, "api.example.com");
  CHECK(api.decided == Milliseconds(300'000));
  CHECK(api.measured == Milliseconds(330'010));
  CHECK(api.how.starts_with("under grant-"));
  CHECK(api.met);

  const auto all = kinds(report);
  for (const char* kind : {"failover-wanted", "crossing-held", "grant-accepted", "crossing-made",
                           "crossing-ended", "soft-crossing-begun", "soft-crossing-ended"}) {
    CAPTURE(kind);
    CHECK(std::ranges::count(all, kind) == 1);
  }
}

TEST_CASE("shadow: the same run makes the same report", "[tools][drill]") {
  const std::string once = write_report(run(example));
  CHECK(write_report(run(example)) == once);
  const Report other = run(example, 2);
  CHECK(other.passed);
  CHECK(write_report(other) != once);  // other phases, another detection
}

TEST_CASE("shadow: no phase of the probes detects later than the worst case", "[tools][drill]") {
  const std::string scenario =
      "drill: d\nservices: [shop]\ntimeline: [{ at: 0s, fail: shop.eu.example.net }]\nlasts: 1m\n";
  Milliseconds latest{0};
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Report report = run_text(scenario, seed);
    REQUIRE(report.recoveries.size() == 1);
    const Recovery& shop = report.recoveries[0];
    REQUIRE(shop.detected);
    CHECK(*shop.measured <= *shop.worst);
    latest = std::max(latest, *shop.detected);
  }
  CHECK(latest > Milliseconds(1900));  // the bound is no fantasy
}

TEST_CASE("shadow: without a token the API stays at home and misses its objective",
          "[tools][drill]") {
  const Report report = run_text(
      "drill: d\nservices: [api]\ntimeline: [{ at: 0s, fail: eu, how: refused }]\nlasts: 20m\n");
  CHECK_FALSE(report.passed);
  CHECK(report.violations.empty());
  const Recovery& api = recovery_of(report, "api.example.com");
  CHECK_FALSE(api.measured);
  CHECK_FALSE(api.met);
  CHECK(api.how == "not recovered");
  REQUIRE_FALSE(report.lanes.empty());
  CHECK(report.lanes[0].spans.back().answer.note == zones::ChoiceNote::held);
  CHECK(report.lanes[0].spans.back().answer.regions == std::vector<std::string>{"eu"});
}

TEST_CASE("shadow: an endpoint that comes back ends the outage", "[tools][drill]") {
  const Report report = run_text(
      "drill: d\nservices: [api]\n"
      "timeline: [{ at: 0s, fail: eu }, { at: 2m, recover: eu }]\nlasts: 5m\n");
  CHECK(report.passed);
  const Recovery& api = recovery_of(report, "api.example.com");
  CHECK(api.measured == Milliseconds(120'000));
  CHECK(api.how == "the endpoint came back");
}

TEST_CASE("shadow: a grant ends on time, a freeze refuses tokens, a revocation takes back",
          "[tools][drill]") {
  const std::string head = "drill: d\nservices: [api]\nlasts: 10m\n";
  const std::string token =
      "token: { signed-by: legal-1, service: api, from: eu, to: global-failover, for: 2m, id: t }";
  const auto note_at_end = [](const Report& report) {
    return report.lanes.at(0).spans.back().answer.note;
  };
  const Report ended =
      run_text(head + "timeline:\n  - { at: 0s, fail: eu }\n  - { at: 1m, " + token + " }\n" +
               "expect:\n  - { at: 179s, service: api, crossing: true }\n"
               "  - { at: 3m, service: api, held: true, crossing: false }\n");
  CHECK(std::ranges::all_of(ended.expected, &Expected::met));
  CHECK(ended.violations.empty());
  const Report frozen =
      run_text(head + "timeline:\n  - { at: 0s, fail: eu }\n" +
               "  - { at: 30s, freeze: hands off }\n  - { at: 1m, " + token + " }\n");
  CHECK(std::ranges::count(kinds(frozen), "token-refused") == 1);
  CHECK(std::ranges::count(kinds(frozen), "crossing-made") == 0);
  const Report revoked = run_text(head + "timeline:\n  - { at: 0s, fail: eu }\n  - { at: 1m, " +
                                  token + " }\n  - { at: 2m, revoke: t }\n" +
                                  "expect: [{ at: 2m, service: api, crossing: false }]\n");
  CHECK(revoked.expected.at(0).met);
  CHECK(note_at_end(revoked) == zones::ChoiceNote::held);
}

TEST_CASE("shadow: a drain moves the shop at once", "[tools][drill]") {
  const Report report = run_text(
      "drill: d\nservices: [shop, api]\nlasts: 5m\n"
      "timeline: [{ at: 10s, drain: eu, service: shop, for: 1m }]\n"
      "expect:\n  - { at: 10s, service: shop, answers: us-east }\n"
      "  - { at: 10s, service: api, answers: eu }\n  - { at: 70s, service: shop, answers: eu }\n");
  CHECK(report.passed);
}

TEST_CASE("sight: a planted violation is found, a covered crossing is none", "[tools][drill]") {
  const auto files = tools::load_drill(example, DEMARC_SOURCE_DIR "/zones/example", false);
  REQUIRE(files);
  const zones::Repository& repository = *files->repository;
  const auto api = *repository.find_service(*zones::Name::parse_absolute("api.example.com"));
  const auto shop = *repository.find_service(*zones::Name::parse_absolute("shop.example.com"));
  const auto accounts =
      *repository.find_service(*zones::Name::parse_absolute("accounts.example.com"));
  const Client de = client_of(*geo::parse_code2("DE")), ch = client_of(*geo::parse_code2("CH"));
  const Client unknown{"unknown", {}};
  const auto answer = [](const char* region) {
    Answer made;
    made.regions = {region};
    return made;
  };
  const auto breaks = [&](zones::ServiceId id, const Client& client, const Answer& given,
                          const std::vector<Covering>& grants = {}) {
    return !find_violation(repository, id, client, given, grants, started).empty();
  };
  CHECK(breaks(api, de, answer("global-failover")));
  CHECK(breaks(api, de, answer("no-such-region")));
  CHECK_FALSE(breaks(api, de, answer("eu")));
  CHECK_FALSE(breaks(api, de, answer("ch")));            // the standby approved beforehand
  CHECK_FALSE(breaks(shop, de, answer("us-east")));      // soft
  CHECK(breaks(accounts, ch, answer("eu")));             // CH's clients have no standby in the EU
  CHECK_FALSE(breaks(accounts, unknown, answer("eu")));  // the default home
  Answer mixed = answer("eu");
  mixed.rest = {"api.global-failover.example"};
  CHECK(breaks(api, de, mixed));

  const Covering grant{
      "api.example.com", {"global-failover"}, zones::Mode::full_write, started + Milliseconds(1)};
  CHECK_FALSE(breaks(api, de, answer("global-failover"), {grant}));
  Covering wrong = grant;
  wrong.ends = started;  // its end is exclusive
  CHECK(breaks(api, de, answer("global-failover"), {wrong}));
  wrong = grant;
  wrong.mode = zones::Mode::scoped_write;
  CHECK(breaks(api, de, answer("global-failover"), {wrong}));
  wrong = grant;
  wrong.service = "shop.example.com";
  CHECK(breaks(api, de, answer("global-failover"), {wrong}));
  wrong = grant;
  wrong.to = {"us-east"};
  CHECK(breaks(api, de, answer("global-failover"), {wrong}));
}

TEST_CASE("judge: the worst case adds every part of the failover", "[tools][drill]") {
  zones::HealthCheck check;
  const auto [name, interval, timeout, fall, ttl, expected] =
      GENERATE(table<const char*, int, int, unsigned, int, int>({
          {"defaults", 10'000, 4'000, 3, 30, 64'010},
          {"one failure is enough", 10'000, 2'000, 1, 30, 42'010},
          {"a TTL of 0 leaves probing", 1'000, 500, 2, 0, 2'510},
      }));
  CAPTURE(name);
  check.interval = Milliseconds(interval);
  check.timeout = Milliseconds(timeout);
  check.fall = fall;
  CHECK(rto_worst_case(check, Seconds(ttl)) == Milliseconds(expected));
}

}  // namespace
}  // namespace demarc::testing
