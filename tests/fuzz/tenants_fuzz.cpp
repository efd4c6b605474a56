// Fuzzes zones/tenants_csv.h, zones/yaml/tenants_file.h and zones/tenant_classes.h. The law: a line
// is refused or becomes a tenant that is found again, and no hard one is ever sent outside its
// home.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "zones/tenant_classes.h"
#include "zones/tenant_export.h"
#include "zones/tenants_csv.h"
#include "zones/yaml/tenants_file.h"

namespace {

using namespace demarc::zones;

void require(bool holds) {
  if (!holds) std::abort();
}

Repository small_repository() {
  Repository repository;
  repository.policy.jurisdictions = {{"EU", {}, {}}, {"US", {}, {}}};
  repository.policy.regions = {
      {"eu", JurisdictionId{0}, {}}, {"eu2", JurisdictionId{0}, {}}, {"us", JurisdictionId{1}, {}}};
  Service service;
  service.label = "api";
  service.owner = *Name::parse_absolute("api.example.com");
  service.residency = Residency::soft;
  service.home_kind = HomeKind::tenant;
  service.home = JurisdictionId{0};
  for (std::uint16_t region = 0; region < 3; ++region) {
    Record record;
    record.region = RegionId{region};
    record.weight = 10;
    service.records.push_back(record);
  }
  repository.services.push_back(service);
  return repository;
}

class Tenants {
 public:
  Tenants() : repository_(small_repository()), classes_(repository_, builder_) {
    set_ = builder_.set_of(ServiceId{0}, {TenantLabels::both, "a key for fuzzing"});
  }

  void add(std::string_view name, const TenantWords& words) {
    auto sort = classes_.resolve(ServiceId{0}, words);
    if (!sort) return require(!sort.error().rule.empty() && !sort.error().text.empty());
    sort->set = set_;
    if (name.empty() || name.size() > 63) return;
    const auto kind = classes_.kind_of(*sort, name, [] { return demarc::Place{}; });
    require(kind.has_value());  // there are far fewer classes than the limit
    require(builder_.add(set_, name, *kind, {}));
  }

  void check() {
    if (!builder_.order_lines(1).empty()) return;
    const TenantMap& map = builder_.finish(repository_);
    for (TenantId id{0, 0}; id.line < map.size_of(0); ++id.line) {
      require(map.find(ServiceId{0}, map.name(id)) == id);
      const TenantKind& kind = map.kind(id);
      const RegionId first = kind.regions.at(0);
      const JurisdictionId where = repository_.policy.region(first).jurisdiction;
      require(kind.residency != Residency::hard || where == kind.home);
      require(!kind.regulated || kind.placement == Placement::line);
      require(repository_.service(kind.tenant_class).home == kind.home);
    }
  }

 private:
  Repository repository_;
  TenantMapBuilder builder_;
  TenantClasses classes_;
  std::size_t set_ = 0;
};

void check_places(const demarc::Diagnostics& diagnostics, std::size_t size) {
  for (const demarc::Diagnostic& finding : diagnostics.list()) {
    require(finding.place.line <= size + 1 && !finding.text.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  Tenants from_csv;
  demarc::Diagnostics csv;
  bool has_sensitivity = false;
  (void)read_tenant_rows(text, "fuzz.csv", csv, has_sensitivity, [&](const TenantRow& row) {
    TenantWords words;
    if (split_words(row.rest, has_sensitivity, words)) from_csv.add(row.tenant, words);
  });
  check_places(csv, size);
  from_csv.check();

  Tenants from_yaml;
  demarc::Diagnostics yaml;
  (void)yaml::read_tenants_file(yaml::Reading{"fuzz.yaml", yaml}, text,
                                [&](const yaml::TenantEntry& entry) {
                                  TenantWords words;
                                  std::ranges::copy(entry.words, words.begin());
                                  from_yaml.add(entry.tenant.value, words);
                                });
  check_places(yaml, size);
  from_yaml.check();
  return 0;
}
