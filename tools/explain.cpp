#include "tools/explain.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "geo/countries.h"
#include "tools/leash_status.h"
#include "tools/settings_report.h"
#include "zones/gate.h"
#include "zones/https_binding.h"
#include "zones/mode_signal.h"
#include "zones/tenants.h"
#include "zones/yaml/spelling.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using namespace zones;

/// The class of the tenant that the name is.
std::optional<ServiceId> find_tenant_class(const Repository& repository, const Name& name) {
  if (!repository.tenants || name.is_root()) return std::nullopt;
  const auto service = repository.find_service(name.parent());
  if (!service) return std::nullopt;
  const auto label = name.bytes().subspan(1, name.bytes()[0]);
  const auto tenant = repository.tenants->find_label(*service, label);
  if (!tenant) return std::nullopt;
  return repository.tenants->kind(*tenant).tenant_class;
}

/// The service of this name, or the wildcard service that covers it.
std::optional<ServiceId> find_steering_service(const Repository& repository, const Name& name) {
  if (const auto exact = repository.find_service(name)) return exact;
  if (const auto tenant = find_tenant_class(repository, name)) return tenant;
  const Zone* const zone = repository.find_zone(name);
  for (Name above = name; zone != nullptr && above != zone->apex;) {
    above = above.parent();
    const auto wildcard = Name::parse("*", above);
    if (wildcard && repository.find_service(*wildcard)) return repository.find_service(*wildcard);
    const auto exists = [&](const RRset& rrset) { return rrset.is_at_or_below(above); };
    // The closest encloser decides (RFC 4592 §3.3.1): a wildcard above a name that exists covers
    // nothing.
    if (std::ranges::any_of(zone->rrsets, exists)) return std::nullopt;
  }
  return std::nullopt;
}

geo::Location locate(const Repository& repository, const Views& views,
                     const geo::Databases& databases, const ExplainRequest& request) {
  geo::Location location;
  if (request.client) {
    location = databases.find(*request.client, repository.overrides);
    const geo::Address seen = geo::embedded_ipv4(*request.client).value_or(*request.client);
    const auto marks = views.marks();
    for (std::size_t i = 0; i < marks.size(); ++i) {
      if (!marks[i].contains(seen)) continue;
      const bool longer = location.network_mark == geo::no_network_mark ||
                          marks[i].length > marks[location.network_mark].length;
      if (longer) location.network_mark = static_cast<std::uint32_t>(i);
    }
  } else if (request.country) {
    location.country = *request.country;
    location.registered_country = *request.country;
    if (const auto* country = geo::find_country(*request.country)) {
      location.continent = country->continent;
    }
  }
  return location;
}

json describe(const geo::Location& location, const Policy& policy) {
  json out = {{"country", location.country.text()},
              {"continent", location.continent.text()},
              {"subdivision", location.subdivision},
              {"asn", location.asn}};
  if (location.registered_country != location.country) {
    out["registered-country"] = location.registered_country.text();
  }
  if (location.coordinates) {
    out["coordinates"] = {location.coordinates->latitude, location.coordinates->longitude};
  }
  const auto jurisdiction = policy.jurisdiction_of(location.country);
  out["jurisdiction"] = jurisdiction ? json(policy.jurisdiction(*jurisdiction).name) : json();
  return out;
}

bool is_meant(const Record& record, const Policy& policy, const std::string& target) {
  const auto name = Name::parse_absolute(target);
  return policy.region(record.region).name == target || (name && record.endpoint_name == *name);
}

/// The conditions as they are, with the checks of the assumed records failing as well; a record
/// without a check counts as drained, since nothing else could take it out.
Result<Conditions, std::string> assume_down(const Steering& steering, const Service& service,
                                            const std::vector<std::string>& targets) {
  const Policy& policy = steering.configuration()->repository->policy;
  Conditions conditions = steering.conditions_of(service);
  for (const std::string& target : targets) {
    bool any = false;
    for (std::size_t i = 0; i < service.records.size(); ++i) {
      if (!is_meant(service.records[i], policy, target)) continue;
      any = true;
      if (!conditions.leash.empty()) conditions.leash[i] = {};  // it is asked what comes of it
      bool checked = false;
      for (std::size_t c = 0; c < service.checks.size(); ++c) {
        if (index_of(service.checks[c].record) != i) continue;
        conditions.check_failing[c] = true;
        checked = true;
      }
      if (!checked) conditions.record_drained[i] = true;
    }
    if (!any) {
      return std::unexpected(fmt::format("`{}` has no record whose endpoint or region is `{}`",
                                         service.owner.text_without_dot(), target));
    }
  }
  return conditions;
}

