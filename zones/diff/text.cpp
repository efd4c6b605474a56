#include "zones/diff/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/digest.h"
#include "zones/https_binding.h"
#include "zones/time_text.h"
#include "zones/yaml/fields.h"
#include "zones/yaml/service_file.h"

namespace demarc::zones::diff {
namespace {

template <typename Values, typename Text>
std::string list_text(const Values& values, const Text& text) {
  std::vector<std::string> words;
  for (const auto& value : values) words.emplace_back(text(value));
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string match_text(const Policy& policy, const Match& match) {
  const auto same = [](const auto& value) { return fmt::format("{}", value); };
  const auto code = [](const geo::Code2& value) { return value.text(); };
  if (const auto* m = std::get_if<MatchNetwork>(&match)) {
    return "network " + list_text(m->prefixes, [](const auto& p) { return geo::to_text(p); });
  }
  if (const auto* m = std::get_if<MatchAsn>(&match)) return "asn " + list_text(m->asns, same);
  if (const auto* m = std::get_if<MatchSubdivision>(&match)) {
    return "subdivision " + list_text(m->subdivisions, same);
  }
  if (const auto* m = std::get_if<MatchCountry>(&match)) {
    return "country " + list_text(m->countries, code);
  }
  if (const auto* m = std::get_if<MatchContinent>(&match)) {
    return "continent " + list_text(m->continents, code);
  }
  if (const auto* m = std::get_if<MatchJurisdiction>(&match)) {
    return "jurisdiction " + jurisdiction_names(policy, m->jurisdictions);
  }
  return "default";
}

std::string probe_at_text(const std::optional<ProbeAt>& at) {
  if (!at) return {};
  return fmt::format(" at {} port {}", geo::to_text(at->address), at->port);
}

}  // namespace

std::string required_text(const Required& required) {
  if (required.empty()) return "nobody";
  return list_text(required,
                   [](const auto& one) { return fmt::format("{}: {}", one.first, one.second); });
}

std::string time_text(const std::optional<WallTime>& time) {
  return time ? to_rfc3339(*time) : std::string("no end");
}

std::string duration_text(Milliseconds duration) { return yaml::to_text(duration); }

std::string region_names(const Policy& policy, const std::vector<RegionId>& regions) {
  return list_text(regions, [&](RegionId id) { return policy.region(id).name; });
}

std::string jurisdiction_names(const Policy& policy,
                               const std::vector<JurisdictionId>& jurisdictions) {
  return list_text(jurisdictions, [&](JurisdictionId id) { return policy.jurisdiction(id).name; });
}

std::string home_text(const Policy& policy, const Service& service) {
  const std::string named = service.home ? policy.jurisdiction(*service.home).name : "";
  switch (service.home_kind) {
    case HomeKind::none:
      return "none";
    case HomeKind::jurisdiction:
      return named;
    case HomeKind::client:
      return named.empty() ? "client" : "client, else " + named;
    case HomeKind::tenant:
      return "tenant";
  }
  return "none";
}

std::string route_text(const Policy& policy, const Route& route) {
  if (const auto* lines = std::get_if<RouteLines>(&route)) {
    std::vector<std::string> texts;
    for (const RouteLine& line : lines->lines) {
      texts.push_back(
          fmt::format("{} to {}", match_text(policy, line.match), region_names(policy, line.to)));
    }
    return fmt::format("{}", fmt::join(texts, "; "));
  }
  if (const auto* nearest = std::get_if<RouteNearest>(&route)) {
    return fmt::format("nearest of {}{}", region_names(policy, nearest->regions),
                       nearest->limit ? fmt::format(", at most {}", *nearest->limit) : "");
  }
  return "weighted";
}

std::string on_block_text(const Service& service) {
  switch (service.on_block.answer) {
    case BlockAnswer::hold:
      return "hold";
    case BlockAnswer::nodata:
      return "nodata";
    case BlockAnswer::servfail:
      return "servfail";
    case BlockAnswer::record:
      return service.record(service.on_block.record).endpoint;
  }
  return "hold";
}

std::string activation_text(const Policy& policy, const Activation& activation) {
  std::string text = activation.target_healthy ? "target healthy" : "target need not be healthy";
  if (activation.capacity) text += fmt::format(", capacity {} %", *activation.capacity);
  for (const LagCheck& lag : activation.lag) {
    text += fmt::format(", lag of {} at most {} ({} {}{} every {}, timeout {})",
                        policy.region(lag.region).name, lag.max, lag.url, lag.pointer,
                        probe_at_text(lag.probe_at), duration_text(lag.interval),
                        duration_text(lag.timeout));
  }
  return text;
}

/// How it is asked where that is not as usual, and which status is expected.
std::string request_text(const HealthCheck& check) {
  std::string text;
  if (check.method == ProbeMethod::head) text += ", HEAD";
  if (check.http_version == HttpVersion::http2) text += ", HTTP/2";
  for (const StatusRange& range : check.expect_status) {
    text += fmt::format(", {}-{}", range.first, range.last);
  }
  return text;
}

std::string expectation_text(const ExpectedAnswer& expect) {
  std::string text;
  if (!expect.body.empty()) text += fmt::format(", body has `{}`", expect.body);
  for (const auto& [name, value] : expect.headers) {
    text += fmt::format(", header {} is `{}`", name, value);
  }
  for (const auto& [pointer, value] : expect.values) {
    text += fmt::format(", JSON {} is `{}`", pointer, value);
  }
  if (!expect.query_value.empty()) text += fmt::format(", value {}", expect.query_value);
  for (const std::string& answer : expect.answers) text += fmt::format(", answer `{}`", answer);
  if (expect.certificate_left.count() != 0) {
    text += ", certificate for " + duration_text(expect.certificate_left);
  }
  return text;
}

std::string quorum_text(unsigned quorum) {
  return quorum == yaml::quorum_all ? "all" : std::to_string(quorum);
}

/// What is asked, and how often; or what it follows.
std::string question_text(const HealthCheck& check) {
  if (check.calculated) {
    return fmt::format("{}at least {} of {} well", check.calculated->is_inverted ? "not " : "",
                       check.calculated->at_least,
                       list_text(check.calculated->keys, [](const auto& key) { return key; }));
  }
  const bool has_path = !is_bare(check.scheme) && check.scheme != ProbeScheme::icmp;
  std::string text =
      facts_of(check.scheme).is_local
          ? fmt::format("{}:{}", facts_of(check.scheme).name, check.path)
          : fmt::format("{}://{}:{}{}{}", facts_of(check.scheme).name, check.host, check.port,
                        has_path ? check.path : "", probe_at_text(check.probe_at));
  text += fmt::format(" every {}, timeout {}, fall {}, rise {}", duration_text(check.interval),
                      duration_text(check.timeout), check.fall, check.rise);
  if (check.ok != 1) text += fmt::format(", ok {}", check.ok);
  if (check.degraded_above.count() != 0) {
    text += ", degraded above " + duration_text(check.degraded_above);
  }
  if (check.certificate_every.count() != 0) {
    text += ", certificate every " + duration_text(check.certificate_every);
  }
  if (facts_of(check.scheme).asks_http) text += request_text(check);
  return text + expectation_text(check.expect);
}

std::string check_text(const Service& service, const HealthCheck& check) {
  std::string text = question_text(check);
  if (!check.vantage.empty()) text = "as " + check.vantage + " sees it: " + text;
  if (!check.is_of_endpoint) text += ", of " + service.record(check.record).endpoint;
  if (check.silence == Silence::stale) text += ", no answer is stale";
  if (check.votes != 1) text += fmt::format(", {} votes", check.votes);
  if (check.is_canary) text += ", canary";
  if (check.has_on_fail) {
    text += "; on failure ";
    text += list_text(check.on_fail, [&](const SetWeight& command) {
      return fmt::format("{} {}", service.record(command.record).endpoint, command.weight);
    });
  }
  return text;
}

std::string addresses_text(const Record& record) {
  if (record.addresses.empty()) return "CNAME " + record.endpoint_name.text_without_dot();
  return list_text(record.addresses, [](const auto& address) { return geo::to_text(address); });
}

std::string record_text(const Policy& policy, const Record& record) {
  return fmt::format("{} in {} weight {} ({})", record.endpoint, policy.region(record.region).name,
                     record.weight, addresses_text(record));
}

std::string service_text(const Policy& policy, const Service& service) {
  std::string text = fmt::format("residency {}", to_text(service.residency));
  if (service.home_kind != HomeKind::none) text += ", home " + home_text(policy, service);
  text += "; ";
  text += list_text(service.records, [&](const auto& r) { return record_text(policy, r); });
  if (service.https) text += "; HTTPS " + https_text(service);
  return text;
}

std::string answers_text(std::size_t answers) {
  return answers == answers_all ? "all" : std::to_string(answers);
}

std::string https_text(const Service& service) {
  return service.https ? zones::https_text(*service.https, {}) : std::string("none");
}

std::string key_text(const ApprovalKey& key) {
  return fmt::format("{} as {}, {}, public key {}, {}", key.person, key.role,
                     key.algorithm == KeyAlgorithm::EdDSA ? "EdDSA" : "ES256",
                     sha256_hex(key.public_key_pem).substr(0, 16), time_text(key.not_after));
}

std::string rule_text(const ApprovalRule& rule) {
  return fmt::format("{} {}: {}", rule.zone, to_text(rule.mode), required_text(rule.require));
}

std::string residency_rule_text(const Policy& policy, const ResidencyRule& rule) {
  const auto names = [&](const std::vector<JurisdictionId>& list) {
    return list.empty() ? std::string("any") : jurisdiction_names(policy, list);
  };
  return fmt::format("{} {}: zone {} service {} from {} to {} mode {}{}",
                     rule.effect == Effect::allow ? "allow" : "deny", rule.id, rule.zone,
                     rule.service, names(rule.from), names(rule.to),
                     rule.mode ? to_text(*rule.mode) : "any",
                     rule.basis.empty() ? "" : " (" + rule.basis + ")");
}

std::string template_text(const PlanTemplate& plan) {
  return fmt::format("{} of {} from {} to {}, {}, at most {} % for {}", plan.service, plan.zone,
                     fmt::join(plan.from, ","), fmt::join(plan.to, ","), to_text(plan.mode),
                     plan.max_share, duration_text(plan.max_duration));
}

std::string assertion_text(const Policy& policy, const Assertion& assertion) {
  const std::string regions = region_names(policy, assertion.regions);
  const std::string what = assertion.kind == Assertion::Kind::at_least
                               ? fmt::format("at least {} of {}", assertion.count, regions)
                               : fmt::format("never together {}", regions);
  return fmt::format("{} (zone {}, service {})", what, assertion.zone, assertion.service);
}

std::string vantages_text(const std::vector<Vantage>& vantages) {
  if (vantages.empty()) return "none";
  return list_text(vantages, [](const Vantage& vantage) {
    return fmt::format("{} ({}, public key {})", vantage.id,
                       vantage.algorithm == KeyAlgorithm::EdDSA ? "EdDSA" : "ES256",
                       sha256_hex(vantage.public_key_pem).substr(0, 16));
  });
}

std::string advisor_text(const std::optional<Advisor>& advisor) {
  if (!advisor) return {};
  return fmt::format("{} within {}", advisor->url, duration_text(advisor->timeout));
}

std::string location_text(const geo::Location& location) {
  std::vector<std::string> parts;
  if (location.country.known()) parts.push_back(fmt::format("country {}", location.country.text()));
  if (location.registered_country.known()) {
    parts.push_back(fmt::format("registered {}", location.registered_country.text()));
  }
  if (location.continent.known()) {
    parts.push_back(fmt::format("continent {}", location.continent.text()));
  }
  if (!location.subdivision.empty()) parts.push_back("subdivision " + location.subdivision);
  if (location.asn != 0) parts.push_back(fmt::format("AS{}", location.asn));
  if (location.coordinates) {
    parts.push_back(
        fmt::format("at {}, {}", location.coordinates->latitude, location.coordinates->longitude));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace demarc::zones::diff
