// The example repository, which the README's first command serves, loads without a finding.
#include <catch2/catch.hpp>

#include "tests/zones/findings.h"

namespace demarc::zones {
namespace {

TEST_CASE("example: loads without a finding", "[zones][example]") {
  Diagnostics diagnostics;
  const auto repository = load_repository(DEMARC_SOURCE_DIR "/zones/example", diagnostics);
  CHECK(demarc::testing::lines_of(diagnostics).empty());
  REQUIRE(repository != nullptr);
  CHECK(repository->overrides.size() == 1);
  REQUIRE(repository->policy.approvals);
  CHECK(repository->policy.approvals->audience == "demarc-example");
}

TEST_CASE("example: shows every kind of residency and route", "[zones][example]") {
  Diagnostics diagnostics;
  const auto repository = load_repository(DEMARC_SOURCE_DIR "/zones/example", diagnostics);
  REQUIRE(repository != nullptr);
  const auto service = [&](const char* owner) -> const Service& {
    const auto id = repository->find_service(Name::parse_absolute(owner).value());
    REQUIRE(id);
    return repository->service(*id);
  };
  CHECK(service("api.example.com").residency == Residency::hard);
  CHECK(service("api.example.com").home_kind == HomeKind::jurisdiction);
  CHECK(service("shop.example.com").residency == Residency::soft);
  CHECK(service("accounts.example.com").home_kind == HomeKind::client);
  CHECK(std::holds_alternative<RouteNearest>(service("cdn.example.com").route));
  CHECK(std::holds_alternative<RouteLines>(service("www.example.com").route));
}

}  // namespace
}  // namespace demarc::zones
