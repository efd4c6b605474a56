#include "zones/yaml/policy_model.h"

#include <algorithm>
#include <map>

#include "zones/digest.h"
#include "zones/yaml/approvals_model.h"
#include "zones/yaml/rules_model.h"

namespace demarc::zones::yaml {
namespace {

std::vector<std::string> names_of(const auto& items) {
  std::vector<std::string> names;
  for (const auto& item : items) names.push_back(item.name);
  return names;
}

void add_countries(const PolicyFile& file, const Reading& reading, Policy& policy) {
  std::map<geo::Code2, std::string> owners;
  for (std::size_t i = 0; i < file.jurisdictions.size(); ++i) {
    for (const auto& [code, at] : file.jurisdictions[i].countries) {
      const auto [owner, is_new] = owners.try_emplace(code, file.jurisdictions[i].name);
      if (is_new) {
        policy.jurisdictions[i].countries.push_back(code);
      } else {
        reading.error(at, "country-twice",
                      "country {} again, already in jurisdiction `{}`; expected it once",
                      code.text(), owner->second);
      }
    }
  }
}

void add_standby(const PolicyFile& file, const Reading& reading, Policy& policy) {
  for (std::size_t i = 0; i < file.jurisdictions.size(); ++i) {
    for (const auto& [name, at] : file.jurisdictions[i].approved_standby) {
      const auto id = policy.find_jurisdiction(name);
      if (!id) {
        reading.error(at, "unknown-jurisdiction", "unknown jurisdiction `{}`; {}", name,
                      suggest(name, names_of(policy.jurisdictions)));
      } else if (index_of(*id) == i) {
        reading.error(at, "standby-of-itself",
                      "jurisdiction `{}` as its own standby; expected another one", name);
      } else {
        policy.jurisdictions[i].approved_standby.push_back(*id);
      }
    }
  }
}

void add_jurisdictions(const PolicyFile& file, const Reading& reading, Policy& policy) {
  for (const JurisdictionEntry& entry : file.jurisdictions) {
    if (entry.name == "client" || entry.name == "tenant") {
      reading.error(entry.at, "reserved-name",
                    "jurisdiction `{}`; expected another name, `home:` has its own meaning for it",
                    entry.name);
    }
    policy.jurisdictions.push_back({.name = entry.name, .countries = {}, .approved_standby = {}});
  }
  add_countries(file, reading, policy);
  add_standby(file, reading, policy);
}

void add_regions(const PolicyFile& file, const Reading& reading, Policy& policy) {
  for (const RegionEntry& entry : file.regions) {
    const auto jurisdiction = policy.find_jurisdiction(entry.jurisdiction.value);
    if (!jurisdiction && !entry.jurisdiction.value.empty()) {
      reading.error(entry.jurisdiction.at, "unknown-jurisdiction", "unknown jurisdiction `{}`; {}",
                    entry.jurisdiction.value,
                    suggest(entry.jurisdiction.value, names_of(policy.jurisdictions)));
    }
    policy.regions.push_back({.name = entry.name,
                              .jurisdiction = jurisdiction.value_or(JurisdictionId{}),
                              .location = entry.location,
                              .asns = entry.asns});
  }
}

}  // namespace

Policy build_policy(const PolicyFile& file, const std::string& content_digest,
                    const Reading& reading, RepositoryFiles& files) {
  Policy policy;
  add_jurisdictions(file, reading, policy);
  add_regions(file, reading, policy);
  add_rules(file.rules, reading, policy);
  file.leash.apply(policy.leash);
  policy.mass_failure = file.leash.mass_failure;
  std::string digests = content_digest;
  if (file.approvals) {
    policy.approvals = build_approvals(*file.approvals, reading, files, digests);
  }
  policy.vantages = build_vantages(file.vantages, reading, files, digests);
  policy.digest = sha256_hex(digests);
  return policy;
}

}  // namespace demarc::zones::yaml
