#include "zones/gate.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "zones/assertions.h"
#include "zones/residency_rules.h"

namespace demarc::zones {
namespace {

using Mask = std::vector<bool>;  // by record

bool in_route(const Variant& variant, RegionId region) {
  return variant.weighted || std::ranges::count(variant.order, region) != 0;
}

/// The records of `mask` with weight in the first region of the variant that has any.
std::vector<WeightedRecord> first_with_weight(const Service& service, const Variant& variant,
                                              std::span<const std::uint16_t> weights,
                                              const Mask& mask) {
  std::vector<WeightedRecord> picked;
  const auto add = [&](std::optional<RegionId> region) {
    for (std::size_t i = 0; i < service.records.size(); ++i) {
      if (!mask[i] || weights[i] == 0) continue;
      if (region && service.records[i].region != *region) continue;
      picked.push_back({RecordId{static_cast<std::uint16_t>(i)}, weights[i]});
    }
    return !picked.empty();
  };
  if (variant.weighted) {
    add(std::nullopt);
  } else {
    for (const RegionId region : variant.order) {
      if (add(region)) break;
    }
  }
  return picked;
}

/// Records in the order in which they take over: by the route, then by the file.
std::vector<std::size_t> take_over_order(const Service& service, const Variant& variant) {
  std::vector<std::size_t> order;
  if (variant.weighted) {
    for (std::size_t i = 0; i < service.records.size(); ++i) order.push_back(i);
    return order;
  }
  for (const RegionId region : variant.order) {
    for (std::size_t i = 0; i < service.records.size(); ++i) {
      if (service.records[i].region == region) order.push_back(i);
    }
  }
  return order;
}

std::uint16_t weight_or_one(const Record& record) {
  return std::max<std::uint16_t>(record.weight, 1);
}

/// Everything the decision for one variant needs.
struct Case {
  const Repository& repository;
  const Service& service;
  const Variant& variant;
  const Plan& plan;
  const Mask& eligible;
  const Mask& excluded;          // kept out by an assertion, whoever else may answer; empty: none
  const Mask& excluded_at_home;  // the same while only the eligible may answer

