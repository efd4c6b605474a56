#include "zones/yaml/approvals_model.h"

#include <map>
#include <set>

#include "zones/digest.h"
#include "zones/jws.h"
#include "zones/key_list.h"
#include "zones/token.h"
#include "zones/yaml/public_key.h"

namespace demarc::zones::yaml {
namespace {

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
      report_key_fault(reading_, entry.public_key, *entry.algorithm, fingerprint.error());
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
void check_require(const std::vector<RequireEntry>& required, const ApprovalsEntry& approvals,
                   const Reading& reading) {
  for (const RequireEntry& require : required) {
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

Required required_of(const std::vector<RequireEntry>& entries) {
  Required required;
  for (const RequireEntry& require : entries) required[require.role.value] = require.persons;
  return required;
}

void add_rule(const ApprovalRuleEntry& entry, const Reading& reading, Approvals& approvals) {
  ApprovalRule rule{
      .zone = entry.zone.value, .mode = entry.mode, .require = required_of(entry.require)};
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

std::string without_space_around(const std::string& text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// Whether a signature counts is decided against the list before this one, which the files do not
/// know; that it belongs to this list at all can be said here.
void check_signature(const TextAt& path, const UncheckedToken& token, const KeyList& list,
                     const Reading& reading) {
  if (!token.claims || token.claims->type != TokenType::key_list) {
    reading.error(path.at, "key-list-signature", "{} is {}; expected a token of type key-list",
                  path.value,
                  token.claims ? std::string("of type ") + std::string(to_text(token.claims->type))
                               : token.claims.error().text);
  } else if (token.claims->keys_digest != list.digest || token.claims->version != list.version) {
    reading.warning(path.at, "key-list-signature",
                    "{} signs list {} with keys-sha256 {}; expected list {} with {}", path.value,
                    token.claims->version.value_or(0), token.claims->keys_digest.value_or(""),
                    list.version, list.digest);
  }
}

void add_key_list(const KeyListEntry& entry, const Reading& reading, RepositoryFiles& files,
                  std::string& digests, Approvals& approvals) {
  KeyList& list = approvals.key_list.emplace();
  list.version = entry.version;
  list.require = required_of(entry.require);
  list.not_after = entry.not_after;
  list.digest = key_list_digest(approvals);
  for (const TextAt& path : entry.signatures) {
    const auto text = files.read(path.value, token_bytes_max);
    if (!text) {
      reading.error(path.at, "unreadable-file", "{}: {}", path.value, text.error());
      continue;
    }
    digests += "\n" + sha256_hex(*text);
    const auto token = inspect_token(*text);
    if (!token) {
      reading.error(path.at, "key-list-signature", "{}: {}; expected a token of type key-list",
                    path.value, token.error().text);
      continue;
    }
    check_signature(path, *token, list, reading);
    list.tokens.push_back(without_space_around(*text));
  }
}

}  // namespace

Approvals build_approvals(const ApprovalsEntry& entry, const Reading& reading,
                          RepositoryFiles& files, std::string& digests) {
  Approvals approvals;
  approvals.audience = entry.audience;
  approvals.max_duration = entry.max_duration;
  KeyBuilder keys(reading, files, digests);
  for (const ApprovalKeyEntry& key : entry.keys) keys.add(key, approvals);
  for (const ApprovalRuleEntry& rule : entry.rules) {
    check_require(rule.require, entry, reading);
    add_rule(rule, reading, approvals);
  }
  if (const auto& glass = entry.break_glass) {
    check_require(glass->require, entry, reading);
    check_require(glass->review, entry, reading);
    approvals.break_glass = BreakGlass{.max_duration = glass->max_duration,
                                       .require = required_of(glass->require),
                                       .review = required_of(glass->review)};
  }
  check_require(entry.drill, entry, reading);
  approvals.drill = required_of(entry.drill);
  if (entry.key_list) {
    check_require(entry.key_list->require, entry, reading);
    add_key_list(*entry.key_list, reading, files, digests, approvals);
  }
  return approvals;
}

}  // namespace demarc::zones::yaml
