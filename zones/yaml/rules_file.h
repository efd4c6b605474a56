// The parts of policy.yaml that rule over crossings, as written: residency-rules, templates,
// assertions, advisor. zones/yaml/rules_model.h resolves them.
#pragma once

#include <optional>
#include <vector>

#include "zones/model.h"
#include "zones/yaml/fields.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t residency_rules_max = 1000;
inline constexpr std::size_t templates_max = 1000;
inline constexpr std::size_t assertions_max = 1000;
inline constexpr Milliseconds advisor_timeout_max{10'000};

struct ResidencyRuleEntry {
  TextAt id;
  Effect effect = Effect::deny;
  std::optional<TextAt> zone, service;
  std::vector<TextAt> from, to;  // jurisdictions
  std::optional<Mode> mode;
  std::string basis;
};

struct TemplateEntry {
  TextAt id, zone, service;
  std::vector<TextAt> from, to;  // regions
  Mode mode = Mode::read_only;
  unsigned max_share = 100;
  Seconds max_duration{std::chrono::hours{24}};
};

struct AssertionEntry {
  Position at;
  TextAt id;
  std::optional<TextAt> zone, service;
  std::optional<unsigned> at_least;
  std::vector<TextAt> of, never_together;  // regions
};

struct RulesEntry {
  std::vector<ResidencyRuleEntry> residency_rules;
  std::vector<TemplateEntry> templates;
  std::vector<AssertionEntry> assertions;
  std::optional<Advisor> advisor;
  std::optional<Seconds> drill_due;
};

void read_residency_rules(const Reading& reading, const Node& node, RulesEntry& rules);
void read_templates(const Reading& reading, const Node& node, RulesEntry& rules);
void read_assertions(const Reading& reading, const Node& node, RulesEntry& rules);
void read_advisor(const Reading& reading, const Node& node, RulesEntry& rules);

}  // namespace demarc::zones::yaml