  [[nodiscard]] bool is_excluded(std::size_t record) const {
    return !excluded.empty() && excluded[record];
  }
  [[nodiscard]] Case at_home() const {
    return {repository, service, variant, plan, eligible, excluded_at_home, excluded_at_home};
  }
};

/// What the residency rules say of answering this variant from there, under a grant of this mode.
RuleMatch match_rule(const Case& c, RegionId to, Mode mode) {
  const auto home = home_of(c.service, c.variant);
  if (!home) return {Effect::deny, std::string(default_deny)};
  return match_rule(c.repository.policy,
                    crossing_of(c.repository, c.service, *home,
                                c.repository.policy.region(to).jurisdiction, mode));
}

/// Who answers if just `mask` may: by weight, else the first usable record takes over, home first.
std::vector<WeightedRecord> select(const Case& c, Mask mask) {
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = mask[i] && !c.is_excluded(i);
  auto picked = first_with_weight(c.service, c.variant, c.plan.weights, mask);
  if (!picked.empty()) return picked;
  for (const bool want_eligible : {true, false}) {
    for (const std::size_t i : take_over_order(c.service, c.variant)) {
      if (!mask[i] || !c.plan.usable[i] || c.eligible[i] != want_eligible) continue;
      return {{RecordId{static_cast<std::uint16_t>(i)}, weight_or_one(c.service.records[i])}};
    }
  }
  return {};
}

/// The eligible records by base weight, up or not; drained ones only if there is no other. Empty if
/// none is eligible.
std::vector<WeightedRecord> hold(const Case& c) {
  Mask eligible = c.eligible;
  for (std::size_t i = 0; i < eligible.size(); ++i) {
    eligible[i] = eligible[i] && !c.is_excluded(i);
  }
  Mask not_drained = eligible;
  for (std::size_t i = 0; i < not_drained.size(); ++i) {
    not_drained[i] = not_drained[i] && !c.plan.drained[i];
  }
  std::vector<std::uint16_t> base;
  for (const Record& record : c.service.records) base.push_back(record.weight);
  for (const Mask* mask : {&std::as_const(not_drained), &std::as_const(eligible)}) {
    auto picked = first_with_weight(c.service, c.variant, base, *mask);
    if (!picked.empty()) return picked;
    for (const std::size_t i : take_over_order(c.service, c.variant)) {
      if ((*mask)[i]) return {{RecordId{static_cast<std::uint16_t>(i)}, 1}};
    }
  }
  return {};
}

Choice no_answer(ChoiceKind kind, ChoiceNote note) {
  return {.kind = kind, .note = note, .records = {}};
}

Choice records_or_nodata(std::vector<WeightedRecord> records, ChoiceNote note) {
  if (records.empty()) return no_answer(ChoiceKind::nodata, note);
  return {.kind = ChoiceKind::records, .note = note, .records = std::move(records)};
}

Choice on_block(const Case& c) {
  switch (c.service.on_block.answer) {
    case BlockAnswer::nodata:
      return no_answer(ChoiceKind::nodata, ChoiceNote::held);
    case BlockAnswer::servfail:
      return no_answer(ChoiceKind::servfail, ChoiceNote::held);
    case BlockAnswer::record: {
      const RecordId record = c.service.on_block.record;
      if (!c.eligible[index_of(record)]) return no_answer(ChoiceKind::nodata, ChoiceNote::held);
      if (c.is_excluded(index_of(record))) break;  // an assertion keeps it out: who else is home
      return records_or_nodata({{record, weight_or_one(c.service.record(record))}},
                               ChoiceNote::held);
    }
    case BlockAnswer::hold:
      break;
  }
  return records_or_nodata(hold(c), ChoiceNote::held);
}

bool crosses(const std::vector<WeightedRecord>& records, const Mask& eligible) {
  return std::ranges::any_of(
      records, [&](const WeightedRecord& r) { return !eligible[index_of(r.record)]; });
}

/// What answers without any grant: lawful weight or take-over, else on-block, else whatever is
/// home.
Choice lawful_choice(const Case& c, bool wants_crossing) {
  auto lawful = select(c, c.eligible);
  if (!lawful.empty()) return records_or_nodata(std::move(lawful), ChoiceNote::none);
  if (wants_crossing) return on_block(c);
  auto held = hold(c);
  const bool is_kept_out = held.empty() && std::ranges::count(c.plan.excluded, true) != 0;
  return records_or_nodata(std::move(held), is_kept_out ? ChoiceNote::held : ChoiceNote::all_down);
}

/// Whether a region that should carry this variant's traffic at home has lost it all.
bool has_failed(const Case& c, RegionId region) {
  bool any = false;
  bool had_weight = false;
  bool any_usable = false;
  for (std::size_t i = 0; i < c.service.records.size(); ++i) {
    if (c.service.records[i].region != region || !c.eligible[i]) continue;
    any = true;
    if (c.plan.weights[i] != 0) return false;
    had_weight |= c.service.records[i].weight != 0;
    any_usable |= c.plan.usable[i];
  }
  return any && (had_weight || !any_usable);
}

std::set<RegionId> failed_home_regions(const Case& c) {
  std::set<RegionId> failed;
  for (const Record& record : c.service.records) {
    if (in_route(c.variant, record.region) && has_failed(c, record.region)) {
      failed.insert(record.region);
    }
  }
  return failed;
}

/// The permission under which a record may answer this variant: of the widest share, then the
/// widest mode, then the longest-lived one; or null. What a residency rule denies is never covered.
const Permission* covering(const Case& c, const Record& record,
                           std::span<const Permission* const> permissions) {
  const Permission* best = nullptr;
  for (const Permission* permission : permissions) {
    if (std::ranges::count(permission->to, record.region) == 0) continue;
    // Signed was the region's law; a target declared to lie elsewhere is not what was signed.
    if (place_of(c.repository.policy, record) !=
        c.repository.policy.region(record.region).jurisdiction) {
      continue;
    }
    if (std::ranges::none_of(permission->from,
                             [&](RegionId from) { return has_failed(c, from); })) {
      continue;
    }
    const auto is_known = [&](RegionId failed) {
      return std::ranges::count(*permission->only_failed, failed) != 0;
    };
    if (permission->only_failed && !std::ranges::all_of(failed_home_regions(c), is_known)) continue;
    if (match_rule(c, record.region, permission->mode).effect == Effect::deny) continue;
    const auto rank = [](const Permission* p) { return std::tuple(p->max_share, p->mode, p->end); };
    if (best == nullptr || rank(permission) > rank(best)) best = permission;
  }
  return best;
}

std::set<RegionId> foreign_regions(const Service& service,
                                   const std::vector<WeightedRecord>& records,
                                   const Mask& eligible) {
  std::set<RegionId> regions;
  for (const WeightedRecord& r : records) {
    if (!eligible[index_of(r.record)]) regions.insert(service.record(r.record).region);
  }
  return regions;
}

/// Collects the rulings of all variants into one.
class Collector {
 public:
  std::uint16_t intern(Choice choice) {
    const auto known = std::ranges::find(choices, choice);
    if (known != choices.end()) return static_cast<std::uint16_t>(known - choices.begin());
    choices.push_back(std::move(choice));
    return static_cast<std::uint16_t>(choices.size() - 1);
  }

