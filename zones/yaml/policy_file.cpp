#include "zones/yaml/policy_file.h"

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
  RegionEntry entry{.name = key.text, .at = key.at, .jurisdiction = {}, .location = {}, .asns = {}};
  read_map(reading, node, "region",
           {{"jurisdiction", Presence::required,
             [&](const Node& value) {
               assign(entry.jurisdiction, read_identifier(reading, value, "jurisdiction"));
             }},
            {"location", Presence::required,
             [&](const Node& value) { assign(entry.location, read_coordinates(reading, value)); }},
            {"asns", Presence::optional, [&](const Node& value) {
               read_one_or_list(reading, value, "asns", region_asns_max, [&](const Node& item) {
                 if (const auto asn = read_asn(reading, item)) entry.asns.push_back(*asn);
               });
             }}});
  regions.push_back(std::move(entry));
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
       {"residency-rules", Presence::optional,
        [&](const Node& value) { read_residency_rules(reading, value, policy.rules); }},
       {"templates", Presence::optional,
        [&](const Node& value) { read_templates(reading, value, policy.rules); }},
       {"assertions", Presence::optional,
        [&](const Node& value) { read_assertions(reading, value, policy.rules); }},
       {"advisor", Presence::optional,
        [&](const Node& value) { read_advisor(reading, value, policy.rules); }},
       {"vantages", Presence::optional,
        [&](const Node& value) { policy.vantages = read_vantages(reading, value); }},
       {"leash", Presence::optional,
        [&](const Node& value) { policy.leash = read_policy_leash(reading, value); }},
       {"drill-due", Presence::optional,
        [&](const Node& value) {
          const auto due = read_duration(
              reading, value, "drill-due",
              {Milliseconds{std::chrono::hours{1}}, Milliseconds{std::chrono::hours{24 * 3660}}});
          if (due) policy.rules.drill_due = std::chrono::floor<Seconds>(*due);
        }},
       {"approvals", Presence::optional,
        [&](const Node& value) { read_approvals(reading, value, policy.approvals.emplace()); }}});
  return policy;
}

}  // namespace demarc::zones::yaml
