// Placement by hash: shares follow weights, little moves, nothing ever leaves home.
#include <map>
#include <random>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/zones/findings.h"
#include "zones/rendezvous.h"
#include "zones/tenants.h"

namespace demarc::zones {
namespace {

constexpr int tenant_count = 20'000;

std::vector<Candidate> candidates(const std::vector<std::pair<std::string, std::uint64_t>>& list) {
  std::vector<Candidate> made;
  for (const auto& [name, weight] : list) {
    made.push_back(
        {RegionId(static_cast<std::uint16_t>(name.back() - '0')), region_hash(name), weight});
  }
  return made;
}

std::vector<RegionId> placements(const std::vector<Candidate>& list) {
  Sha256Stream stream;
  std::vector<RegionId> placed;
  for (int i = 0; i < tenant_count; ++i) {
    const auto tenant = tenant_hash(stream, "api.example.com", fmt::format("tenant-{}", i));
    placed.push_back(list[top_two(tenant, list).first].region);
  }
  return placed;
}

TEST_CASE("rendezvous: the numbers that other programs must get", "[zones][rendezvous]") {
  // Computed by an independent program from the recipe in zones/README.md.
  Sha256Stream stream;
  CHECK(region_hash("eu") == 0x4d0282941aaf2d69U);
  CHECK(tenant_hash(stream, "api.example.com", "acme") == 0x503b7b2e0fb53d0dU);
  CHECK(lateness(0x503b7b2e0fb53d0dU, 0x4d0282941aaf2d69U) == 32041656);
}

TEST_CASE("rendezvous: lateness is -log2 of the hash", "[zones][rendezvous]") {
  std::mt19937_64 random(7);
  double sum = 0;
  std::uint32_t least = ~0U;
  constexpr int rounds = 100'000;
  for (int i = 0; i < rounds; ++i) {
    const std::uint32_t late = lateness(random(), random());
    least = std::min(least, late);
    sum += static_cast<double>(late) / (1U << 24U);
  }
  CHECK(least >= 1);
  CHECK(sum / rounds == Approx(1.4427).epsilon(0.02));  // 1 / ln 2: an exponential distribution
}

TEST_CASE("rendezvous: shares follow weights", "[zones][rendezvous]") {
  const auto list = candidates({{"r1", 100}, {"r2", 50}, {"r3", 50}, {"r4", 200}});
  std::map<RegionId, int> count;
  for (const RegionId region : placements(list)) ++count[region];
  for (const Candidate& candidate : list) {
    const double share = static_cast<double>(candidate.weight) / 400;
    CHECK(count[candidate.region] == Approx(share * tenant_count).epsilon(0.05));
  }
}

TEST_CASE("rendezvous: a region that goes moves its own tenants alone, each to its second",
          "[zones][rendezvous]") {
  const auto all = candidates({{"r1", 100}, {"r2", 50}, {"r3", 50}});
  const auto left = candidates({{"r1", 100}, {"r3", 50}});
  const auto before = placements(all);
  const auto after = placements(left);
  Sha256Stream stream;
  int wrong = 0;
  for (int i = 0; i < tenant_count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto tenant = tenant_hash(stream, "api.example.com", fmt::format("tenant-{}", i));
    const auto order = rank(tenant, all);
    const auto top = top_two(tenant, all);
    wrong += order[0] != top.first || order[1] != top.second ? 1 : 0;
    const RegionId expected = before[at] == RegionId{2} ? all[top.second].region : before[at];
    wrong += after[at] != expected ? 1 : 0;
  }
  CHECK(wrong == 0);
}

TEST_CASE("rendezvous: more weight only attracts, less only repels", "[zones][rendezvous]") {
  const auto before = placements(candidates({{"r1", 100}, {"r2", 50}, {"r3", 50}}));
  const auto after = placements(candidates({{"r1", 100}, {"r2", 80}, {"r3", 50}}));
  int moved = 0, elsewhere = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] == after[i]) continue;
    ++moved;
    elsewhere += after[i] != RegionId{2} ? 1 : 0;
  }
  CHECK(elsewhere == 0);
  // From a share of 50/200 to 80/230.
  CHECK(moved == Approx((80.0 / 230 - 50.0 / 200) * tenant_count).epsilon(0.1));
}

TEST_CASE("rendezvous: no tenant is ever placed outside its home", "[zones][rendezvous]") {
  std::mt19937 random(20261123);
  for (int round = 0; round < 20; ++round) {
    // A random world: which region lies where, and what weighs how much.
    const std::vector<std::string> homes{"EU", "CH", "US"};
    std::string policy =
        "jurisdictions:\n  EU: { countries: [DE], approved-standby: [CH] }\n"
        "  CH: { countries: [CH] }\n  US: { countries: [US] }\nregions:\n";
    std::string records;
    std::map<std::string, std::string> home_of;
    std::map<std::string, bool> has_weight;
    for (int i = 0; i < 8; ++i) {
      const std::string region = fmt::format("r{}", i);
      const std::string home = i < 3 ? homes[static_cast<std::size_t>(i)] : homes[random() % 3];
      const auto weight = i < 3 ? 10 : random() % 3 * 50;
      home_of[region] = home;
      has_weight[region] = weight > 0;
      policy += fmt::format("  {}: {{ jurisdiction: {}, location: [1, {}] }}\n", region, home, i);
      records += fmt::format(
          "      - {{ region: {0}, weight: {1}, endpoint: {0}.example.net, addresses: 192.0.2.{2} "
          "}}\n",
          region, weight, i + 1);
    }
    std::string csv = "tenant,home,residency,region,regulated\n";
    for (int i = 0; i < 500; ++i) {
      csv += fmt::format("t{},{},{},,\n", i, homes[random() % 3], i % 2 == 0 ? "hard" : "");
    }
    Diagnostics diagnostics;
    const auto repository = demarc::testing::load(
        {{"policy.yaml", policy},
         {"zones/a.yaml", demarc::testing::service_head +
                              "    residency: soft\n    home: tenant\n    default-home: EU\n"
                              "    tenants: { labels: plain }\n    records:\n" +
                              records},
         {"tenants.yaml", "api.example.com: { files: t.csv }\n"},
         {"t.csv", csv}},
        diagnostics);
    for (const auto& finding : diagnostics.list()) UNSCOPED_INFO(finding.line());
    REQUIRE(repository);
    int wrong = 0;
    for (TenantId id{0, 0}; id.line < repository->tenants->size_of(0); ++id.line) {
      const TenantKind& kind = repository->tenants->kind(id);
      for (const RegionId region : kind.regions) {
        const std::string& name = repository->policy.region(region).name;
        wrong +=
            home_of[name] != repository->policy.jurisdiction(kind.home).name || !has_weight[name]
                ? 1
                : 0;
      }
      wrong += kind.regions.empty() ? 1 : 0;
      const Service& answering = repository->service(kind.tenant_class);
      wrong += answering.home != kind.home || answering.residency != kind.residency ? 1 : 0;
      wrong += std::get<RouteLines>(answering.route).lines[0].to[0] != kind.regions[0] ? 1 : 0;
    }
    CHECK(wrong == 0);
  }
}

}  // namespace
}  // namespace demarc::zones