  /// What the answers of all variants rest on together: its end and what applications are told.
  void rely_on(const Case& c, const Permission& permission, RegionId to) {
    auto& from = made[{permission.grant_id, to, permission.tenant}];
    from.merge(failed_home_regions(c));
    rules[to] = match_rule(c, to, permission.mode).rule_id;
    valid_until = std::min(valid_until.value_or(permission.end), permission.end);
    // An application reads one mode wherever it runs: none may do more than was signed for it.
    const auto rank = [](const Permission& p) { return std::tuple(p.mode, p.end, p.grant_id); };
    if (!narrowest || rank(permission) < rank(*narrowest)) narrowest = &permission;
  }

  std::vector<Choice> choices;
  std::set<RegionId> held_from, held_to, soft_abroad;
  std::map<std::tuple<std::string, RegionId, std::string>, std::set<RegionId>> made;
  std::optional<WallTime> valid_until;
  const Permission* narrowest = nullptr;  // of those that the answers rest on
  std::map<RegionId, std::string> rules;
  std::string held_rule;
  bool held_by_rule = false;
};

/// The last line of defence, in every build: an answer with a record that is neither eligible nor
/// covered by a permission never leaves the gate, whatever the code above believes.
Choice enforced(const Case& c, Choice choice, std::span<const Permission* const> permissions) {
  const bool lawful = std::ranges::all_of(choice.records, [&](const WeightedRecord& r) {
    const Record& record = c.service.record(r.record);
    if (c.is_excluded(index_of(r.record))) return false;
    return c.eligible[index_of(r.record)] || covering(c, record, permissions) != nullptr;
  });
  return lawful ? std::move(choice) : no_answer(ChoiceKind::servfail, ChoiceNote::held);
}

/// The rule behind a crossing that is held: of a permission that would cover it, else of the least
/// mode that a token would have to have. A rule that denies wins over one that asks for a grant.
void note_held_rule(const Case& c, RegionId to, std::span<const Permission* const> permissions,
                    Collector& out) {
  const auto least = static_cast<Mode>(c.service.access);
  std::vector<Mode> modes;
  for (const Permission* permission : permissions) {
    if (std::ranges::count(permission->to, to) != 0) modes.push_back(permission->mode);
  }
  if (modes.empty()) modes.push_back(least);
  for (const Mode mode : modes) {
    const RuleMatch match = match_rule(c, to, mode);
    const bool denied = match.effect == Effect::deny;
    if (!out.held_rule.empty() && (out.held_by_rule || !denied)) continue;
    out.held_rule = match.rule_id;
    out.held_by_rule = denied;
  }
}

struct Decided {
  Choice now;
  Choice fenced;
};

Decided decide(const Case& c, std::span<const Permission* const> permissions,
               const std::vector<WeightedRecord>& base, Collector& out) {
  const Mask everyone(c.service.records.size(), true);
  const auto wanted = select(c, everyone);
  const bool wants_crossing = crosses(wanted, c.eligible);

  Mask allowed = c.eligible;
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    if (!allowed[i]) allowed[i] = covering(c, c.service.records[i], permissions) != nullptr;
  }
  // Beside a crossing; alone at home, somebody answers whom the assertion keeps away from it.
  const Choice rest = enforced(c, lawful_choice(c, wants_crossing), {});
  const Case home = c.at_home();
  Decided decided{.now = rest, .fenced = enforced(home, lawful_choice(home, wants_crossing), {})};

