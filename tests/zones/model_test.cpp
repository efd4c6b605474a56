// The model's questions: who is inside what, and what is found by its name.
#include "zones/model.h"

#include <catch2/catch.hpp>

namespace demarc::zones {
namespace {

Name name(const char* text) { return Name::parse_absolute(text).value(); }
geo::Code2 code(const char* text) { return geo::parse_code2(text).value(); }

Policy small_policy() {
  Policy policy;
  policy.jurisdictions = {{"EU", {code("DE"), code("FR")}, {JurisdictionId{1}}},
                          {"CH", {code("CH")}, {}}};
  policy.regions = {{"eu", JurisdictionId{0}, {}}, {"ch", JurisdictionId{1}, {}}};
  return policy;
}

TEST_CASE("policy: names and countries are found", "[zones][model]") {
  const Policy policy = small_policy();
  CHECK(policy.find_jurisdiction("CH") == JurisdictionId{1});
  CHECK_FALSE(policy.find_jurisdiction("ch"));
  CHECK(policy.find_region("ch") == RegionId{1});
  CHECK_FALSE(policy.find_region("us"));
  CHECK(policy.jurisdiction_of(code("FR")) == JurisdictionId{0});
  CHECK_FALSE(policy.jurisdiction_of(code("US")));
  CHECK_FALSE(policy.jurisdiction_of(geo::Code2{}));
}

TEST_CASE("policy: a standby is inside, one way only", "[zones][model]") {
  const Policy policy = small_policy();
  CHECK(policy.is_inside(JurisdictionId{0}, JurisdictionId{0}));
  CHECK(policy.is_inside(JurisdictionId{0}, JurisdictionId{1}));
  CHECK_FALSE(policy.is_inside(JurisdictionId{1}, JurisdictionId{0}));
}

TEST_CASE("repository: the longest apex and the exact owner are found", "[zones][model]") {
  Repository repository;
  repository.zones.resize(2);
  repository.zones[0].apex = name("example.com");
  repository.zones[1].apex = name("sub.example.com");
  repository.services.resize(1);
  repository.services[0].owner = name("api.example.com");
  CHECK(repository.find_zone(name("a.sub.example.com")) == &repository.zones[1]);
  CHECK(repository.find_zone(name("b.example.com")) == &repository.zones[0]);
  CHECK(repository.find_zone(name("example.net")) == nullptr);
  CHECK(repository.find_service(name("API.example.com.")) == ServiceId{0});
  CHECK_FALSE(repository.find_service(name("example.com")));
}

TEST_CASE("model: words are the ones of the files", "[zones][model]") {
  CHECK(to_text(Residency::none) == "none");
  CHECK(to_text(Residency::soft) == "soft");
  CHECK(to_text(Residency::hard) == "hard");
  CHECK(to_text(Access::read) == "read");
  CHECK(to_text(Access::scoped_write) == "scoped-write");
  CHECK(to_text(Access::write) == "write");
  for (const Mode mode : {Mode::read_only, Mode::scoped_write, Mode::full_write}) {
    CHECK(parse_mode(to_text(mode)) == mode);
  }
  CHECK_FALSE(parse_mode("write"));
}

}  // namespace
}  // namespace demarc::zones
