#include "zones/alert_text.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/grant.h"
#include "zones/tenants.h"

namespace demarc::zones {
namespace {

const Service& named(const Repository& repository, const Service& service) {
  return service.tenants_of ? repository.service(*service.tenants_of) : service;
}

std::string home_text(const Policy& policy, const Service& service) {
  if (service.home_kind == HomeKind::client) return "client";
  return service.home ? policy.jurisdiction(*service.home).name : std::string{};
}

AlertDetails details_of(const Repository& repository, const Service& service, std::string state) {
  AlertDetails details;
  details.zone = repository.zones.at(service.zone).apex.text_without_dot();
  details.service = named(repository, service).owner.text_without_dot();
  details.residency = to_text(service.residency);
  details.home = home_text(repository.policy, service);
  details.access = to_text(service.access);
  details.regulated_tenants = regulated_tenants(repository, service);
  details.state = std::move(state);
  return details;
}

GrantScope scope_of(const Service& service, const PendingChange& change) {
  GrantScope scope;
  scope.zone = change.zone;
  scope.service = change.service;
  scope.from = change.from;
  scope.to = change.to;
  scope.mode = static_cast<Mode>(service.access);
  return scope;
}

std::vector<std::string> approvers(const Repository& repository, const GrantScope& scope) {
  std::vector<std::string> list;
  if (!repository.policy.approvals) return list;
  const Required* required = find_required(*repository.policy.approvals, scope);
  if (required == nullptr) return list;
  for (const auto& [role, count] : *required) list.push_back(fmt::format("{} {}", count, role));
  return list;
}

/// Regions inside a fixed home that are not among those that failed.
std::vector<std::string> standbys(const Repository& repository, const Service& service,
                                  const std::vector<std::string>& failed) {
  std::set<std::string> regions;
  for (const Record& record : service.records) {
    if (!service.home || service.home_kind == HomeKind::client) break;
    const Region& region = repository.policy.region(record.region);
    if (lies_inside(repository.policy, record, *service.home) &&
        std::ranges::count(failed, region.name) == 0) {
      regions.insert(region.name);
    }
  }
  return {regions.begin(), regions.end()};
}

/// Everything of `demarc token issue` that names the change; a tenant as well, where only one of a
/// class is meant.
std::string claims_text(const Repository& repository, const Service& service,
                        const PendingChange& change, bool of_one_tenant) {
  return fmt::format(
      "--key KEY.pem --kid KEY-ID --audience {} --zone {} --service {}{} --from {} --to {} --mode "
      "{} --reason WHY --case CASE",
      repository.policy.approvals ? repository.policy.approvals->audience : "AUDIENCE", change.zone,
      named(repository, service).owner.text_without_dot(), of_one_tenant ? " --tenant NAME" : "",
      fmt::join(change.from, ","), fmt::join(change.to, ","),
      to_text(static_cast<Mode>(service.access)));
}

/// How to see who answers and why. A class of tenants is no name to ask for.
std::string look_command(const Repository& repository, const Service& service) {
  const std::string owner = named(repository, service).owner.text_without_dot();
  return service.tenants_of ? "demarc tenant NAME --service " + owner : "demarc explain " + owner;
}

/// The lawful ones, the one that moves least first.
void add_options(const Repository& repository, const Service& service, const PendingChange& change,
                 const HeldBack& held, AlertDetails& details) {
  const std::string look = look_command(repository, service);
  details.options.emplace_back("wait, and mend home", look);
  for (const std::string& region : standbys(repository, service, change.from)) {
    details.options.emplace_back("use the lawful standby " + region, look);
  }
  const bool is_class = service.tenants_of.has_value();
  if (!held.by_rule && !details.approvers.empty()) {
    const std::string who = fmt::format("{}", fmt::join(details.approvers, ", "));
    if (is_class) {
      details.options.emplace_back("ask for approval for one tenant alone by " + who,
                                   approval_command(repository, service, change, Whom::one_tenant));
    }
    details.options.emplace_back(
        (is_class ? "ask for approval for all tenants of the class by " : "ask for approval by ") +
            who,
        approval_command(repository, service, change, Whom::all));
    details.options.emplace_back("present each approval", "demarc approve TOKEN");
  }
  const auto& approvals = repository.policy.approvals;
  if (!held.by_rule && approvals && approvals->break_glass) {
    details.options.emplace_back(
        is_class ? "break glass for one tenant: tells everyone, must be reviewed"
                 : "break glass: tells everyone, must be reviewed",
        fmt::format("demarc token issue --type break-glass {} --for 30m > TOKEN",
                    claims_text(repository, service, change, is_class)));
  }
  details.options.emplace_back("keep health from moving anything", "demarc freeze --reason WHY");
}

}  // namespace

std::string approval_command(const Repository& repository, const Service& service,
                             const PendingChange& change, Whom whom) {
  return fmt::format("demarc token issue {} --for 1h --change {} > TOKEN",
                     claims_text(repository, service, change, whom == Whom::one_tenant), change.id);
}

std::string name_of(const Repository& repository, const Service& service) {
  const std::string owner = named(repository, service).owner.text_without_dot();
  return service.tenants_of ? fmt::format("{} (tenants of {})", owner, service.label) : owner;
}

std::size_t regulated_tenants(const Repository& repository, const Service& service) {
  if (!repository.tenants) return 0;
  const auto id = repository.find_service(service.owner);
  return id ? repository.tenants->regulated_in(*id) : 0;
}

Alert held_alert(const Repository& repository, const Service& service, const PendingChange& change,
                 const HeldBack& held) {
  Alert alert;
  alert.key = "held/" + change.id;
  alert.since = change.since;
  alert.level = service.residency == Residency::hard ? AlertLevel::critical : AlertLevel::warning;
  AlertDetails& details = alert.details = details_of(repository, service, "held");
  const std::string from = fmt::format("{}", fmt::join(change.from, ","));
  const std::string to = fmt::format("{}", fmt::join(change.to, ","));
  details.wanted = fmt::format("from {} to {}", from, to);
  details.why = held.why;
  details.rule = held.rule;
  details.evidence = change.evidence;
  details.change = change.id;
  if (!held.by_rule) details.approvers = approvers(repository, scope_of(service, change));
  add_options(repository, service, change, held, details);
  const std::string way = held.by_rule ? fmt::format("Rule {} forbids it", held.rule)
                                       : std::string("To allow it: demarc approve TOKEN");
  alert.text = fmt::format(
      "Do not fail over {} from {} to {} without approval: {} is held back at the border ({}). {}",
      name_of(repository, service), from, to, change.id, change.evidence, way);
  return alert;
}

Alert crossing_alert(const Repository& repository, const Service& service,
                     const CrossingFacts& facts, WallTime since) {
  const std::string what = fmt::format("{}", fmt::join(facts.crossings, ", "));
  Alert alert;
  alert.key = "crossing/" + service.owner.text_without_dot();
  alert.text = fmt::format("{} answers outside home: {}", name_of(repository, service), what);
  alert.since = since;
  alert.details = details_of(repository, service, "crossing");
  alert.details.wanted = what;
  alert.details.why = "live grants cover it";
  alert.details.rule = facts.rule;
  alert.details.evidence = facts.evidence;
  alert.details.deadline = facts.deadline;
  for (const std::string& crossing : facts.crossings) {
    const std::string grant = crossing.substr(0, crossing.find(' '));
    alert.details.options.emplace_back("end it now", "demarc revoke " + grant + " --reason WHY");
  }
  return alert;
}

Alert soft_alert(const Repository& repository, const Service& service, const std::string& where,
                 const CrossingFacts& facts, WallTime since) {
  Alert alert;
  alert.key = "soft/" + service.owner.text_without_dot();
  alert.text = fmt::format("{} (soft residency) answers outside home: {}",
                           name_of(repository, service), where);
  alert.since = since;
  alert.details = details_of(repository, service, "soft-crossing");
  alert.details.wanted = "to " + where;
  alert.details.why = "soft residency lets it cross";
  alert.details.rule = facts.rule;
  alert.details.evidence = facts.evidence;
  alert.details.options.emplace_back("mend home", look_command(repository, service));
  return alert;
}

Alert assertion_alert(const Repository& repository, const Service& service, const std::string& ids,
                      const std::string& evidence, WallTime since) {
  Alert alert;
  alert.key = "assertion/" + service.owner.text_without_dot();
  alert.text = fmt::format("assertion {} decides what answers {}, against health or orders", ids,
                           name_of(repository, service));
  alert.since = since;
  alert.details = details_of(repository, service, "assertion");
  alert.details.rule = ids;
  alert.details.evidence = evidence;
  alert.details.options.emplace_back("mend what is down", look_command(repository, service));
  return alert;
}

Alert leash_alert(const Repository& repository, const Service& service, const Leashed& leashed,
                  const std::string& evidence, WallTime since) {
  Alert alert;
  alert.key = "leash/" + service.owner.text_without_dot();
  alert.text = fmt::format("the leash on {} keeps the answers as they were: {}",
                           name_of(repository, service), leashed.what);
  alert.since = since;
  alert.details = details_of(repository, service, "leashed");
  alert.details.why = leashed.what;
  alert.details.evidence = evidence;
  alert.details.options.emplace_back("mend what is down", look_command(repository, service));
  alert.details.options.emplace_back("take it out by order, which no leash holds",
                                     "demarc drain ENDPOINT --reason WHY --for 1h");
  if (leashed.waits_for_a_word) {
    alert.details.options.emplace_back(
        "let it come home",
        fmt::format("demarc failback {} --reason WHY",
                    service.tenants_of
                        ? repository.service(*service.tenants_of).owner.text_without_dot()
                        : service.owner.text_without_dot()));
  }
  return alert;
}

Alert node_alert(std::string key, std::string text, WallTime since, AlertLevel level,
                 std::vector<std::pair<std::string, std::string>> options) {
  Alert alert;
  alert.details.state = key;
  alert.details.why = text;
  alert.details.options = std::move(options);
  alert.key = std::move(key);
  alert.text = std::move(text);
  alert.since = since;
  alert.level = level;
  return alert;
}

}  // namespace demarc::zones