  auto permitted = select(c, allowed);
  if (crosses(permitted, c.eligible)) {
    unsigned share = 100;
    for (const WeightedRecord& r : permitted) {
      if (c.eligible[index_of(r.record)]) continue;
      const Record& record = c.service.record(r.record);
      const Permission* permission = covering(c, record, permissions);
      out.rely_on(c, *permission, record.region);
      share = std::min(share, permission->max_share);
    }
    decided.now =
        enforced(c, records_or_nodata(std::move(permitted), ChoiceNote::exception), permissions);
    if (share == 0) decided.now = rest;
    if (share > 0 && share < 100) {
      decided.now.share = static_cast<std::uint8_t>(share);
      decided.now.otherwise = out.intern(rest);
    }
  }

  // A crossing that base weights want already (a home without records) is no change to be approved.
  std::set<RegionId> held_to = foreign_regions(c.service, wanted, c.eligible);
  for (const RegionId region : foreign_regions(c.service, base, c.eligible)) held_to.erase(region);
  for (const WeightedRecord& r : decided.now.records) {
    held_to.erase(c.service.record(r.record).region);
  }
  const std::set<RegionId> failed = failed_home_regions(c);
  if (!held_to.empty() && !failed.empty()) {
    for (const RegionId to : held_to) note_held_rule(c, to, permissions, out);
    out.held_to.insert(held_to.begin(), held_to.end());
    out.held_from.insert(failed.begin(), failed.end());
  }
  return decided;
}

/// For a soft service with a home: regions abroad that answer now and would not by base weights.
void note_soft_crossings(const Case& c, const Choice& now, const std::vector<WeightedRecord>& base,
                         Collector& out) {
  const Policy& policy = c.repository.policy;
  const auto home = home_of(c.service, c.variant);
  if (c.service.residency != Residency::soft || !home) return;
  std::set<RegionId> abroad;
  for (const WeightedRecord& r : now.records) {
    const Record& record = c.service.record(r.record);
    if (!lies_inside(policy, record, *home)) abroad.insert(record.region);
  }
  for (const WeightedRecord& r : base) abroad.erase(c.service.record(r.record).region);
  for (const RegionId region : abroad) {
    const RuleMatch match = match_rule(policy, crossing_of(c.repository, c.service, *home,
                                                           policy.region(region).jurisdiction, {}));
    // For soft services only a deny by name counts, and such a record is not here.
    out.rules[region] = match.effect == Effect::allow && !policy.residency_rules.empty()
                            ? match.rule_id
                            : std::string("soft-residency");
  }
  out.soft_abroad.insert(abroad.begin(), abroad.end());
}

}  // namespace

JurisdictionId place_of(const Policy& policy, const Record& record) {
  return record.jurisdiction.value_or(policy.region(record.region).jurisdiction);
}

bool lies_inside(const Policy& policy, const Record& record, JurisdictionId home) noexcept {
  if (index_of(record.region) >= policy.regions.size()) return false;
  const bool is_declared_inside =
      !record.jurisdiction || policy.is_inside(home, *record.jurisdiction);
  return is_declared_inside &&
         policy.is_inside(home, policy.regions[index_of(record.region)].jurisdiction);
}

bool is_eligible(const Policy& policy, const Service& service, const Record& record,
                 std::optional<JurisdictionId> home) noexcept {
  if (service.residency != Residency::hard) return true;
  return home && lies_inside(policy, record, *home);
}

