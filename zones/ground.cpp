#include "zones/ground.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace demarc::zones {
namespace {

/// RFC 6890's registries, and the documentation networks (RFC 5737, 3849, 9637).
constexpr std::array<std::string_view, 26> special_networks = {
    "0.0.0.0/8",       "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12",   "192.0.0.0/24",   "192.0.2.0/24",  "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",   "240.0.0.0/4",    "::/128",
    "::1/128",         "100::/64",       "2001:2::/48",   "2001:db8::/32",  "3fff::/20",
    "5f00::/16",       "fc00::/7",       "fe80::/10",     "ff00::/8",       "64:ff9b:1::/48",
    "2001:10::/28"};

const std::vector<geo::Prefix>& special_prefixes() {
  static const std::vector<geo::Prefix> prefixes = [] {
    std::vector<geo::Prefix> list;
    for (const std::string_view text : special_networks) list.push_back(*geo::parse_prefix(text));
    return list;
  }();
  return prefixes;
}

/// One record's declaration, against one address.
struct Claim {
  const Policy& policy;
  const Service& service;
  const Record& record;
  const Region& region;
  const Jurisdiction& jurisdiction;

  Claim(const Repository& repository, const Service& of, const Record& which)
      : policy(repository.policy),
        service(of),
        record(which),
        region(policy.region(record.region)),
        jurisdiction(policy.jurisdiction(record.jurisdiction.value_or(region.jurisdiction))) {}

  [[nodiscard]] bool has(geo::Code2 country) const {
    return std::ranges::count(jurisdiction.countries, country) != 0;
  }

  [[nodiscard]] GroundFinding finding(std::string rule, const std::string& what) const {
    return {
        .rule = std::move(rule),
        .service = service.owner.text_without_dot(),
        .region = region.name,
        .text = fmt::format("{} record {} {}", service.owner.text_without_dot(), region.name, what),
        .place = record.place};
  }
};

/// What the ground says against the claim; nothing if it agrees.
std::optional<GroundFinding> judge(const Claim& claim, const std::string& which,
                                   const geo::Location& found) {
  const auto says = [&](std::string rule, const std::string& what) {
    auto finding = claim.finding(
        std::move(rule), fmt::format("{}: the database says {}, region {} lies in {}", which, what,
                                     claim.region.name, claim.jurisdiction.name));
    finding.says = what;
    return finding;
  };
  if (found.country.known() && !claim.has(found.country)) {
    return says("ground-country", std::string(found.country.text()));
  }
  if (found.registered_country.known() && !claim.has(found.registered_country)) {
    return says("ground-registered-country",
                fmt::format("it is registered in {}", found.registered_country.text()));
  }
  const bool declares_asns = !claim.region.asns.empty();
  if (declares_asns && found.asn != 0 && std::ranges::count(claim.region.asns, found.asn) == 0) {
    auto finding = claim.finding(
        "ground-asn", fmt::format("{}: the database says AS{}, which region {} does not declare",
                                  which, found.asn, claim.region.name));
    finding.says = fmt::format("AS{}", found.asn);
    return finding;
  }
  const bool knows_asn = declares_asns && found.asn != 0;
  if (found.country.known() || found.registered_country.known() || knows_asn) return std::nullopt;
  auto unknown =
      claim.finding("ground-unknown", fmt::format("{}: the database does not know it", which));
  unknown.is_disagreement = false;
  return unknown;
}

void compare(const Claim& claim, const geo::Address& address, const std::string& which,
             const LocateAddress& locate, GroundReport& report) {
  if (claim.jurisdiction.countries.empty()) return;
  if (is_special_purpose(address)) {
    ++report.skipped;
    return;
  }
  ++report.compared;
  if (auto finding = judge(claim, which, locate(address))) {
    report.findings.push_back(std::move(*finding));
  }
}

}  // namespace

bool is_special_purpose(const geo::Address& address) noexcept {
  const auto& prefixes = special_prefixes();
  return std::ranges::any_of(prefixes,
                             [&](const geo::Prefix& prefix) { return prefix.contains(address); });
}

GroundReport compare_with_ground(const Repository& repository, const LocateAddress& locate) {
  GroundReport report;
  for (const Service& service : repository.services) {
    if (service.tenants_of) continue;  // the same records as its service's
    for (const Record& record : service.records) {
      const Claim claim(repository, service, record);
      for (const geo::Address& address : record.addresses) {
        compare(claim, address, geo::to_text(address), locate, report);
      }
    }
  }
  return report;
}

std::vector<Name> cname_targets(const Repository& repository) {
  std::set<Name> targets;
  for (const Service& service : repository.services) {
    for (const Record& record : service.records) {
      if (record.addresses.empty()) targets.insert(record.endpoint_name);
    }
  }
  return {targets.begin(), targets.end()};
}

GroundReport compare_resolved(const Repository& repository, const ResolvedEndpoint& resolved,
                              bool require_validated, const LocateAddress& locate) {
  GroundReport report;
  const std::string target = resolved.target.text_without_dot();
  for (const Service& service : repository.services) {
    if (service.tenants_of) continue;
    for (const Record& record : service.records) {
      if (!record.addresses.empty() || record.endpoint_name != resolved.target) continue;
      const Claim claim(repository, service, record);
      if (require_validated && !resolved.is_validated) {
        auto finding = claim.finding(
            "ground-unvalidated",
            fmt::format("{}: the resolver could not validate it, so it is not compared", target));
        finding.is_disagreement = false;
        report.findings.push_back(std::move(finding));
        continue;
      }
      for (const geo::Address& address : resolved.addresses) {
        compare(claim, address, fmt::format("{} ({})", target, geo::to_text(address)), locate,
                report);
      }
    }
  }
  for (GroundFinding& finding : report.findings) {
    if (finding.is_disagreement) finding.rule = "ground-cname";
  }
  return report;
}

void add_disagreements(const GroundReport& report, Disagreements& disagreements) {
  for (const GroundFinding& finding : report.findings) {
    if (!finding.is_disagreement) continue;
    Disagreement& known = disagreements[{finding.service, finding.region}];
    if (!known.says.insert(finding.rule + " " + finding.says).second) continue;
    known.text += (known.text.empty() ? "" : "; ") + finding.text;
  }
}

void add_ground_warnings(const GroundReport& report, Diagnostics& diagnostics) {
  for (const GroundFinding& finding : report.findings) {
    if (!finding.is_disagreement) continue;
    diagnostics.warning(finding.place, finding.rule,
                        "{}; expected addresses of the region's jurisdiction", finding.text);
  }
}

}  // namespace demarc::zones
