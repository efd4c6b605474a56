// When a failover starts and when it ends, as the repository has it: the chapters that NIS2 and
// DORA ask of a tested plan. Part of zones/drill/judge.h.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/drill/judge.h"
#include "zones/drill/scenario_rules.h"

namespace demarc::zones::drill {
namespace {

std::string needs_text(const Required& required) {
  std::vector<std::string> parts;
  for (const auto& [role, persons] : required) parts.push_back(fmt::format("{} {}", persons, role));
  return fmt::format("{}", fmt::join(parts, " and "));
}

/// Who must sign for the service's access, by the first rule that covers it.
std::string approvals_text(const Repository& repository, const Service& service) {
  if (!repository.policy.approvals) return "the policy has no approvals: nobody can allow it";
  const std::string zone = repository.zones[service.zone].apex.text_without_dot();
  for (const ApprovalRule& rule : repository.policy.approvals->rules) {
    if ((rule.zone != "*" && rule.zone != zone) || !covers(rule.mode, service.access)) continue;
    return fmt::format("a crossing needs approval tokens of {}, mode {}", needs_text(rule.require),
                       to_text(rule.mode));
  }
  return "no rule of the policy allows a crossing";
}

void add_service(Report& report, const Repository& repository, const Service& service) {
  const std::string owner = service.owner.text_without_dot();
  for (const HealthCheck& check : service.checks) {
    report.activation.push_back(fmt::format(
        "{}: {} fails {} probes in a row, one every {} with a timeout of {}; at most {} after its "
        "death",
        owner, check.host, check.fall, duration_text(check.interval), duration_text(check.timeout),
        duration_text(detection_worst_case(check))));
    report.deactivation.push_back(fmt::format(
        "{}: {} answers {} probes in a row; the weights return by themselves, caches follow "
        "within the TTL of {} s",
        owner, check.host, check.rise, service.ttl));
  }
  if (service.residency != Residency::hard) return;
  report.activation.push_back(
      fmt::format("{} (hard residency): {}", owner, approvals_text(repository, service)));
  report.deactivation.push_back(fmt::format(
      "{} (hard residency): a crossing ends when its grant ends or is revoked, or home answers "
      "again",
      owner));
}

}  // namespace

void add_conditions(Report& report, const Scenario& scenario, const Repository& repository) {
  report.sign_off = repository.policy.approvals ? repository.policy.approvals->drill : Required{};
  for (const auto& [role, persons] : scenario.sign_off) {
    report.sign_off[role] = std::max(report.sign_off[role], persons);
  }
  report.activation = scenario.activation;
  report.deactivation = scenario.deactivation;
  for (const ServiceId id : services_in_scope(scenario, repository)) {
    add_service(report, repository, repository.service(id));
  }
}

}  // namespace demarc::zones::drill