bool is_eligible(const Repository& repository, const Service& service, const Record& record,
                 std::optional<JurisdictionId> home) {
  const Policy& policy = repository.policy;
  if (!is_eligible(policy, service, record, home)) return false;
  if (service.residency != Residency::soft || !home || policy.residency_rules.empty()) return true;
  const auto is_denied = [&](JurisdictionId where) {
    return !policy.is_inside(*home, where) &&
           is_denied_by_name(
               match_rule(policy, crossing_of(repository, service, *home, where, std::nullopt)));
  };
  // Where it runs and where it is declared to lie: a deny of either keeps it off.
  return !is_denied(place_of(policy, record)) &&
         !is_denied(policy.region(record.region).jurisdiction);
}

std::optional<JurisdictionId> home_of(const Service& service, const Variant& variant) noexcept {
  switch (service.home_kind) {
    case HomeKind::jurisdiction:
    case HomeKind::tenant:  // of a class of tenants, or the default of those that are no tenants
      return service.home;
    case HomeKind::client:
      return variant.home;
    case HomeKind::none:
      break;
  }
  return std::nullopt;
}

std::vector<WeightedRecord> answered_first(const Service& service, const Variant& variant,
                                           const Plan& plan) {
  const Mask everyone(service.records.size(), true);
  return first_with_weight(service, variant, plan.weights, everyone);
}

Ruling Gate::rule(const Repository& repository, const Views& views, const Plan& plan,
                  std::span<const Permission> permissions, const std::string& tenant) {
  const Service& service = repository.service(plan.service);
  const Plan base = base_plan(repository, plan.service);
  std::vector<const Permission*> relevant;
  for (const Permission& permission : permissions) {
    const bool is_meant = permission.tenant.empty() || permission.tenant == tenant;
    if (permission.service == plan.service && is_meant && covers(permission.mode, service.access)) {
      relevant.push_back(&permission);
    }
  }

  Collector out;
  Ruling ruling{.cleared = ClearedWeights{},
                .held = {},
                .made = {},
                .soft_abroad = {},
                .held_rule = {},
                .rules = {}};
  ruling.cleared.service_ = plan.service;
  ruling.cleared.tenant_ = tenant;
  std::vector<Decided> decided;
  for (const Variant& variant : views.variants(service.view)) {
    Mask eligible;
    for (const Record& record : service.records) {
      eligible.push_back(is_eligible(repository, service, record, home_of(service, variant)));
    }
    // Homes of their own would let regions of different clients answer together.
    const Mask excluded_at_home = service.home_kind == HomeKind::client
                                      ? plan.excluded
                                      : excluded_among(repository, plan, eligible);
    const Case now{repository, service, variant, plan, eligible, plan.excluded, excluded_at_home};
    const auto by_base =
        select({repository, service, variant, base, eligible, base.excluded, base.excluded},
               Mask(service.records.size(), true));
    decided.push_back(decide(now, relevant, by_base, out));
    note_soft_crossings(now, decided.back().fenced, by_base, out);
  }
  for (Decided& choices : decided) {
    if (out.made.empty()) choices.now = choices.fenced;
    ruling.cleared.choice_of_variant_.push_back(out.intern(std::move(choices.now)));
    ruling.cleared.fenced_choice_of_variant_.push_back(out.intern(std::move(choices.fenced)));
  }
  ruling.cleared.choices_ = std::move(out.choices);
  ruling.cleared.valid_until_ = out.valid_until;
  ruling.cleared.may_change_at_ = plan.may_change_at;
  if (out.narrowest != nullptr) {
    const Permission& told = *out.narrowest;
    ruling.cleared.mode_ = ModeSignal{told.mode, told.case_id, told.grant_id};
  }
  if (!out.held_to.empty()) {
    ruling.held = Held{{out.held_from.begin(), out.held_from.end()},
                       {out.held_to.begin(), out.held_to.end()}};
  }
  for (const auto& [what, from] : out.made) {
    const auto& [grant_id, to, of_tenant] = what;
    ruling.made.push_back({grant_id, to, {from.begin(), from.end()}, of_tenant});
  }
  ruling.held_rule = std::move(out.held_rule);
  ruling.held_by_rule = out.held_by_rule;
  ruling.rules = std::move(out.rules);
  ruling.soft_abroad.assign(out.soft_abroad.begin(), out.soft_abroad.end());
  return ruling;
}

}  // namespace demarc::zones
