#include "zones/repository.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "zones/digest.h"
#include "zones/rules.h"
#include "zones/tenants_load.h"
#include "zones/yaml/networks_file.h"
#include "zones/yaml/policy_model.h"
#include "zones/yaml/repository_files.h"
#include "zones/yaml/zone_files.h"
#include "zones/yaml/zone_model.h"

namespace demarc::zones {
namespace {

using yaml::LoadedZone;
using yaml::PolicyState;
using yaml::Reading;
using yaml::RepositoryFiles;

class Loader {
 public:
  Loader(RepositoryFiles files, Diagnostics& diagnostics, ParsedZoneFiles* known)
      : files_(std::move(files)), diagnostics_(diagnostics), known_(known) {}

  std::unique_ptr<Repository> load() {
    read_policy();
    read_networks();
    read_zones();
    if (policy_state_ == PolicyState::missing) invent_regions();
    for (const LoadedZone& zone : zones_) {
      const Reading reading{zone.file, diagnostics_};
      yaml::add_zone(zone, policy_state_, reading, files_, *repository_);
    }
    read_tenants();
    if (policy_state_ != PolicyState::broken) check_rules(*repository_, diagnostics_);
    repository_->digest = files_.digest();
    return std::move(repository_);
  }

 private:
  /// The syntax tree of a file; `digest` is that of its content. Nothing after findings.
  std::optional<yaml::Node> read_tree(const std::string& file, std::string& digest,
                                      std::string* read = nullptr) {
    // One byte above the limit is read, so that the finding is the syntax step's.
    const auto text = files_.read(file, yaml::file_bytes_max + 1);
    if (!text) {
      diagnostics_.error({file, 0, 0}, "unreadable-file", "{}", text.error());
      return std::nullopt;
    }
    digest = sha256_hex(*text);
    if (read != nullptr) *read = *text;
    return yaml::parse_syntax(*text, file, diagnostics_);
  }

  void read_policy() {
    const std::string file = "policy.yaml";
    policy_state_ = files_.exists(file) ? PolicyState::broken : PolicyState::missing;
    if (policy_state_ == PolicyState::missing) return;
    std::string digest, text;
    const auto tree = read_tree(file, digest, &text);
    if (!tree) return;
    const Reading reading{file, diagnostics_};
    if (tree->kind != yaml::NodeKind::map) {
      (void)yaml::read_policy_file(reading, *tree);  // says what is wrong
      return;
    }
    repository_->policy =
        yaml::build_policy(yaml::read_policy_file(reading, *tree), digest, reading, files_);
    repository_->policy.text = std::move(text);
    policy_state_ = PolicyState::read;
  }

  void read_networks() {
    const std::string file = "networks.yaml";
    if (!files_.exists(file)) return;
    std::string digest;
    if (const auto tree = read_tree(file, digest)) {
      repository_->overrides = yaml::read_networks_file(Reading{file, diagnostics_}, *tree);
    }
  }

  void read_tenants() {
    const std::string file = "tenants.yaml";
    if (!files_.exists(file)) {
      for (const Service& service : repository_->services) {
        if (service.home_kind != HomeKind::tenant) continue;
        diagnostics_.warning(service.place, "tenants-missing",
                             "service `{}` has `home: tenant`, and there is no {}; expected that "
                             "file, until then its own name alone is answered",
                             service.label, file);
      }
      return;
    }
    if (policy_state_ == PolicyState::missing) {
      diagnostics_.error({file, 0, 0}, "policy-missing",
                         "tenants without policy.yaml; expected that file, it says what a home is");
    }
    if (policy_state_ == PolicyState::read) load_tenants(files_, *repository_, diagnostics_);
  }

