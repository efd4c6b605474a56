// `leash` in policy.yaml and in services: defaults, inheritance, what is refused.
#include <catch2/catch.hpp>

#include "tests/zones/findings.h"
#include "zones/repository.h"

namespace demarc::testing {
namespace {

using namespace std::chrono_literals;
using zones::LeashSettings;

const std::string records =
    "    residency: hard\n    home: EU\n    records:\n"
    "      - { region: eu, weight: 100, endpoint: api.eu.example.net, addresses: 192.0.2.1 }\n";

Files with(const std::string& policy, const std::string& service) {
  return {{"policy.yaml", small_policy + policy},
          {"zones/a.yaml", small_zone + "services:\n  api:\n" + records + service}};
}

}  // namespace

TEST_CASE("leash: a service has the policy's settings, and its own over them", "[zones][yaml]") {
  Diagnostics diagnostics;
  const auto repository =
      load(with("leash: { removed-per-minute: 20%, failback-delay: 1m, slow-start: 5m,\n"
                "  failback: manual, flap: { half-life: 5m, suppress: 3000, reuse: 500 },\n"
                "  mass-failure: { share: 60%, window: 30s } }\n",
                "    leash: { removed-per-minute: 50%, min-healthy: 40%, failback: auto }\n"
                "    health-checks: [{ endpoint: api.eu.example.net, canary: true }]\n"),
           diagnostics);
  CHECK(lines_of(diagnostics).empty());
  REQUIRE(repository);
  CHECK(repository->policy.leash.removed_per_minute == 20);
  CHECK(repository->policy.leash.failback_by_hand);
  CHECK(repository->policy.mass_failure == zones::MassFailureSettings{60, 30s});
  const LeashSettings& leash = repository->services.at(0).leash;
  CHECK(leash.removed_per_minute == 50);
  CHECK(leash.min_healthy == 40);
  CHECK(leash.failover_delay == 0s);
  CHECK(leash.failback_delay == 1min);
  CHECK(leash.slow_start == 5min);
  CHECK(leash.flap == zones::FlapSettings{5min, 3000, 500});
  CHECK_FALSE(leash.failback_by_hand);
  CHECK(repository->services.at(0).checks.at(0).is_canary);

  const auto bare = load(with("", ""), diagnostics);
  REQUIRE(bare);
  CHECK(bare->services.at(0).leash == LeashSettings{});
}

TEST_CASE("leash: what is refused, and where", "[zones][yaml]") {
  const auto first = [](const std::string& policy, const std::string& service) {
    const auto lines = findings(with(policy, service));
    REQUIRE_FALSE(lines.empty());
    const std::string& line = lines.front();
    const auto from = line.find('[');
    return line.substr(from, line.find(']') - from + 1);
  };
  for (const char* text : {"removed-per-minute: 0%", "removed-per-minute: 101%", "min-healthy: 101",
                           "min-healthy: x", "mass-failure: { share: 0% }"}) {
    CAPTURE(text);
    CHECK(first("leash: { " + std::string(text) + " }\n", "") == "[bad-percent]");
  }
  for (const char* text : {"failover-delay: 25h", "failback-delay: 5", "slow-start: -1s",
                           "flap: { half-life: 1ms }", "mass-failure: { window: 0s }"}) {
    CAPTURE(text);
    CHECK(first("leash: { " + std::string(text) + " }\n", "") == "[bad-duration]");
  }
  CHECK(first("leash: { flap: { suppress: 800, reuse: 800 } }\n", "") == "[bad-flap]");
  CHECK(first("leash: { flap: { suppress: 1600, reuse: 100 } }\n", "") == "[bad-flap]");
  CHECK(first("leash: { failback: never }\n", "") == "[bad-choice]");
  CHECK(first("", "    leash: { mass-failure: { share: 50% } }\n") == "[unknown-key]");
}

}  // namespace demarc::testing