std::string note_text(ChoiceNote note) {
  switch (note) {
    case ChoiceNote::none:
      return "by weight";
    case ChoiceNote::held:
      return "a crossing is held back at the border; on-block answers";
    case ChoiceNote::exception:
      return "outside home, under a live grant";
    case ChoiceNote::all_down:
      return "nothing is up: eligible records by base weight";
  }
  return {};
}

/// The HTTPS record of several records that answer together.
std::string common_https(const Service& service, const Choice& choice) {
  if (service.answers < choice.records.size()) {
    return https_text(*service.https, {}) +
           fmt::format(" and hints of the {} records drawn", service.answers);
  }
  std::vector<geo::Address> addresses;
  for (const WeightedRecord& r : choice.records) {
    const auto& own = service.record(r.record).addresses;
    addresses.insert(addresses.end(), own.begin(), own.end());
  }
  return https_text(*service.https, addresses);
}

json answer_of(const Service& service, const Choice& choice) {
  json records = json::array();
  std::uint32_t total = 0;
  for (const WeightedRecord& r : choice.records) total += r.weight;
  for (const WeightedRecord& r : choice.records) {
    const Record& record = service.record(r.record);
    json addresses = json::array();
    for (const auto& address : record.addresses) addresses.push_back(geo::to_text(address));
    records.push_back({{"endpoint", record.endpoint},
                       {"share-percent", 100.0 * r.weight / total},
                       {"addresses", addresses}});
    if (!service.https || record.addresses.empty() || service.answers != 1) continue;
    records.back()["https"] = https_text(*service.https, record.addresses);
  }
  const char* kind = choice.kind == ChoiceKind::records  ? "records"
                     : choice.kind == ChoiceKind::nodata ? "nodata"
                                                         : "servfail";
  json answer = {{"kind", kind}, {"why", note_text(choice.note)}, {"records", records}};
  if (service.https && service.answers != 1 && choice.kind == ChoiceKind::records) {
    answer["https"] = common_https(service, choice);
  }
  return answer;
}

json records_of(const Steering& steering, const Service& service, const Variant& variant,
                const Plan& plan, const Choice& choice) {
  const Policy& policy = steering.configuration()->repository->policy;
  const auto home = home_of(service, variant);
  json list = json::array();
  for (std::size_t i = 0; i < service.records.size(); ++i) {
    const Record& record = service.records[i];
    const Region& region = policy.region(record.region);
    const bool in_route = variant.weighted || std::ranges::count(variant.order, record.region) != 0;
    json checks = json::array();
    for (const HealthCheck& check : service.checks) {
      if (index_of(check.record) != i) continue;
      const auto& known = steering.state().checks;
      const auto state = known.find(check.key);
      const bool have = state != known.end();
      checks.push_back({{"check", check.key},
                        {"verdict", to_text(have ? state->second.verdict : Verdict::unknown)},
                        {"detail", have ? state->second.detail : std::string{}}});
    }
    const bool is_eligible_at_home = is_eligible(policy, service, record, home);
    const bool answers = std::ranges::any_of(
        choice.records, [&](const WeightedRecord& r) { return index_of(r.record) == i; });
    list.push_back({{"endpoint", record.endpoint},
                    {"region", region.name},
                    {"jurisdiction", policy.jurisdiction(region.jurisdiction).name},
                    {"in-route", in_route},
                    {"eligible", is_eligible_at_home},
                    {"granted", answers && !is_eligible_at_home},
                    {"base-weight", record.weight},
                    {"weight", plan.weights[i]},
                    {"usable", static_cast<bool>(plan.usable[i])},
                    {"checks", checks}});
  }
  return list;
}