  void read_zones() {
    const auto names = files_.zone_files();
    if (!names) {
      diagnostics_.error({"zones", 0, 0}, "zones-missing",
                         "{}; expected the folder `zones` with one .yaml file a zone",
                         names.error());
      return;
    }
    for (const std::string& name : names->ignored) {
      diagnostics_.warning({name, 0, 0}, "file-ignored", "a name in .yml; expected .yaml");
    }
    if (names->yaml.empty()) {
      diagnostics_.error({"zones", 0, 0}, "zones-missing",
                         "no zone file; expected one .yaml file a zone");
    }
    for (yaml::ZoneReading& reading : yaml::read_zone_files(names->yaml, files_, known_)) {
      take_zone(std::move(reading));
    }
  }

  void take_zone(yaml::ZoneReading read) {
    for (const Diagnostic& finding : read.findings.list()) diagnostics_.add(finding);
    if (!read.values) return;
    const Reading reading{read.file, diagnostics_};
    const yaml::TextAt& name = read.values->zone;
    if (name.value.empty()) return;
    const auto apex = Name::parse_absolute(name.value);
    if (!apex || apex->is_wildcard()) {
      reading.error(name.at, "bad-name", "zone is `{}`; expected a domain name", name.value);
      return;
    }
    const auto [first, is_new] = apexes_.try_emplace(*apex, reading.place(name.at));
    if (!is_new) {
      reading.error(name.at, "zone-twice",
                    "zone {} again, first in {}:{}; expected one file a zone",
                    apex->text_without_dot(), first->second.file, first->second.line);
      return;
    }
    zones_.push_back({.file = std::move(read.file),
                      .digest = std::move(read.digest),
                      .apex = *apex,
                      .values = std::move(read.values)});
  }

  /// Without policy.yaml a region is what records name, in a jurisdiction that nobody knows.
  void invent_regions() {
    Policy& policy = repository_->policy;
    policy.jurisdictions.push_back(
        {.name = std::string(yaml::unknown_jurisdiction), .countries = {}, .approved_standby = {}});
    std::set<std::string> names;
    for (const LoadedZone& zone : zones_) {
      for (const yaml::ServiceEntry& service : zone.values->services) {
        for (const yaml::RecordEntry& record : service.records) names.insert(record.region.value);
      }
    }
    names.erase("");
    if (names.size() > yaml::regions_max) {
      diagnostics_.error({"policy.yaml", 0, 0}, "policy-missing",
                         "{} regions without policy.yaml; expected at most {}", names.size(),
                         yaml::regions_max);
      policy_state_ = PolicyState::broken;
      return;
    }
    for (const std::string& name : names) {
      policy.regions.push_back({.name = name, .jurisdiction = JurisdictionId{}, .location = {}});
    }
    policy.digest = sha256_hex("");
  }

  RepositoryFiles files_;
  Diagnostics& diagnostics_;
  ParsedZoneFiles* known_;
  PolicyState policy_state_ = PolicyState::missing;
  std::unique_ptr<Repository> repository_ = std::make_unique<Repository>();
  std::vector<LoadedZone> zones_;
  std::map<Name, Place> apexes_;
};

void append_sorted(const Diagnostics& findings, Diagnostics& diagnostics) {
  std::vector<Diagnostic> list = findings.list();
  std::ranges::stable_sort(list, {}, &Diagnostic::place);
  for (Diagnostic& finding : list) diagnostics.add(std::move(finding));
}

}  // namespace

std::unique_ptr<Repository> load_repository(const std::string& folder, Diagnostics& diagnostics,
                                            ParsedZoneFiles* known) {
  auto files = RepositoryFiles::open(folder);
  if (!files) {
    diagnostics.error({folder, 0, 0}, "repository-missing",
                      "{}; expected the folder of a zone "
                      "repository",
                      files.error());
    return nullptr;
  }
  Diagnostics findings;
  auto repository = Loader(std::move(*files), findings, known).load();
  append_sorted(findings, diagnostics);
  return findings.has_errors() ? nullptr : std::move(repository);
}

}  // namespace demarc::zones
