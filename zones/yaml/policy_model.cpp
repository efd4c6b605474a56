#include "zones/yaml/policy_model.h"

#include <algorithm>
#include <map>
#include <set>

#include "zones/digest.h"
#include "zones/yaml/public_key.h"

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
                              .location = entry.location});
  }
}

void report_key_fault(const ApprovalKeyEntry& entry, KeyFault fault, const Reading& reading) {
  const std::string& path = entry.public_key.value;
  const Position at = entry.public_key.at;
  switch (fault) {
    case KeyFault::is_private:
      reading.error(at, "private-key",
                    "{} holds a private key; expected the public one (openssl pkey -pubout), "
                    "private keys never come to the server",
                    path);
      return;
    case KeyFault::no_public_key:
      reading.error(at, "bad-public-key", "{} holds no public key; expected PEM with PUBLIC KEY",
                    path);
      return;
    case KeyFault::wrong_algorithm:
      reading.error(at, "key-algorithm", "{} holds a key of another kind; expected {}", path,
                    entry.algorithm == KeyAlgorithm::EdDSA ? "Ed25519, as `alg: EdDSA` says"
                                                           : "P-256, as `alg: ES256` says");
      return;
  }
}

/// Reads the approval keys; `digests` collects what the policy's digest covers.
class KeyBuilder {
 public:
  KeyBuilder(const Reading& reading, RepositoryFiles& files, std::string& digests)
      : reading_(reading), files_(files), digests_(digests) {}

  void add(const ApprovalKeyEntry& entry, Approvals& approvals) {
    if (!entry.id.value.empty() && !ids_.insert(entry.id.value).second) {
      reading_.error(entry.id.at, "key-twice", "key id `{}` again; expected it once",
                     entry.id.value);
    }
    if (entry.public_key.value.empty() || !entry.algorithm) return;
    auto pem = files_.read(entry.public_key.value, key_file_bytes_max);
    if (!pem) {
      reading_.error(entry.public_key.at, "unreadable-file", "{}: {}", entry.public_key.value,
                     pem.error());
      return;
    }
    digests_ += "\n" + sha256_hex(*pem);
    const auto fingerprint = parse_public_key(*pem, *entry.algorithm);
    if (!fingerprint) {
      report_key_fault(entry, fingerprint.error(), reading_);
      return;
    }
    check_person(entry, *fingerprint);
    approvals.keys.push_back({.id = entry.id.value,
                              .person = entry.person.value,
                              .role = entry.role.value,
                              .algorithm = *entry.algorithm,
                              .public_key_pem = std::move(*pem),
                              .not_after = entry.not_after});
  }

 private:
  /// One key must not sign for two persons: approvals count persons.
  void check_person(const ApprovalKeyEntry& entry, const std::string& fingerprint) {
    const auto [first, is_new] = persons_.try_emplace(fingerprint, entry.person.value);
    if (is_new || first->second == entry.person.value) return;
    reading_.error(entry.public_key.at, "key-of-two-persons",
                   "the key of person `{}` also for `{}`; expected a key of their own",
                   first->second, entry.person.value);
  }

  const Reading& reading_;
  RepositoryFiles& files_;
  std::string& digests_;
  std::set<std::string> ids_;
  std::map<std::string, std::string> persons_;  // fingerprint -> person
};

/// Warnings, not errors: taking a lost key out of the file must load at once.
void check_require(const ApprovalRuleEntry& entry, const ApprovalsEntry& approvals,
                   const Reading& reading) {
  for (const RequireEntry& require : entry.require) {
    std::set<std::string> persons;
    for (const ApprovalKeyEntry& key : approvals.keys) {
      if (key.role.value == require.role.value) persons.insert(key.person.value);
    }
    if (persons.size() >= require.persons) continue;
    reading.warning(require.role.at, "rule-unreachable",
                    "{} of role `{}` required, {} have a key; expected enough keys, nothing can be "
                    "approved by this rule",
                    require.persons, require.role.value, persons.size());
  }
}

void add_rule(const ApprovalRuleEntry& entry, const Reading& reading, Approvals& approvals) {
  ApprovalRule rule;
  rule.zone = entry.zone.value;
  rule.mode = entry.mode;
  for (const RequireEntry& require : entry.require) {
    rule.require[require.role.value] = require.persons;
  }
  if (!rule.zone.empty() && rule.zone != "*") {
    const auto name = Name::parse_absolute(rule.zone);
    if (!name) {
      reading.error(entry.zone.at, "bad-name", "zone is `{}`; expected a domain name or \"*\"",
                    rule.zone);
      return;
    }
    rule.zone = name->text_without_dot();
  }
  approvals.rules.push_back(std::move(rule));
}

}  // namespace

Policy build_policy(const PolicyFile& file, const std::string& content_digest,
                    const Reading& reading, RepositoryFiles& files) {
  Policy policy;
  add_jurisdictions(file, reading, policy);
  add_regions(file, reading, policy);
  std::string digests = content_digest;
  if (file.approvals) {
    Approvals& approvals = policy.approvals.emplace();
    approvals.audience = file.approvals->audience;
    approvals.max_duration = file.approvals->max_duration;
    KeyBuilder keys(reading, files, digests);
    for (const ApprovalKeyEntry& entry : file.approvals->keys) keys.add(entry, approvals);
    for (const ApprovalRuleEntry& entry : file.approvals->rules) {
      check_require(entry, *file.approvals, reading);
      add_rule(entry, reading, approvals);
    }
  }
  policy.digest = sha256_hex(digests);
  return policy;
}

}  // namespace demarc::zones::yaml
