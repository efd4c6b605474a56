// From the model's checks to targets.
#include "health/probe.h"

#include <map>
#include <utility>

#include <fmt/format.h>

namespace demarc::health {

namespace {

std::vector<geo::Address> addresses_of(const zones::Service& service,
                                       const zones::HealthCheck& check) {
  if (check.is_of_endpoint) return service.record(check.record).addresses;
  if (const auto address = geo::parse_address(check.host)) return {*address};
  return {};
}

Probe build_probe(const zones::Service& service, const zones::HealthCheck& check) {
  Probe probe{.scheme = check.scheme,
              .host = check.host,
              .port = check.port,
              .path = check.path,
              .method = check.method,
              .http_version = check.http_version,
              .addresses = addresses_of(service, check),
              .connect_port = check.port,
              .timing = {check.interval, check.timeout, check.fall, check.rise, check.ok,
                         check.degraded_above},
              .expect_status = check.expect_status,
              .expect = check.expect,
              .silence = check.silence,
              .certificate_every = check.certificate_every};
  if (check.probe_at) {
    probe.addresses = {check.probe_at->address};
    probe.connect_port = check.probe_at->port;
  }
  if (is_bare(check.scheme) || check.scheme == zones::ProbeScheme::icmp) probe.path.clear();
  if (!facts_of(check.scheme).asks_http) probe.expect_status.clear();
  return probe;
}

}  // namespace

std::string Probe::url() const {
  const zones::SchemeFacts facts = facts_of(scheme);
  if (facts.is_local) return fmt::format("{}:{}", facts.name, path);
  const std::string authority = host.contains(':') ? fmt::format("[{}]", host) : host;
  if (facts.default_port == port) return fmt::format("{}://{}{}", facts.name, authority, path);
  return fmt::format("{}://{}:{}{}", facts.name, authority, port, path);
}

std::vector<ProbeTarget> build_targets(const zones::Repository& repository) {
  std::map<Probe, std::vector<std::string>> keys_of;
  for (const zones::Service& service : repository.services) {
    if (service.tenants_of) continue;  // a class of tenants has copies of its service's checks
    for (const zones::HealthCheck& check : service.checks) {
      if (check.calculated || !check.vantage.empty()) continue;
      keys_of[build_probe(service, check)].push_back(check.key);
    }
  }
  std::vector<ProbeTarget> targets;
  targets.reserve(keys_of.size());
  for (auto& [probe, keys] : keys_of) targets.push_back({probe, std::move(keys)});
  return targets;
}

}  // namespace demarc::health
