#include "zones/yaml/rules_model.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/digest.h"
#include "zones/residency_rules.h"

namespace demarc::zones::yaml {
namespace {

class RulesBuilder {
 public:
  RulesBuilder(const Reading& reading, Policy& policy) : reading_(reading), policy_(policy) {}

  void add(const ResidencyRuleEntry& entry) {
    check_id(entry.id);
    policy_.residency_rules.push_back({.id = entry.id.value,
                                       .effect = entry.effect,
                                       .zone = pattern(entry.zone),
                                       .service = pattern(entry.service),
                                       .from = jurisdictions(entry.from),
                                       .to = jurisdictions(entry.to),
                                       .mode = entry.mode,
                                       .basis = entry.basis});
  }

  void add(const TemplateEntry& entry) {
    check_id(entry.id);
    PlanTemplate plan{.id = entry.id.value,
                      .zone = pattern(entry.zone),
                      .service = pattern(entry.service),
                      .from = region_names(entry.from),
                      .to = region_names(entry.to),
                      .mode = entry.mode,
                      .max_share = entry.max_share,
                      .max_duration = entry.max_duration,
                      .digest = {}};
    plan.digest = sha256_hex(fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", plan.id, plan.zone,
                                         plan.service, fmt::join(plan.from, ","),
                                         fmt::join(plan.to, ","), zones::to_text(plan.mode),
                                         plan.max_share, plan.max_duration.count()));
    policy_.templates.push_back(std::move(plan));
  }

  void add(const AssertionEntry& entry) {
    check_id(entry.id);
    const bool counts = entry.at_least.has_value() && !entry.of.empty();
    const bool parts = entry.never_together.size() >= 2;
    if (counts == parts || (parts && (entry.at_least || !entry.of.empty()))) {
      reading_.error(entry.at, "bad-assertion",
                     "assertion `{}` says neither or both; expected `at-least` with `of`, or "
                     "`never-together` with two regions or more",
                     entry.id.value);
      return;
    }
    if (counts && *entry.at_least > entry.of.size()) {
      reading_.error(entry.at, "bad-assertion",
                     "assertion `{}` asks for {} of {} regions; expected as many at most",
                     entry.id.value, *entry.at_least, entry.of.size());
      return;
    }
    Assertion assertion;
    assertion.id = entry.id.value;
    assertion.kind = counts ? Assertion::Kind::at_least : Assertion::Kind::never_together;
    assertion.count = entry.at_least.value_or(0);
    assertion.regions = regions(counts ? entry.of : entry.never_together);
    assertion.zone = pattern(entry.zone);
    assertion.service = pattern(entry.service);
    policy_.assertions.push_back(std::move(assertion));
  }

 private:
  void check_id(const TextAt& id) {
    if (id.value == default_deny || id.value == grant_required) {
      reading_.error(id.at, "reserved-name", "id `{}`; expected another, it has its own meaning",
                     id.value);
    }
    if (!id.value.empty() && !ids_.insert(id.value).second) {
      reading_.error(id.at, "id-twice", "id `{}` again; expected it once", id.value);
    }
  }

  std::string pattern(const std::optional<TextAt>& text) {
    return text ? pattern(*text) : std::string("*");
  }
  std::string pattern(const TextAt& text) {
    if (text.value == "*" || text.value.empty()) return text.value;
    const auto name = Name::parse_absolute(text.value);
    if (name) return name->text_without_dot();
    reading_.error(text.at, "bad-name", "`{}`; expected a domain name or \"*\"", text.value);
    return text.value;
  }

  std::vector<JurisdictionId> jurisdictions(const std::vector<TextAt>& names) {
    std::vector<std::string> known;
    for (const Jurisdiction& one : policy_.jurisdictions) known.push_back(one.name);
    std::vector<JurisdictionId> ids;
    for (const TextAt& name : names) {
      if (const auto id = policy_.find_jurisdiction(name.value)) {
        ids.push_back(*id);
      } else {
        reading_.error(name.at, "unknown-jurisdiction", "unknown jurisdiction `{}`; {}", name.value,
                       suggest(name.value, known));
      }
    }
    return ids;
  }

  std::vector<RegionId> regions(const std::vector<TextAt>& names) {
    std::vector<std::string> known;
    for (const Region& one : policy_.regions) known.push_back(one.name);
    std::vector<RegionId> ids;
    for (const TextAt& name : names) {
      const auto id = policy_.find_region(name.value);
      if (id && std::ranges::count(ids, *id) != 0) {
        reading_.error(name.at, "region-twice", "region `{}` again; expected it once in a list",
                       name.value);
      } else if (id) {
        ids.push_back(*id);
      } else {
        reading_.error(name.at, "unknown-region", "unknown region `{}`; {}", name.value,
                       suggest(name.value, known));
      }
    }
    return ids;
  }

  std::vector<std::string> region_names(const std::vector<TextAt>& names) {
    std::vector<std::string> list;
    for (const RegionId id : regions(names)) list.push_back(policy_.region(id).name);
    std::ranges::sort(list);
    return list;
  }

  const Reading& reading_;
  Policy& policy_;
  std::set<std::string> ids_;
};

}  // namespace

void add_rules(const RulesEntry& entry, const Reading& reading, Policy& policy) {
  RulesBuilder builder(reading, policy);
  for (const ResidencyRuleEntry& rule : entry.residency_rules) builder.add(rule);
  for (const TemplateEntry& plan : entry.templates) builder.add(plan);
  for (const AssertionEntry& assertion : entry.assertions) builder.add(assertion);
  policy.advisor = entry.advisor;
  if (entry.drill_due) policy.drill_due = *entry.drill_due;
}

}  // namespace demarc::zones::yaml
