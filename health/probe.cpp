// From the model's checks to targets.
#include "health/probe.h"

#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace demarc::health {

using zones::ProbeScheme;

namespace {

struct SchemeFacts {
  std::string_view name;
  std::optional<std::uint16_t> default_port;
};

SchemeFacts facts_of(ProbeScheme scheme) noexcept {
  switch (scheme) {
    case ProbeScheme::http:
      return {"http", 80};
    case ProbeScheme::https:
      return {"https", 443};
    case ProbeScheme::tcp:
      return {"tcp", std::nullopt};
    case ProbeScheme::tls:
      return {"tls", std::nullopt};
  }
  return {"tcp", std::nullopt};
}

Probe build_probe(const zones::Service& service, const zones::HealthCheck& check) {
  Probe probe{.scheme = check.scheme,
              .host = check.host,
              .port = check.port,
              .path = check.path,
              .method = check.method,
              .http_version = check.http_version,
              .addresses = service.record(check.record).addresses,
              .connect_port = check.port,
              .timing = {check.interval, check.timeout, check.fall, check.rise},
              .expect_status = check.expect_status,
              .expect = check.expect};
  if (check.probe_at) {
    probe.addresses = {check.probe_at->address};
    probe.connect_port = check.probe_at->port;
  }
  if (is_bare(check.scheme)) {  // nothing is asked, nothing is answered
    probe.path.clear();
    probe.expect_status.clear();
  }
  return probe;
}

}  // namespace

std::string Probe::url() const {
  const auto [name, default_port] = facts_of(scheme);
  const std::string authority = host.contains(':') ? fmt::format("[{}]", host) : host;
  if (default_port == port) return fmt::format("{}://{}{}", name, authority, path);
  return fmt::format("{}://{}:{}{}", name, authority, port, path);
}

std::vector<ProbeTarget> build_targets(const zones::Repository& repository) {
  std::map<Probe, std::vector<std::string>> keys_of;
  for (const zones::Service& service : repository.services) {
    if (service.tenants_of) continue;  // a class of tenants has copies of its service's checks
    for (const zones::HealthCheck& check : service.checks) {
      keys_of[build_probe(service, check)].push_back(check.key);
    }
  }
  std::vector<ProbeTarget> targets;
  targets.reserve(keys_of.size());
  for (auto& [probe, keys] : keys_of) targets.push_back({probe, std::move(keys)});
  return targets;
}

}  // namespace demarc::health
