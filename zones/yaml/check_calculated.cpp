#include "zones/yaml/check_calculated.h"

#include <algorithm>
#include <set>

namespace demarc::zones::yaml {

std::optional<CalculatedEntry> read_calculated(const Reading& reading, const Node& node) {
  CalculatedEntry entry{.at = node.at, .at_least = {}, .checks = {}};
  const bool is_map = read_map(
      reading, node, "calculated",
      {{"at-least", Presence::optional,
        [&](const Node& value) {
          const auto count = read_integer(reading, value, "at-least", {1, calculated_from_max});
          if (count) entry.at_least = At<unsigned>{static_cast<unsigned>(*count), value.at};
        }},
       {"checks", Presence::required,
        [&](const Node& value) {
          read_one_or_list(reading, value, "checks", calculated_from_max, [&](const Node& item) {
            if (auto text = read_text(reading, item, "checks")) {
              entry.checks.push_back({std::move(*text), item.at});
            }
          });
        }},
       {"inverted", Presence::optional, [&](const Node& value) {
          assign(entry.is_inverted,
                 read_choice<bool>(reading, value, "inverted", {{"true", true}, {"false", false}}));
        }}});
  if (!is_map) return std::nullopt;
  return entry;
}

void resolve_calculated(const Reading& reading, const CalculatedEntry& entry,
                        const CheckNames& names, std::size_t at, std::vector<HealthCheck>& checks) {
  Calculated calculated{.at_least = static_cast<unsigned>(entry.checks.size()),
                        .keys = {},
                        .is_inverted = entry.is_inverted};
  std::set<std::string> seen;
  for (const TextAt& name : entry.checks) {
    const auto found = names.find(name.value);
    if (found == names.end()) {
      std::vector<std::string> known;
      for (const auto& [text, place] : names) known.push_back(text);
      reading.error(name.at, "unknown-check", "the service has no check `{}`; {}", name.value,
                    suggest(name.value, known));
      continue;
    }
    if (!seen.insert(name.value).second) {
      reading.error(name.at, "check-named-twice", "`{}` again; expected each check once",
                    name.value);
      continue;
    }
    calculated.keys.push_back(checks[found->second].key);
  }
  if (entry.at_least && entry.at_least->value > entry.checks.size()) {
    reading.error(entry.at_least->at, "bad-calculation",
                  "at-least is {}, of {} checks; expected at most that", entry.at_least->value,
                  entry.checks.size());
  }
  if (entry.at_least) calculated.at_least = entry.at_least->value;
  checks[at].calculated = std::move(calculated);
}

void find_circles(const Reading& reading, const std::vector<HealthCheck>& checks) {
  // What can be computed from what is known, until nothing is added: the rest follows itself.
  std::set<std::string_view> known;
  for (const HealthCheck& check : checks) {
    if (!check.calculated) known.insert(check.key);
  }
  const auto is_known = [&](const std::string& key) { return known.contains(key); };
  for (bool is_growing = true; is_growing;) {
    is_growing = false;
    for (const HealthCheck& check : checks) {
      if (known.contains(check.key) || !std::ranges::all_of(check.calculated->keys, is_known)) {
        continue;
      }
      known.insert(check.key);
      is_growing = true;
    }
  }
  for (const HealthCheck& check : checks) {
    if (known.contains(check.key)) continue;
    reading.error({check.place.line, check.place.column}, "calculated-in-a-circle",
                  "`{}` follows itself, or a check that does; expected an order in which one can "
                  "be told after the other",
                  check.key);
  }
}

}  // namespace demarc::zones::yaml
