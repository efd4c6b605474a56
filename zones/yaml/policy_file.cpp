#include "zones/yaml/policy_file.h"

#include "zones/time_text.h"

namespace demarc::zones::yaml {
namespace {

constexpr std::size_t countries_max = 300;  // more than there are

void read_jurisdiction(const Reading& reading, const Key& key, const Node& node,
                       std::vector<JurisdictionEntry>& jurisdictions) {
  check_identifier(reading, key.at, "jurisdiction", key.text);
  JurisdictionEntry entry{.name = key.text, .at = key.at, .countries = {}, .approved_standby = {}};
  const auto add_country = [&](const Node& item) {
    if (const auto code = read_country(reading, item)) entry.countries.push_back({*code, item.at});
  };
  const auto add_standby = [&](const Node& item) {
    if (auto name = read_identifier(reading, item, "approved-standby")) {
      entry.approved_standby.push_back(std::move(*name));
    }
  };
  read_map(reading, node, "jurisdiction",
           {{"countries", Presence::required,
             [&](const Node& value) {
               read_one_or_list(reading, value, "countries", countries_max, add_country);
             }},
            {"approved-standby", Presence::optional, [&](const Node& value) {
               const bool is_empty = value.kind == NodeKind::list && value.items.empty();
               if (is_empty) return;  // none approved: said aloud, that is fine
               read_one_or_list(reading, value, "approved-standby", jurisdictions_max, add_standby);
             }}});
  jurisdictions.push_back(std::move(entry));
}

void read_region(const Reading& reading, const Key& key, const Node& node,
                 std::vector<RegionEntry>& regions) {
  check_identifier(reading, key.at, "region", key.text);
  RegionEntry entry{.name = key.text, .at = key.at, .jurisdiction = {}, .location = {}};
  read_map(reading, node, "region",
           {{"jurisdiction", Presence::required,
             [&](const Node& value) {
               assign(entry.jurisdiction, read_identifier(reading, value, "jurisdiction"));
             }},
            {"location", Presence::required, [&](const Node& value) {
               assign(entry.location, read_coordinates(reading, value));
             }}});
  regions.push_back(std::move(entry));
}

std::optional<WallTime> read_time(const Reading& reading, const Node& node, std::string_view what) {
  const auto text = read_text(reading, node, what);
  if (!text) return std::nullopt;
  auto time = parse_rfc3339(*text);
  if (!time) {
    reading.error(node.at, "bad-time", "{} is `{}`; expected a UTC time as 2027-01-31T00:00:00Z",
                  what, *text);
  }
  return time;
}

void read_key(const Reading& reading, const Node& node, std::vector<ApprovalKeyEntry>& keys) {
  ApprovalKeyEntry entry;
  entry.at = node.at;
  const auto identifier = [&reading](TextAt& target, std::string_view what) {
    return [&reading, &target, what](const Node& value) {
      assign(target, read_identifier(reading, value, what));
    };
  };
  const bool is_map =
      read_map(reading, node, "key",
               {{"id", Presence::required, identifier(entry.id, "id")},
                {"person", Presence::required, identifier(entry.person, "person")},
                {"role", Presence::required, identifier(entry.role, "role")},
                {"alg", Presence::required,
                 [&](const Node& value) {
                   entry.algorithm = read_choice<KeyAlgorithm>(
                       reading, value, "alg",
                       {{"EdDSA", KeyAlgorithm::EdDSA}, {"ES256", KeyAlgorithm::ES256}});
                 }},
                {"public-key", Presence::required,
                 [&](const Node& value) {
                   if (auto path = read_text(reading, value, "public-key")) {
                     entry.public_key = {std::move(*path), value.at};
                   }
                 }},
                {"not-after", Presence::optional, [&](const Node& value) {
                   entry.not_after = read_time(reading, value, "not-after");
                   // A limit that cannot be read must not become no limit.
                   if (!entry.not_after) entry.not_after = WallTime{};
                 }}});
  if (is_map) keys.push_back(std::move(entry));
}

void read_rule(const Reading& reading, const Node& node, std::vector<ApprovalRuleEntry>& rules) {
  ApprovalRuleEntry entry;
  entry.at = node.at;
  const auto add_role = [&](const Key& key, const Node& value) {
    check_identifier(reading, key.at, "role", key.text);
    const auto persons = read_integer(reading, value, "require", {1, persons_max});
    if (!persons) return;
    entry.require.push_back({{key.text, key.at}, static_cast<unsigned>(*persons)});
  };
  const bool is_map = read_map(
      reading, node, "rule",
      {{"zone", Presence::required,
        [&](const Node& value) {
          if (auto zone = read_text(reading, value, "zone")) {
            entry.zone = {std::move(*zone), value.at};
          }
        }},
       {"mode", Presence::required,
        [&](const Node& value) {
          assign(entry.mode, read_choice<Mode>(reading, value, "mode",
                                               {{"read-only", Mode::read_only},
                                                {"scoped-write", Mode::scoped_write},
                                                {"full-write", Mode::full_write}}));
        }},
       {"require", Presence::required, [&](const Node& value) {
          const bool is_read = read_named(reading, value, "require", approval_keys_max, add_role);
          if (is_read && value.keys.empty()) {
            reading.error(value.at, "empty-require",
                          "require names no role; expected at least one, as {{ legal: 1 }}");
          }
        }}});
  if (is_map) rules.push_back(std::move(entry));
}

void read_approvals(const Reading& reading, const Node& node, ApprovalsEntry& approvals) {
  approvals.at = node.at;
  read_map(reading, node, "approvals",
           {{"audience", Presence::required,
             [&](const Node& value) {
               assign(approvals.audience, read_text(reading, value, "audience"));
             }},
            {"max-duration", Presence::optional,
             [&](const Node& value) {
               const auto duration = read_duration(reading, value, "max-duration",
                                                   {Milliseconds{1000}, grant_duration_max});
               if (duration) approvals.max_duration = std::chrono::floor<Seconds>(*duration);
             }},
            {"keys", Presence::required,
             [&](const Node& value) {
               read_list(reading, value, "keys", approval_keys_max,
                         [&](const Node& item) { read_key(reading, item, approvals.keys); });
             }},
            {"rules", Presence::required, [&](const Node& value) {
               read_list(reading, value, "rules", approval_rules_max,
                         [&](const Node& item) { read_rule(reading, item, approvals.rules); });
             }}});
}

}  // namespace

PolicyFile read_policy_file(const Reading& reading, const Node& root) {
  PolicyFile policy;
  read_map(
      reading, root, "policy.yaml",
      {{"jurisdictions", Presence::required,
        [&](const Node& value) {
          read_named(reading, value, "jurisdictions", jurisdictions_max,
                     [&](const Key& key, const Node& item) {
                       read_jurisdiction(reading, key, item, policy.jurisdictions);
                     });
        }},
       {"regions", Presence::required,
        [&](const Node& value) {
          read_named(reading, value, "regions", regions_max, [&](const Key& key, const Node& item) {
            read_region(reading, key, item, policy.regions);
          });
        }},
       {"approvals", Presence::optional,
        [&](const Node& value) { read_approvals(reading, value, policy.approvals.emplace()); }}});
  return policy;
}

}  // namespace demarc::zones::yaml
