#include "tools/tenant_report.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "zones/rendezvous.h"
#include "zones/tenant_classes.h"
#include "zones/tenant_export.h"
#include "zones/time_text.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using namespace zones;

std::string lowered(std::string text) {
  for (char& letter : text) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return text;
}

std::optional<TenantId> find_in(const TenantMap& map, ServiceId service, const std::string& name) {
  if (const auto id = map.find(service, name)) return id;
  return map.find_label(service, {reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
}

/// The names that the tenant answers to.
json names_of(const Repository& repository, TenantId id) {
  const TenantMap& map = *repository.tenants;
  const std::string owner = repository.service(map.kind(id).service).owner.text_without_dot();
  json names = json::array();
  if (map.labels_of(id.set) != TenantLabels::opaque) {
    names.push_back(fmt::format("{}.{}", map.name(id), owner));
  }
  if (const auto label = map.opaque_label(id)) names.push_back(*label + "." + owner);
  return names;
}

/// Where it may go without anybody's signature.
json standbys_of(const Policy& policy, const Service& tenant_class, const TenantKind& kind) {
  json list = json::array();
  const auto& line = std::get<RouteLines>(tenant_class.route).lines.front();
  for (const RegionId region : line.to) {
    const bool is_own = std::ranges::count(kind.regions, region) != 0;
    const bool is_lawful = kind.residency != Residency::hard ||
                           policy.is_inside(kind.home, policy.region(region).jurisdiction);
    if (is_lawful && !is_own) list.push_back(policy.region(region).name);
  }
  return list;
}

std::string_view why(const Choice& choice) {
  switch (choice.note) {
    case ChoiceNote::none:
      return "by weight";
    case ChoiceNote::held:
      return "held at the border";
    case ChoiceNote::exception:
      return "outside home, under a grant";
    case ChoiceNote::all_down:
      return "all down";
  }
  return "by weight";
}

/// What this tenant is answered: its class's weights, or its own under a grant of its own.
json answer_of(const Steering& steering, ServiceId tenant_class, const std::string& tenant) {
  const Repository& repository = *steering.configuration()->repository;
  const ClearedWeights* cleared = steering.published(tenant_class, tenant);
  if (cleared == nullptr || cleared->choice_of_variant().empty()) return nullptr;
  // A class has one variant: nobody's location matters.
  const Choice& choice = cleared->choices()[cleared->choice_of_variant().front()];
  json records = json::array();
  for (const WeightedRecord& r : choice.records) {
    const Record& record = repository.service(tenant_class).record(r.record);
    records.push_back({{"endpoint", record.endpoint},
                       {"region", repository.policy.region(record.region).name},
                       {"weight", r.weight}});
  }
  const char* kind = choice.kind == ChoiceKind::records  ? "records"
                     : choice.kind == ChoiceKind::nodata ? "nodata"
                                                         : "servfail";
  json out = {{"kind", kind}, {"why", why(choice)}, {"records", records}};
  if (choice.share < 100) out["share-percent"] = choice.share;
  if (cleared->mode() && cleared->valid_until()) {
    out["grant"] = cleared->mode()->grant_id;
    out["until"] = to_rfc3339(*cleared->valid_until());
  }
  return out;
}

json grants_of(const Steering& steering, const Service& parent, const Service& tenant_class,
               const std::string& tenant) {
  json list = json::array();
  for (const auto& [id, grant] : steering.state().grants) {
    const bool is_meant = grant.scope.service == parent.owner.text_without_dot() ||
                          grant.scope.service == tenant_class.owner.text_without_dot();
    if (!is_meant || (!grant.scope.tenant.empty() && grant.scope.tenant != tenant)) continue;
    list.push_back({{"id", id},
                    {"from", grant.scope.from},
                    {"to", grant.scope.to},
                    {"mode", to_text(grant.scope.mode)},
                    {"complete", grant.complete},
                    {"ends", to_rfc3339(grant.ends)}});
  }
  return list;
}

json pending_of(const Steering& steering, const Service& tenant_class) {
  json list = json::array();
  for (const auto& [id, change] : steering.state().pending) {
    if (change.service != tenant_class.owner.text_without_dot()) continue;
    list.push_back({{"id", id},
                    {"from", change.from},
                    {"to", change.to},
                    {"since", to_rfc3339(change.since)},
                    {"evidence", change.evidence}});
  }
  return list;
}

std::string joined(const json& list) {
  std::vector<std::string> parts;
  for (const json& item : list) parts.push_back(item.get<std::string>());
  return parts.empty() ? "-" : fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

Result<ServiceId, std::string> find_tenants_service(const Repository& repository,
                                                    const std::string& service) {
  if (!repository.tenants || repository.tenants->set_count() == 0) {
    return std::unexpected(std::string("no service of this repository has tenants"));
  }
  const TenantMap& map = *repository.tenants;
  const auto owner = Name::parse_absolute(service);
  std::optional<ServiceId> found;
  for (std::size_t set = 0; set < map.set_count(); ++set) {
    const Service& candidate = repository.service(map.service_of(set));
    const bool is_meant =
        service.empty() || candidate.label == service || (owner && candidate.owner == *owner);
    if (!is_meant) continue;
    if (found) return std::unexpected(std::string("several services have tenants: --service NAME"));
    found = map.service_of(set);
  }
  if (!found) return std::unexpected("no service `" + service + "` has tenants");
  return *found;
}

Result<TenantId, std::string> find_tenant(const Repository& repository, const std::string& text,
                                          const std::string& service) {
  std::string name = lowered(text);
  std::string where = service;
  if (const std::size_t dot = name.find('.'); dot != std::string::npos) {
    where = name.substr(dot + 1);
    name.resize(dot);
  }
  if (!where.empty()) {
    const auto id = find_tenants_service(repository, where);
    if (!id) return std::unexpected(id.error());
    if (const auto found = find_in(*repository.tenants, *id, name)) return *found;
    return std::unexpected(fmt::format("`{}` has no tenant `{}`", where, name));
  }
  std::vector<TenantId> found;
  const std::size_t sets = repository.tenants ? repository.tenants->set_count() : 0;
  for (std::size_t set = 0; set < sets; ++set) {
    const auto id = find_in(*repository.tenants, repository.tenants->service_of(set), name);
    if (id) found.push_back(*id);
  }
  if (found.size() == 1) return found.front();
  return std::unexpected(found.empty()
                             ? "there is no tenant `" + name + "`"
                             : "several services have a tenant `" + name + "`: --service NAME");
}

Result<json, std::string> tenant_report(const Steering& steering, const std::string& name,
                                        const std::string& service) {
  const Repository& repository = *steering.configuration()->repository;
  const auto id = find_tenant(repository, name, service);
  if (!id) return std::unexpected(id.error());
  const TenantMap& map = *repository.tenants;
  const TenantKind& kind = map.kind(*id);
  const TenantState state = tenant_state(repository.policy, kind);
  const Service& parent = repository.service(kind.service);
  const Service& tenant_class = repository.service(kind.tenant_class);
  const std::string tenant(map.name(*id));
  return json{{"name", tenant},
              {"service", parent.owner.text_without_dot()},
              {"names", names_of(repository, *id)},
              {"home", state.home},
              {"residency", state.residency},
              {"regulated", state.regulated},
              {"sensitivity", state.sensitivity},
              {"placement", kind.placement == Placement::hash ? "hash" : "line"},
              {"regions", state.regions},
              {"standbys", standbys_of(repository.policy, tenant_class, kind)},
              {"class", tenant_class.label},
              {"class-service", tenant_class.owner.text_without_dot()},
              {"tenants-in-class", map.tenants_in(kind.tenant_class)},
              {"answer", answer_of(steering, kind.tenant_class, tenant)},
              {"grants", grants_of(steering, parent, tenant_class, tenant)},
              {"pending", pending_of(steering, tenant_class)},
              {"map-digest", map.digest()}};
}

std::string tenant_text(const json& r) {
  const auto text = [&](const char* key) { return r.at(key).get<std::string>(); };
  std::string out = fmt::format("{} of {}\n", text("name"), text("service"));
  out += fmt::format("  names      {}\n", joined(r.at("names")));
  out += fmt::format("  law        home {}, residency {}{}, sensitivity {}\n", text("home"),
                     text("residency"), r.at("regulated").get<bool>() ? ", regulated" : "",
                     text("sensitivity"));
  out += fmt::format("  regions    {} (by {})\n", joined(r.at("regions")), text("placement"));
  out += fmt::format("  standbys   {}\n", joined(r.at("standbys")));
  out += fmt::format("  class      {} ({} tenants), in orders and changes {}\n", text("class"),
                     r.at("tenants-in-class").dump(), text("class-service"));
  const json& answer = r.at("answer");
  if (!answer.is_null()) {
    std::vector<std::string> records;
    for (const json& record : answer.at("records")) {
      records.push_back(fmt::format("{} ({})", record.at("endpoint").get<std::string>(),
                                    record.at("region").get<std::string>()));
    }
    std::string under = answer.at("why").get<std::string>();
    if (answer.contains("grant")) {
      under += fmt::format(", {} until {}", answer.at("grant").get<std::string>(),
                           answer.at("until").get<std::string>());
    }
    if (answer.contains("share-percent")) {
      under += fmt::format(", {} % of answers", answer.at("share-percent").dump());
    }
    out += fmt::format("  answer     {} ({})\n",
                       records.empty() ? answer.at("kind").get<std::string>()
                                       : fmt::format("{}", fmt::join(records, ", ")),
                       under);
  }
  for (const json& grant : r.at("grants")) {
    out += fmt::format("  grant      {} from {} to {}, {}, until {}\n",
                       grant.at("id").get<std::string>(), joined(grant.at("from")),
                       joined(grant.at("to")), grant.at("mode").get<std::string>(),
                       grant.at("ends").get<std::string>());
  }
  for (const json& change : r.at("pending")) {
    out += fmt::format("  pending    {} from {} to {}: {}\n", change.at("id").get<std::string>(),
                       joined(change.at("from")), joined(change.at("to")),
                       change.at("evidence").get<std::string>());
  }
  return out;
}

Result<json, std::string> place_tenants(const Repository& repository, const PlaceRequest& request) {
  const auto id = find_tenants_service(repository, request.service);
  if (!id) return std::unexpected(id.error());
  const Service& service = repository.service(*id);
  const std::string owner = service.owner.text_without_dot();
  Sha256Stream stream;
  json placed = json::array();
  for (const std::string& name : request.names) {
    const std::string tenant = lowered(name);
    auto home = repository.policy.find_jurisdiction(request.home);
    if (!request.home.empty() && !home) {
      return std::unexpected("unknown jurisdiction `" + request.home + "`");
    }
    const auto known = repository.tenants->find(*id, tenant);
    if (!home) home = known ? repository.tenants->kind(*known).home : service.home;
    if (!home) return std::unexpected(std::string("no home: expected --home JURISDICTION"));
    const auto candidates = TenantClasses::candidates(repository, service, *home);
    const std::uint64_t hash = tenant_hash(stream, owner, tenant);
    json ranking = json::array();
    for (const std::size_t at : rank(hash, candidates)) {
      ranking.push_back({{"region", repository.policy.region(candidates[at].region).name},
                         {"weight", candidates[at].weight},
                         {"lateness", lateness(hash, candidates[at].hash)}});
    }
    placed.push_back({{"tenant", tenant},
                      {"service", owner},
                      {"home", repository.policy.jurisdiction(*home).name},
                      {"hash", fmt::format("{:016x}", hash)},
                      {"ranking", ranking}});
  }
  return placed;
}

}  // namespace demarc::tools