std::string text(const json& value) {
  return value.is_null()     ? std::string("-")
         : value.is_string() ? value.get<std::string>()
                             : value.dump();
}

std::string listed(const json& values) {
  std::vector<std::string> texts;
  for (const json& value : values) texts.push_back(text(value));
  return fmt::format("{}", fmt::join(texts, ", "));
}

json route_of(const Policy& policy, const Variant& variant) {
  if (variant.weighted) return "all records, one weighted set";
  json regions = json::array();
  for (const RegionId region : variant.order) regions.push_back(policy.region(region).name);
  return regions;
}

/// What answers a name that no service steers.
std::string why_not_steered(const Repository& repository, const Name& name) {
  const std::string asked = name.text_without_dot();
  const Zone* const zone = repository.find_zone(name);
  if (zone == nullptr) return "`" + asked + "` is in none of the zones: it is answered REFUSED";
  const auto answers = [&](const RRset& rrset) {
    return rrset.is_at(name) ||
           (rrset.is_wildcard() && name.is_at_or_below(rrset.owner().parent()));
  };
  // Of a zone without services the daemon keeps no records beside the rendered ones.
  if (zone->services.empty() || std::ranges::any_of(zone->rrsets, answers)) {
    return fmt::format("`{}` is no service of its own; the zone {} answers it from its records",
                       asked, zone->apex.text_without_dot());
  }
  std::vector<std::string> services;
  for (const ServiceId service : zone->services) {
    services.push_back(repository.service(service).owner.text_without_dot());
  }
  return fmt::format("`{}` is no service, and the zone {} has no records of that name; {}", asked,
                     zone->apex.text_without_dot(), yaml::suggest(asked, services));
}

/// Verdicts with their evidence; of several also which check it is.
std::string health_text(const json& checks) {
  std::string all;
  for (const json& check : checks) {
    const std::string key = text(check["check"]);
    const std::string name = key.substr(key.find('/', key.find('/') + 1) + 1);
    const std::string detail = text(check["detail"]);
    all += fmt::format(" [{}{}{}{}]", checks.size() > 1 ? name + " " : "", text(check["verdict"]),
                       detail.empty() ? "" : ": ", detail);
  }
  return all;
}

}  // namespace

Result<json, std::string> explain(const Steering& steering, const geo::Databases& databases,
                                  const ExplainRequest& request) {
  const Repository& repository = *steering.configuration()->repository;
  const auto name = Name::parse_absolute(request.name);
  if (!name) return std::unexpected("`" + request.name + "` is no domain name");
  const auto id = find_steering_service(repository, *name);
  if (!id) return std::unexpected(why_not_steered(repository, *name));
  const Service& service = repository.service(*id);
  // A copy: a hypothetical client may be of a kind that no database entry ever made.
  Views views = *steering.configuration()->views;
  const geo::Location location = locate(repository, views, databases, request);
  if (!views.classify(location)) return std::unexpected(std::string("too many location classes"));
  const Variant variant = evaluate_route(repository.policy, service, location, views.marks());
  const auto variants = views.variants(service.view);
  const auto at = static_cast<std::size_t>(std::ranges::find(variants, variant) - variants.begin());

  const auto conditions = assume_down(steering, service, request.assumed_down);
  if (!conditions) return std::unexpected(conditions.error());
  const Ruling ruling = steering.preview(views, *id, *conditions);
  const ClearedWeights& cleared = ruling.cleared;
  const Choice& choice = cleared.choices()[cleared.choice_of_variant()[at]];
  const Plan plan = make_plan(repository, *id, *conditions);

  const auto home = home_of(service, variant);
  json out = {{"name", service.owner.text_without_dot()},
              {"zone", repository.zones[service.zone].apex.text_without_dot()},
              {"client", request.client ? json(geo::to_text(*request.client)) : json()},
              {"location", describe(location, repository.policy)},
              {"residency", to_text(service.residency)},
              {"home", home ? json(repository.policy.jurisdiction(*home).name) : json()},
              {"route", route_of(repository.policy, variant)},
              {"ttl", service.ttl},
              {"sticky", service.is_sticky ? "client" : "none"},
              {"records", records_of(steering, service, variant, plan, choice)},
              {"answer", answer_of(service, choice)}};
  out["settings"] = settings_of(repository, service);
  if (json held = leash_of(steering, *id); !held.empty()) out["leash"] = std::move(held);
  if (mode_owner(service)) {
    out["mode"] = mode_text(live_mode(cleared, steering.state().trusted_wall));
  }
  if (choice.share < 100) {
    out["share-percent"] = choice.share;
    out["otherwise"] = answer_of(service, cleared.choices()[choice.otherwise]);
  }
  if (!request.assumed_down.empty()) out["assumed-down"] = request.assumed_down;
  if (ruling.held) {
    json from = json::array(), to = json::array();
    for (const RegionId r : ruling.held->from) from.push_back(repository.policy.region(r).name);
    for (const RegionId r : ruling.held->to) to.push_back(repository.policy.region(r).name);
    out["held"] = {{"from", from}, {"to", to}};
  }
  json grants = json::array();
  for (const Made& made : ruling.made) grants.push_back(made.grant_id);
  if (!grants.empty()) out["grants"] = grants;
  return out;
}

