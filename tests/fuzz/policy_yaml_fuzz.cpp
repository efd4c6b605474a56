// Fuzzes zones/yaml/policy_file.h and zones/yaml/networks_file.h. The law: what is read without a
// finding has all that the model needs, and every country is one that exists.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "geo/countries.h"
#include "zones/yaml/networks_file.h"
#include "zones/yaml/policy_file.h"
#include "zones/yaml/syntax.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace demarc::zones::yaml;
  const std::string text(reinterpret_cast<const char*>(data), size);
  demarc::Diagnostics syntax;
  const auto tree = parse_syntax(text, "fuzz.yaml", syntax);
  if (!tree) return 0;

  demarc::Diagnostics findings;
  const PolicyFile policy = read_policy_file(Reading{"policy.yaml", findings}, *tree);
  for (const JurisdictionEntry& jurisdiction : policy.jurisdictions) {
    for (const auto& country : jurisdiction.countries) {
      require(demarc::geo::find_country(country.value) != nullptr);
    }
    require(findings.has_errors() || !jurisdiction.countries.empty());
  }
  for (const RegionEntry& region : policy.regions) {
    require(findings.has_errors() || !region.jurisdiction.value.empty());
  }

  demarc::Diagnostics network_findings;
  const auto overrides = read_networks_file(Reading{"networks.yaml", network_findings}, *tree);
  for (const auto& line : overrides) {
    require(demarc::geo::masked(line.network.address, line.network.length) == line.network.address);
  }
  return 0;
}
