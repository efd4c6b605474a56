// The oracle's judgement of answers: who may get what, by DESIGN.md section 4. Its book of grants
// is in tests/simulation/oracle_book.cpp.
#include <algorithm>

#include <fmt/format.h>

#include "tests/simulation/oracle.h"
#include "zones/tenants.h"
#include "zones/time_text.h"

namespace demarc::simulation {

using namespace zones;

namespace {

bool is_inside(const Policy& policy, JurisdictionId home, JurisdictionId where) {
  return where == home ||
         std::ranges::count(policy.jurisdictions[index_of(home)].approved_standby, where) != 0;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::count(names, name) != 0;
}

}  // namespace

Oracle::Home Oracle::home_of(const Service& service, const Client& client) const {
  if (service.home_kind != HomeKind::client) return service.home;
  for (std::size_t i = 0; i < policy().jurisdictions.size(); ++i) {
    if (std::ranges::count(policy().jurisdictions[i].countries, client.country) != 0) {
      return JurisdictionId{static_cast<std::uint16_t>(i)};
    }
  }
  return service.home;
}

std::vector<RegionId> Oracle::route_of(const Service& service, const Client& client) const {
  if (const auto* lines = std::get_if<RouteLines>(&service.route)) {
    for (const RouteLine& line : lines->lines) {
      const auto* countries = std::get_if<MatchCountry>(&line.match);
      if (countries == nullptr || std::ranges::count(countries->countries, client.country) != 0) {
        return line.to;
      }
    }
  }
  if (const auto* nearest = std::get_if<RouteNearest>(&service.route)) return nearest->regions;
  return {};
}

/// Where a record's endpoint lies: as declared of it, else where its region does.
JurisdictionId Oracle::place_of(const Record& record) const {
  return record.jurisdiction ? *record.jurisdiction
                             : policy().regions[index_of(record.region)].jurisdiction;
}

bool Oracle::is_home(const View& view, const Record& record) const {
  if (!view.home || index_of(record.region) >= policy().regions.size()) return false;
  // Contradictory tags count as foreign.
  return is_inside(policy(), *view.home, place_of(record)) &&
         is_inside(policy(), *view.home, policy().regions[index_of(record.region)].jurisdiction);
}

bool Oracle::is_on_route(const View& view, const Record& record) const {
  return view.route.empty() || std::ranges::count(view.route, record.region) != 0;
}

bool Oracle::is_open(const Service& service, const HealthCheck& check) const {
  if (remembered_.checks.at(check.key).failing) {
    return service.leash.failover_delay > Milliseconds{0} || policy().mass_failure.share < 100;
  }
  // A delay on the way back keeps nobody abroad; a person's word may.
  const auto back = came_back_.find(service.owner.text_without_dot());
  return service.leash.failback_by_hand && back != came_back_.end() &&
         back->second.contains(check.key) && has_open_crossing(service);
}

bool Oracle::counts_as_failing(const HealthCheck& check) const {
  const auto assumed = assumed_.find(check.key);
  return assumed == assumed_.end() ? remembered_.checks.at(check.key).failing : assumed->second;
}

bool Oracle::may_be(const Service& service, const std::function<bool()>& holds) const {
  if (holds()) return true;
  std::vector<std::string> open;
  for (const HealthCheck& check : service.checks) {
    if (is_open(service, check)) open.push_back(check.key);
  }
  bool is_true = false;
  for (std::size_t way = 0; !is_true && way < std::size_t{1} << open.size(); ++way) {
    for (std::size_t i = 0; i < open.size(); ++i) assumed_[open[i]] = (way >> i & 1) != 0;
    is_true = holds();
  }
  assumed_.clear();
  return is_true;
}

bool Oracle::is_usable(const Service& service, std::size_t record) const {
  const std::string& region = policy().regions[index_of(service.records[record].region)].name;
  for (const auto& [id, order] : orders_) {
    if (order.target == region) return false;
  }
  unsigned votes = 0, failing = 0;
  for (const HealthCheck& check : service.checks) {
    if (index_of(check.record) != record) continue;
    votes += check.votes;
    failing += counts_as_failing(check) ? check.votes : 0;
  }
  return failing == 0 || failing < std::min(service.quorum, votes);
}

/// The wanted weights: base, then on-fail in the file's order, then what is down or drained. What
/// is degraded has less, which is for nobody a reason to go elsewhere: it counts in full here.
std::vector<unsigned> Oracle::weights_of(const Service& service) const {
  std::vector<unsigned> weights;
  for (const Record& record : service.records) weights.push_back(record.weight);
  std::set<std::size_t> without_on_fail;
  for (const HealthCheck& check : service.checks) {
    if (!counts_as_failing(check)) continue;
    for (const SetWeight& set : check.on_fail) weights[index_of(set.record)] = set.weight;
    if (!check.has_on_fail && check.votes != 0) without_on_fail.insert(index_of(check.record));
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::string& region = policy().regions[index_of(service.records[i].region)].name;
    const bool is_drained = std::ranges::any_of(
        orders_, [&](const auto& order) { return order.second.target == region; });
    if (is_drained || (without_on_fail.contains(i) && !is_usable(service, i))) weights[i] = 0;
  }
  return weights;
}

/// A home region fails when all of it that carried traffic, or all that it has, is gone.
bool Oracle::has_failed(const View& view, RegionId region) const {
  const auto weights = weights_of(view.service);
  bool had_weight = false, is_any = false, is_any_usable = false;
  for (std::size_t i = 0; i < view.service.records.size(); ++i) {
    const Record& record = view.service.records[i];
    if (record.region != region || !is_home(view, record)) continue;
    if (weights[i] > 0) return false;
    is_any = true;
    had_weight = had_weight || record.weight > 0;
    is_any_usable = is_any_usable || is_usable(view.service, i);
  }
  return is_any && (had_weight || !is_any_usable);
}

bool Oracle::reaches(const Grant& grant, const View& view) const {
  const Repository& repository = *configuration_->repository;
  if (grant.scope.zone != repository.zones[view.service.zone].apex.text_without_dot()) return false;
  if (grant.scope.service == "*") return true;
  if (!view.service.tenants_of) {
    return !grant.scope.tenant && grant.scope.service == view.service.owner.text_without_dot();
  }
  const Service& parent = repository.service(*view.service.tenants_of);
  if (grant.scope.service != parent.owner.text_without_dot()) return false;
  if (!grant.scope.tenant) return true;
  return view.weights.tenant() == *grant.scope.tenant && repository.tenants &&
         repository.tenants->class_of(*view.service.tenants_of, *grant.scope.tenant) ==
             view.weights.service();
}

/// The first rule about answering from there; null: none is about it.
const ResidencyRule* Oracle::rule_about(const View& view, JurisdictionId to,
                                        std::optional<Mode> mode) const {
  const Repository& repository = *configuration_->repository;
  const std::string zone = repository.zones[view.service.zone].apex.text_without_dot();
  const std::string service = named_of(view.service).owner.text_without_dot();
  for (const ResidencyRule& rule : policy().residency_rules) {
    if (rule.zone != "*" && rule.zone != zone) continue;
    if (rule.service != "*" && rule.service != service) continue;
    if (!rule.from.empty() && (!view.home || std::ranges::count(rule.from, *view.home) == 0)) {
      continue;
    }
    if (!rule.to.empty() && std::ranges::count(rule.to, to) == 0) continue;
    if (!rule.mode || rule.mode == mode) return &rule;
  }
  return nullptr;
}

bool Oracle::is_allowed_by_rules(const View& view, const Record& record, const Grant& grant) const {
  if (policy().residency_rules.empty()) return true;
  const ResidencyRule* rule = rule_about(view, place_of(record), grant.scope.mode);
  return rule != nullptr && rule->effect == Effect::allow;
}

unsigned Oracle::share_granted(const View& view, const Record& record, Mode at_least) const {
  const auto& [region, jurisdiction, location, asns] = policy().regions[index_of(record.region)];
  // Signed was the law of the region, and not of where one target is declared to lie.
  if (place_of(record) != jurisdiction) return 0;
  unsigned share = 0;
  for (const auto& [id, grant] : grants_) {
    if (grant.is_dead || grant.ends <= remembered_.believed || !is_complete(grant)) continue;
    if (!view.weights.valid_until() || grant.ends < *view.weights.valid_until()) continue;
    if (!reaches(grant, view) || !has(grant.scope.to, region)) continue;
    if (static_cast<int>(grant.scope.mode) < static_cast<int>(view.service.access)) continue;
    const bool has_cause = std::ranges::any_of(grant.scope.from, [&](const std::string& from) {
      const auto found = std::ranges::find(policy().regions, from, &Region::name);
      if (found == policy().regions.end()) return false;
      const RegionId left{static_cast<std::uint16_t>(found - policy().regions.begin())};
      return may_be(view.service, [&] { return has_failed(view, left); });
    });
    if (static_cast<int>(grant.scope.mode) < static_cast<int>(at_least)) continue;
    if (!has_cause || !is_allowed_by_rules(view, record, grant)) continue;
    share = std::max(share, grant.scope.max_share.value_or(100));
  }
  return share;
}

void Oracle::judge(bool before_step) {
  if (!configuration_ || !violation_.empty()) return;
  for (const auto& [at, weights] : served_) {
    if (before_step && !weights.valid_until()) continue;
    judge_weights(weights, before_step);
  }
}

void Oracle::judge_weights(const ClearedWeights& weights, bool before_step) {
  const Repository& repository = *configuration_->repository;
  const Service& service = repository.service(weights.service());
  const auto& variants = configuration_->views->variant_of_class(service.view);
  const bool has_ended = weights.valid_until() && remembered_.believed >= *weights.valid_until();
  for (const Client& client : clients_) {
    const VariantId variant = variants[client.location_class];
    const View view{service, home_of(service, client), route_of(service, client), weights};
    const auto now = weights.choice_of_variant().at(variant);
    const auto fenced = weights.fenced_choice_of_variant().at(variant);
    if (!before_step) judge_choice(view, weights.choices().at(fenced), Role::fenced);
    if (now == fenced || has_ended) continue;
    const Choice& choice = weights.choices().at(now);
    // That the clock went back, or that `from` is well again, a query thread cannot know.
    if (before_step) {
      const bool has_grant = std::ranges::any_of(grants_, [&](const auto& known) {
        return known.second.ends > remembered_.believed && is_complete(known.second);
      });
      if (!has_grant) violated(service.label + " answers by a choice whose grants have ended");
      continue;
    }
    judge_choice(view, choice, Role::now);
    judge_share(view, choice);
  }
  if (!before_step && !has_ended) judge_mode(weights);
}

void Oracle::judge_choice(const View& view, const Choice& choice, Role role) {
  judge_emptiness(view, choice, role);
  judge_assertions(view, choice);
  judge_soft(view, choice);
  if (choice.note == ChoiceNote::held) ++held_seen;
  if (view.service.residency != Residency::hard) return;
  for (const WeightedRecord& weighted : choice.records) {
    const Record& record = view.service.records.at(index_of(weighted.record));
    if (is_home(view, record)) continue;
    const std::string what = fmt::format("{} answers {}", view.service.label, record.endpoint);
    if (role != Role::now) return violated(what + " outside home without a grant");
    ++crossings_seen;
    if (view.service.tenants_of) ++tenants_seen;
    if (in_doubt_) return violated(what + " outside home while the clock is in doubt");
    if (!view.weights.valid_until()) return violated(what + " outside home without an end");
    if (share_granted(view, record) == 0)
      return violated(what + " outside home: nobody allowed it");
    const auto& told = view.weights.mode();
    if (told && share_granted(view, record, told->mode) == 0)
      return violated(what + " outside home under a narrower mode than it tells");
  }
}

/// Each record of the service: region, place, base and wanted weight, whether it is home.
std::string Oracle::records_text(const View& view) const {
  std::string text;
  const auto weights = weights_of(view.service);
  for (std::size_t i = 0; i < view.service.records.size(); ++i) {
    const Record& record = view.service.records[i];
    text += fmt::format(
        "; {} in {} weight {} wants {}{}{}{}", policy().regions[index_of(record.region)].name,
        policy().jurisdictions[index_of(place_of(record))].name, record.weight, weights[i],
        is_home(view, record) ? " home" : "", is_usable(view.service, i) ? " usable" : "",
        is_on_route(view, record) ? " on-route" : "");
  }
  return text;
}

bool Oracle::is_any_lawful(const View& view, bool is_hard) const {
  const auto weights = weights_of(view.service);
  for (std::size_t i = 0; i < view.service.records.size(); ++i) {
    const Record& record = view.service.records[i];
    if (!is_on_route(view, record) || (is_hard && !is_home(view, record))) continue;
    if (weights[i] > 0 || is_usable(view.service, i)) return true;
  }
  return false;
}

/// Automation never empties an answer: only on-block does, or a home without any record.
void Oracle::judge_emptiness(const View& view, const Choice& choice, Role role) {
  if (choice.kind == ChoiceKind::records) {
    const bool is_good = std::ranges::all_of(
        choice.records, [](const WeightedRecord& record) { return record.weight > 0; });
    if (choice.records.empty() || !is_good) violated(view.service.label + " draws from nothing");
    return;
  }
  // A residency rule may deny a soft service what lies abroad.
  const bool is_soft_ruled =
      view.service.residency == Residency::soft && !policy().residency_rules.empty();
  const bool is_hard = view.service.residency == Residency::hard || is_soft_ruled;
  bool is_any = false;
  for (const Record& record : view.service.records) {
    is_any = is_any || (is_on_route(view, record) && (!is_hard || is_home(view, record)));
  }
  const bool is_any_well = !may_be(view.service, [&] { return !is_any_lawful(view, is_hard); });
  const OnBlock& block = view.service.on_block;
  const bool by_on_block =
      is_hard && choice.note == ChoiceNote::held &&
      ((block.answer == BlockAnswer::nodata && choice.kind == ChoiceKind::nodata) ||
       (block.answer == BlockAnswer::servfail && choice.kind == ChoiceKind::servfail) ||
       (block.answer == BlockAnswer::record && choice.kind == ChoiceKind::nodata &&
        !is_home(view, view.service.record(block.record))));
  // What may never answer together keeps a record off only beside another that answers: abroad
  // under a grant, or for clients with another home.
  const bool is_beside = view.service.home_kind == HomeKind::client ||
                         (role != Role::fenced && view.weights.valid_until());
  const bool is_asserted =
      is_beside && has_assertion(view.service, Assertion::Kind::never_together);
  // Such a repository does not load, so nobody's weights need to make sense of it.
  const bool is_unlike_any_file =
      std::ranges::any_of(policy().assertions, [&](const Assertion& assertion) {
        return is_about(assertion, view.service) && !base_obeys(assertion, view.service);
      });
  if (is_any && !by_on_block && !is_asserted) {
    violated(fmt::format(
        "{} answers nothing although a record may: kind {}, note {}, on-block {} {}{}",
        view.service.label, static_cast<int>(choice.kind), static_cast<int>(choice.note),
        static_cast<int>(block.answer), index_of(block.record), records_text(view)));
  } else if (is_any_well && !is_asserted && !is_unlike_any_file) {
    violated(fmt::format("{} blocks although a lawful record is well: kind {}, on-block {} {}{}",
                         view.service.label, static_cast<int>(choice.kind),
                         static_cast<int>(block.answer), index_of(block.record),
                         records_text(view)));
  }
}

/// A soft service crosses without a grant, but not where a rule denies it: neither to where a
/// record runs nor to where it is declared to lie.
void Oracle::judge_soft(const View& view, const Choice& choice) {
  if (view.service.residency != Residency::soft || !view.home) return;
  for (const WeightedRecord& weighted : choice.records) {
    const Record& record = view.service.records.at(index_of(weighted.record));
    const JurisdictionId runs = policy().regions[index_of(record.region)].jurisdiction;
    for (const JurisdictionId where : {runs, place_of(record)}) {
      if (is_inside(policy(), *view.home, where)) continue;
      const ResidencyRule* rule = rule_about(view, where, std::nullopt);
      if (rule == nullptr || rule->effect == Effect::allow) continue;
      return violated(fmt::format("{} answers {} although the rule {} denies it",
                                  view.service.label, record.endpoint, rule->id));
    }
  }
}

bool Oracle::is_about(const Assertion& assertion, const Service& service) const {
  const Repository& repository = *configuration_->repository;
  const std::string zone = repository.zones[service.zone].apex.text_without_dot();
  return (assertion.zone == "*" || assertion.zone == zone) &&
         (assertion.service == "*" ||
          assertion.service == named_of(service).owner.text_without_dot());
}

bool Oracle::has_assertion(const Service& service, Assertion::Kind kind) const {
  return std::ranges::any_of(policy().assertions, [&](const Assertion& assertion) {
    return assertion.kind == kind && is_about(assertion, service);
  });
}

/// Base weights that break an assertion do not load.
bool Oracle::base_obeys(const Assertion& assertion, const Service& service) const {
  std::set<RegionId> on;
  for (const Record& record : service.records) {
    const bool is_named = std::ranges::count(assertion.regions, record.region) != 0;
    if (is_named && record.weight > 0) on.insert(record.region);
  }
  return assertion.kind == Assertion::Kind::never_together ? on.size() <= 1
                                                           : on.size() >= assertion.count;
}

/// Regions that may not answer together do not, whatever failed and whoever signed.
void Oracle::judge_assertions(const View& view, const Choice& choice) {
  for (const Assertion& assertion : policy().assertions) {
    if (assertion.kind != Assertion::Kind::never_together) continue;
    if (!is_about(assertion, view.service) || !base_obeys(assertion, view.service)) continue;
    std::set<RegionId> on;
    for (const WeightedRecord& weighted : choice.records) {
      const RegionId region = view.service.records.at(index_of(weighted.record)).region;
      if (std::ranges::count(assertion.regions, region) != 0) on.insert(region);
    }
    ++asserted_seen;
    if (on.size() > 1) {
      return violated(view.service.label + " answers from regions that exclude each other");
    }
  }
}

void Oracle::judge_share(const View& view, const Choice& choice) {
  if (view.service.residency != Residency::hard || !violation_.empty()) return;
  unsigned total = 0;
  for (const WeightedRecord& record : choice.records) total += record.weight;
  for (const WeightedRecord& weighted : choice.records) {
    const Record& record = view.service.records.at(index_of(weighted.record));
    if (is_home(view, record)) continue;
    const unsigned granted = share_granted(view, record);
    if (granted < 100) ++shares_seen;
    if (choice.share * weighted.weight > granted * total) {
      violated(
          fmt::format("{} gives {} more than {} %", view.service.label, record.endpoint, granted));
    }
  }
  if (choice.share == 100) return;
  if (choice.share == 0 || choice.share > 100 ||
      choice.otherwise >= view.weights.choices().size()) {
    return violated(view.service.label + " has a share that makes no sense");
  }
  const Choice& rest = view.weights.choices()[choice.otherwise];
  if (rest.share != 100) violated(view.service.label + " has a share of a share");
  judge_choice(view, rest, Role::rest);
}

/// What the application is told is an exception that lives, whenever one is used.
void Oracle::judge_mode(const ClearedWeights& weights) {
  if (!weights.valid_until() || !violation_.empty()) return;
  const auto grant = weights.mode() ? grants_.find(weights.mode()->grant_id) : grants_.end();
  if (grant == grants_.end()) return violated("a crossing whose mode is not told");
  if (grant->second.scope.mode != weights.mode()->mode) violated("a mode that was not granted");
  if (std::ranges::count(grant->second.tokens, weights.mode()->case_id, &Token::case_id) == 0) {
    violated("the mode names a case that nobody signed");
  }
}

}  // namespace demarc::simulation