std::string explain_text(const json& e) {
  const json& where = e.at("location");
  std::string out = fmt::format("{} in zone {}\n", text(e["name"]), text(e["zone"]));
  const std::string country = text(where["country"]);
  out += fmt::format("  1 client     {} country {} jurisdiction {}\n", text(e["client"]),
                     country.empty() ? "unknown" : country, text(where["jurisdiction"]));
  out += fmt::format("  2 route      {}\n",
                     e["route"].is_array() ? listed(e["route"]) : text(e["route"]));
  out +=
      fmt::format("  3 border     residency {}, home {}\n", text(e["residency"]), text(e["home"]));
  out += "  4 records\n";
  for (const json& r : e["records"]) {
    const std::string health = health_text(r["checks"]);
    out += fmt::format("      {:<36} {:<16} {:<4} {:<12} weight {} of {}{}\n", text(r["endpoint"]),
                       text(r["region"]), text(r["jurisdiction"]),
                       !r["in-route"].get<bool>()  ? "off-route"
                       : r["eligible"].get<bool>() ? "eligible"
                       : r["granted"].get<bool>()  ? "BY A GRANT"
                                                   : "NOT ELIGIBLE",
                       text(r["weight"]), text(r["base-weight"]), health);
  }
  if (e.contains("held")) {
    out += fmt::format("  5 gate       HELD: from {} to {} needs an approval\n",
                       listed(e["held"]["from"]), listed(e["held"]["to"]));
  } else if (e.contains("grants")) {
    out += fmt::format("  5 gate       crossing under {}\n", listed(e["grants"]));
  } else {
    out += "  5 gate       nothing held\n";
  }
  if (e.contains("leash")) out += leash_text(e["leash"]);
  if (e.contains("mode")) out += fmt::format("             {}\n", text(e["mode"]));
  const json& answer = e["answer"];
  out += fmt::format("  6 answer     {} ({}), TTL at most {}{}\n", text(answer["kind"]),
                     text(answer["why"]), text(e["ttl"]),
                     e.value("sticky", "none") == "client" ? ", a client's network keeps one" : "");
  for (const json& r : answer["records"]) {
    std::string addresses;
    for (const json& address : r["addresses"]) addresses += " " + text(address);
    out += fmt::format("      {:>5.1f} % {}{}\n", r["share-percent"].get<double>(),
                       text(r["endpoint"]), addresses);
    if (r.contains("https")) out += fmt::format("              HTTPS {}\n", text(r["https"]));
  }
  if (answer.contains("https")) out += fmt::format("      HTTPS   {}\n", text(answer["https"]));
  if (e.contains("otherwise")) {
    out += fmt::format("             this for {} of 100 answers, else {} ({})\n",
                       text(e["share-percent"]), text(e["otherwise"]["kind"]),
                       text(e["otherwise"]["why"]));
  }
  return out;
}

}  // namespace demarc::tools
