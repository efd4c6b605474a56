#include "zones/operator_texts.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/mode_signal.h"

namespace demarc::zones {
namespace {

constexpr std::size_t line_size_max = 255;  // one character-string (RFC 1035 §3.3)

/// What the checks of one record say together.
struct CheckCount {
  unsigned checks = 0, failing = 0;  // votes
  unsigned stale = 0, unknown = 0, degraded = 0;
};

CheckCount count_checks(const Service& service, std::size_t record, const SteeringState& state) {
  CheckCount count;
  for (const HealthCheck& check : service.checks) {
    if (index_of(check.record) != record) continue;
    if (check.votes == 0) continue;
    count.checks += check.votes;
    const auto known = state.checks.find(check.key);
    if (known == state.checks.end()) {
      count.unknown += 1;
    } else if (known->second.failing || known->second.verdict == Verdict::down) {
      count.failing += check.votes;
    } else {
      count.stale += known->second.verdict == Verdict::stale ? 1 : 0;
      count.unknown += known->second.verdict == Verdict::unknown ? 1 : 0;
      count.degraded += known->second.verdict == Verdict::degraded ? 1 : 0;
    }
  }
  return count;
}

std::string_view verdict_of(const CheckCount& count, unsigned quorum) {
  if (count.checks == 0) return "unchecked";
  if (count.failing >= std::max(std::min(quorum, count.checks), 1U)) return "down";
  if (count.failing > 0) return to_text(Verdict::degraded);
  if (count.stale > 0) return to_text(Verdict::stale);
  if (count.unknown > 0) return to_text(Verdict::unknown);
  return to_text(count.degraded > 0 ? Verdict::degraded : Verdict::up);
}

std::string joined(const std::vector<std::string>& ids) {
  if (ids.empty()) return "-";
  const std::size_t shown = std::min(ids.size(), gate_ids_max);
  std::string text = fmt::format(
      "{}", fmt::join(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(shown), ","));
  if (shown < ids.size()) text += fmt::format(",+{}", ids.size() - shown);
  return text;
}

/// The service's own changes, and those of the classes of its tenants.
std::vector<std::string> pending_ids(const Repository& repository, ServiceId service,
                                     const SteeringState& state) {
  std::vector<std::string> ids;
  for (const auto& [id, change] : state.pending) {
    const auto owner = Name::parse_absolute(change.service);
    const auto held = owner ? repository.find_service(*owner) : std::nullopt;
    if (held && (held == service || repository.service(*held).tenants_of == service)) {
      ids.push_back(id);
    }
  }
  return ids;
}

std::vector<std::string> standing_grants(const Repository& repository, const Service& service,
                                         const SteeringState& state) {
  const std::string own = service.owner.text_without_dot();
  const std::string apex = repository.zones.at(service.zone).apex.text_without_dot();
  std::vector<std::string> grants;
  if (service.residency != Residency::hard) return grants;
  for (const auto& [id, grant] : state.grants) {
    const bool is_meant =
        grant.scope.service == own || (grant.scope.service == "*" && grant.scope.zone == apex);
    if (is_meant && grant.complete && state.trusted_wall < grant.ends) {
      grants.push_back(fmt::format("{}@{}", id, until_text(grant.ends)));
    }
  }
  return grants;
}

std::string home_text(const Policy& policy, const Service& service) {
  switch (service.home_kind) {
    case HomeKind::none:
      return "-";
    case HomeKind::client:
      return "client";
    case HomeKind::tenant:
      return "tenant";
    case HomeKind::jurisdiction:
      return service.home ? policy.jurisdiction(*service.home).name : std::string("-");
  }
  return "-";
}

std::string regions_of(const Policy& policy, const Service& service, const Choice& choice) {
  if (choice.kind == ChoiceKind::nodata) return "nodata";
  if (choice.kind == ChoiceKind::servfail) return "servfail";
  std::vector<std::string_view> names;
  for (const WeightedRecord& record : choice.records) {
    const std::string_view region = policy.region(service.record(record.record).region).name;
    if (std::ranges::find(names, region) == names.end()) names.push_back(region);
  }
  std::string text = fmt::format("{}", fmt::join(names, ","));
  if (text.size() > regions_size_max) text = text.substr(0, regions_size_max) + "+";
  return text;
}

}  // namespace

std::vector<std::string> health_lines(const Policy& policy, const Service& service,
                                      const SteeringState& state) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < service.records.size(); ++at) {
    if (at == health_lines_max) {
      lines.push_back(fmt::format("v=demarc1 more={}", service.records.size() - at));
      break;
    }
    const Record& record = service.records[at];
    const CheckCount count = count_checks(service, at, state);
    const std::string head =
        fmt::format("v=demarc1 region={} endpoint=", policy.region(record.region).name);
    const std::string tail =
        fmt::format(" verdict={} weight={}", verdict_of(count, service.quorum), record.weight);
    const std::string endpoint = record.endpoint_name.text_without_dot();
    lines.push_back(head + endpoint.substr(0, line_size_max - head.size() - tail.size()) + tail);
  }
  return lines;
}

GateTexts gate_texts(const Repository& repository, ServiceId id, const SteeringState& state,
                     const ClearedWeights* cleared) {
  const Service& service = repository.service(id);
  const std::string fields =
      fmt::format(" residency={} home={} pending={} standing={}", to_text(service.residency),
                  home_text(repository.policy, service), joined(pending_ids(repository, id, state)),
                  joined(standing_grants(repository, service, state)));
  GateTexts texts{mode_text(std::nullopt) + fields, {}};
  if (cleared == nullptr || !cleared->mode() || !cleared->valid_until()) return texts;
  texts.live = mode_text(LiveMode{*cleared->mode(), *cleared->valid_until()}) + fields;
  return texts;
}

std::vector<std::string> answering_regions(const Policy& policy, const Service& service,
                                           const ClearedWeights& cleared,
                                           const std::vector<std::uint16_t>& choices) {
  std::vector<std::string> regions;
  regions.reserve(choices.size());
  for (const std::uint16_t choice : choices) {
    regions.push_back(regions_of(policy, service, cleared.choices().at(choice)));
  }
  return regions;
}

}  // namespace demarc::zones
