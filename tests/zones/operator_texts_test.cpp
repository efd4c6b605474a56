// What operators are told over DNS of health, gate and answering regions.
#include "zones/operator_texts.h"

#include <algorithm>

#include "tests/zones/token_story.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

using Lines = std::vector<std::string>;

constexpr ServiceId api{0};
constexpr ServiceId docs{1};
constexpr ServiceId news{2};

struct Story : TokenStory {
  using TokenStory::TokenStory;
  [[nodiscard]] const Repository& repository() const { return *configuration->repository; }
  [[nodiscard]] Lines health(ServiceId id) const {
    return health_lines(repository().policy, repository().service(id), steering.state());
  }
  [[nodiscard]] GateTexts gate(ServiceId id) const {
    return gate_texts(repository(), id, steering.state(), steering.published(id));
  }
  [[nodiscard]] Lines regions(ServiceId id) const {
    const ClearedWeights& cleared = *steering.published(id);
    return answering_regions(repository().policy, repository().service(id), cleared,
                             cleared.choice_of_variant());
  }
};

}  // namespace

TEST_CASE("operator texts: a line a record, with its verdict", "[zones][operator-names]") {
  Story story;
  const std::string eu_line = "v=demarc1 region=eu endpoint=api.eu.example.net verdict=";
  CHECK(story.health(api).at(0) == eu_line + "unknown weight=100");
  story.happens(VerdictFound{"example.com/api/api.eu.example.net", Verdict::up, ""});
  CHECK(story.health(api).at(0) == eu_line + "up weight=100");
  story.happens(VerdictFound{"example.com/api/api.eu.example.net", Verdict::stale, ""});
  CHECK(story.health(api).at(0) == eu_line + "stale weight=100");
  story.eu_down();
  CHECK(story.health(api).at(0) == eu_line + "down weight=100");
  CHECK(story.health(docs) ==
        Lines{"v=demarc1 region=eu endpoint=docs.eu.example.net verdict=unchecked weight=100",
              "v=demarc1 region=us endpoint=docs.us.example.net verdict=unchecked weight=0"});
}

TEST_CASE("operator texts: several checks of a record count by the quorum",
          "[zones][operator-names]") {
  Repository repository = tenant_repository();
  Service& service = repository.services[0];
  service.checks = {service.checks[0], service.checks[0]};
  service.checks[0].key = "one";
  service.checks[1].key = "two";
  SteeringState state;
  const auto verdict = [&](unsigned quorum, Verdict one, Verdict two) {
    service.quorum = quorum;
    state.checks["one"].verdict = one;
    state.checks["two"].verdict = two;
    const std::string line = health_lines(repository.policy, service, state).at(0);
    const auto at = line.find("verdict=") + 8;
    return line.substr(at, line.find(' ', at) - at);
  };
  CHECK(verdict(1, Verdict::down, Verdict::up) == "down");
  CHECK(verdict(2, Verdict::down, Verdict::up) == "degraded");
  CHECK(verdict(2, Verdict::down, Verdict::down) == "down");
  CHECK(verdict(9, Verdict::down, Verdict::down) == "down");
  CHECK(verdict(1, Verdict::degraded, Verdict::up) == "degraded");
  CHECK(verdict(1, Verdict::stale, Verdict::unknown) == "stale");
  CHECK(verdict(1, Verdict::unknown, Verdict::degraded) == "unknown");
  CHECK(verdict(1, Verdict::up, Verdict::up) == "up");
}

TEST_CASE("operator texts: many records and long names stay within bounds",
          "[zones][operator-names]") {
  Repository repository = tenant_repository();
  Service& service = repository.services[0];
  const std::string label(60, 'x');
  const auto long_name = Name::parse_absolute(label + "." + label + "." + label + "." + label);
  REQUIRE(long_name);
  service.records.assign(health_lines_max, service.records[0]);
  service.records[0].endpoint_name = *long_name;
  CHECK(health_lines(repository.policy, service, {}).size() == health_lines_max);
  service.records.resize(health_lines_max + 3, service.records[1]);
  const Lines lines = health_lines(repository.policy, service, {});
  CHECK(lines.size() == health_lines_max + 1);
  CHECK(lines.back() == "v=demarc1 more=3");
  CHECK(std::ranges::max(lines, {}, &std::string::size).size() == 255);
  CHECK(lines[0].ends_with(" verdict=unknown weight=100"));
}

TEST_CASE("operator texts: the gate tells home, what waits and what is signed",
          "[zones][operator-names]") {
  Story story;
  CHECK(story.gate(api).home == "v=demarc1 mode=home residency=hard home=EU pending=- standing=-");
  CHECK(story.gate(api).live.empty());
  CHECK(story.gate(news).home.starts_with("v=demarc1 mode=home residency=soft"));

  story.eu_down();
  REQUIRE_FALSE(story.steering.state().pending.empty());
  std::string waits;
  for (const auto& [id, change] : story.steering.state().pending) {
    if (change.service == "api.example.com") waits = id;
  }
  REQUIRE_FALSE(waits.empty());
  CHECK(story.gate(api).home.find(waits) != std::string::npos);
  CHECK(story.gate(docs).home.find("pending=- ") != std::string::npos);

  (void)story.present(story.token("legal-1", "t-1"));
  CHECK(story.gate(api).home.ends_with("standing=-"));  // one signature is no grant
  (void)story.present(story.token("sec-1", "t-2"));
  REQUIRE(story.live() == 1);
  const std::string grant = story.steering.state().grants.begin()->first;
  CHECK(story.gate(api).home.ends_with(" standing=" + grant + "@2026-11-23T13:00:00Z"));
  CHECK(
      story.gate(api).live.starts_with("v=demarc1 mode=full-write case=CASE-1 "
                                       "until=2026-11-23T13:00:00Z grant=" +
                                       grant + " residency=hard home=EU pending="));
  CHECK(story.regions(api) == Lines(story.regions(api).size(), "us"));
  CHECK(story.regions(docs).at(0) == "eu");
}

TEST_CASE("operator texts: more ids than are shown are counted", "[zones][operator-names]") {
  const Repository repository = tenant_repository();
  SteeringState state;
  for (std::size_t i = 0; i < gate_ids_max; ++i) {
    const std::string id = "chg-" + std::to_string(i);
    state.pending[id] = {.id = id, .zone = "example.com", .service = "api.example.com"};
  }
  CHECK(gate_texts(repository, api, state, nullptr).home ==
        "v=demarc1 mode=home residency=hard home=EU pending=chg-0,chg-1,chg-2,chg-3 standing=-");
  // A change of a class of its tenants is its own.
  state.pending["chg-8"] = {.id = "chg-8", .service = "api-class-1.example.com"};
  state.pending["chg-9"] = {.id = "chg-9", .service = "docs.example.com"};
  CHECK(gate_texts(repository, api, state, nullptr).home ==
        "v=demarc1 mode=home residency=hard home=EU pending=chg-0,chg-1,chg-2,chg-3,+1 standing=-");
}
