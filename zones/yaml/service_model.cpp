#include "zones/yaml/service_model.h"

#include <algorithm>
#include <set>

#include "zones/gate.h"
#include "zones/yaml/check_model.h"

namespace demarc::zones::yaml {
namespace {

// Shorter ones could be guessed from one known pair of a name and its label.
constexpr std::size_t tenant_key_bytes_min = 16;
constexpr std::size_t tenant_key_bytes_max = 4096;

class ServiceBuilder {
 public:
  ServiceBuilder(const ServiceScope& scope, const ServiceEntry& entry)
      : scope_(scope), entry_(entry), reading_(scope.reading) {}

  std::optional<Service> build() {
    const std::size_t errors_before = reading_.diagnostics.error_count();
    set_owner();
    service_.zone = scope_.zone;
    set_ttl();
    service_.residency = entry_.residency.value;
    if (entry_.access) service_.access = entry_.access->value;
    service_.answers = entry_.answers.value;
    service_.is_sticky = entry_.is_sticky;
    service_.uses_client_subnet = entry_.uses_client_subnet;
    if (entry_.https) service_.https = entry_.https->value;
    service_.leash = scope_.policy.leash;
    entry_.leash.apply(service_.leash);
    service_.place = reading_.place(entry_.label.at);
    check_policy();
    set_home();
    set_tenant_naming();
    add_records();
    set_activation();
    set_route();
    // Names of records mean nothing while one of them is missing.
    if (service_.records.size() == entry_.records.size()) {
      add_checks(reading_, entry_, scope_.apex.text_without_dot(), scope_.policy, service_);
      set_on_block();
      if (entry_.quorum) service_.quorum = entry_.quorum->value;
      if (entry_.degraded_weight) service_.degraded_weight = *entry_.degraded_weight;
    }
    check_unused();
    const bool is_whole = reading_.diagnostics.error_count() == errors_before && is_known_;
    return is_whole ? std::optional(std::move(service_)) : std::nullopt;
  }

 private:
  void set_ttl() {
    service_.ttl = entry_.ttl.value_or(scope_.zone_ttl);
    service_.ttl_min = entry_.ttl_min ? entry_.ttl_min->value : service_.ttl;
    if (service_.ttl_min <= service_.ttl) return;
    reading_.error(entry_.ttl_min->at, "ttl-min-over-ttl",
                   "ttl-min {} is more than the ttl {}; expected at most that", service_.ttl_min,
                   service_.ttl);
  }

  void set_owner() {
    service_.label = entry_.label.value;
    const auto owner = Name::parse(entry_.label.value, scope_.apex);
    if (!owner) {
      reading_.error(entry_.label.at, "bad-name", "service is `{}`; expected a domain name",
                     entry_.label.value);
      return;
    }
    service_.owner = *owner;
    if (!owner->is_at_or_below(scope_.apex)) {
      reading_.error(entry_.label.at, "out-of-zone", "service `{}` is not in zone `{}`",
                     owner->text(), scope_.apex.text_without_dot());
    }
  }

  void check_policy() {
    if (scope_.policy_state != PolicyState::missing) return;
    if (entry_.residency.value != Residency::none && entry_.residency.at.line != 0) {
      reading_.error(entry_.residency.at, "policy-missing",
                     "residency `{}` without policy.yaml; expected that file, it says which "
                     "jurisdiction a region lies in",
                     to_text(entry_.residency.value));
    }
    if (entry_.route.kind == RouteKind::nearest) {
      reading_.error(entry_.route.at, "policy-missing",
                     "route by `nearest` without policy.yaml; expected that file, it says where a "
                     "region is");
    }
  }

  std::optional<JurisdictionId> resolve_jurisdiction(const TextAt& name) {
    const auto id = scope_.policy.find_jurisdiction(name.value);
    if (id && scope_.policy_state == PolicyState::read) return id;
    if (scope_.policy_state == PolicyState::broken) {
      is_known_ = false;
      return std::nullopt;
    }
    std::vector<std::string> names;
    for (const Jurisdiction& known : scope_.policy.jurisdictions) names.push_back(known.name);
    if (scope_.policy_state == PolicyState::missing) names.clear();
    reading_.error(
        name.at, "unknown-jurisdiction", "unknown jurisdiction `{}`; {}", name.value,
        names.empty() ? std::string("expected it in policy.yaml") : suggest(name.value, names));
    return std::nullopt;
  }

  std::optional<RegionId> resolve_region(const TextAt& name) {
    const auto id = scope_.policy.find_region(name.value);
    if (id) return id;
    if (scope_.policy_state == PolicyState::broken) {
      is_known_ = false;
      return std::nullopt;
    }
    std::vector<std::string> names;
    for (const Region& region : scope_.policy.regions) names.push_back(region.name);
    reading_.error(name.at, "unknown-region", "unknown region `{}`; {}", name.value,
                   suggest(name.value, names));
    return std::nullopt;
  }

  void set_home() {
    const bool says_hard =
        entry_.residency.value == Residency::hard && entry_.residency.at.line != 0;
    if (!entry_.home && says_hard) {
      reading_.error(
          entry_.residency.at, "home-missing",
          "residency `hard` without `home`; expected a jurisdiction, `client` or `tenant`");
    }
    const bool is_client = entry_.home && entry_.home->value == "client";
    const bool is_tenant = entry_.home && entry_.home->value == "tenant";
    if (entry_.default_home && !is_client && !is_tenant) {
      reading_.error(entry_.default_home->at, "default-home-unused",
                     "`default-home` without `home: client` or `home: tenant`; expected both or "
                     "neither");
    }
    if (!entry_.home) return;
    if (!is_client && !is_tenant) {
      service_.home_kind = HomeKind::jurisdiction;
      service_.home = resolve_jurisdiction(*entry_.home);
      return;
    }
    service_.home_kind = is_client ? HomeKind::client : HomeKind::tenant;
    if (entry_.default_home) {
      service_.home = resolve_jurisdiction(*entry_.default_home);
    } else {
      reading_.error(
          entry_.home->at, "default-home-missing",
          "`home: {}` without `default-home`; expected it, {}", entry_.home->value,
          is_client ? "for clients of no jurisdiction" : "the home of the service's own name");
    }
  }

  void set_tenant_naming() {
    const bool is_tenant = service_.home_kind == HomeKind::tenant;
    if (entry_.tenants && !is_tenant) {
      reading_.error(entry_.tenants->at, "tenants-unused",
                     "`tenants` without `home: tenant`; expected both or neither");
    }
    if (!is_tenant) return;
    if (service_.owner.is_wildcard()) {
      reading_.error(
          entry_.label.at, "tenants-of-wildcard",
          "a wildcard with `home: tenant`; expected a name, tenants' names lie below it");
    }
    if (!entry_.tenants) {
      reading_.error(entry_.home->at, "tenants-missing",
                     "`home: tenant` without `tenants`; expected it, with `key` for opaque labels "
                     "or with `labels: plain`");
      return;
    }
    service_.tenant_naming = TenantNaming{.labels = entry_.tenants->labels, .key = {}};
    if (entry_.tenants->labels == TenantLabels::plain) {
      if (!entry_.tenants->key) return;
      reading_.error(entry_.tenants->key->at, "tenant-key-unused",
                     "`key` with `labels: plain`; expected labels `opaque` or `both`, or no key");
    } else if (!entry_.tenants->key) {
      reading_.error(entry_.tenants->at, "tenant-key-missing",
                     "labels `{}` without `key`; expected a file with the secret that labels are "
                     "made with, or `labels: plain`",
                     to_text(entry_.tenants->labels));
    } else {
      read_tenant_key(*entry_.tenants->key);
    }
  }

  /// All bytes count but one line feed at the end, which editors add.
  void read_tenant_key(const TextAt& path) {
    auto key = scope_.files.read(path.value, tenant_key_bytes_max);
    if (!key) {
      reading_.error(path.at, "unreadable-file", "{}: {}", path.value, key.error());
      return;
    }
    if (key->ends_with('\n')) key->pop_back();
    if (key->size() < tenant_key_bytes_min) {
      reading_.error(path.at, "tenant-key-too-short", "{} has {} bytes; expected at least {}",
                     path.value, key->size(), tenant_key_bytes_min);
      return;
    }
    service_.tenant_naming->key = std::move(*key);
  }

  std::optional<Name> read_endpoint(const TextAt& endpoint) {
    auto name = Name::parse_absolute(endpoint.value);
    if (geo::parse_address(endpoint.value)) {
      reading_.error(endpoint.at, "bad-endpoint",
                     "endpoint is the address {}; expected a name, and the address under "
                     "`addresses`",
                     endpoint.value);
      return std::nullopt;
    }
    const bool is_good = name && !name->is_root() && !name->is_wildcard() &&
                         endpoint.value.find_first_of(" \t/:;") == std::string::npos;
    if (is_good) return name;
    reading_.error(endpoint.at, "bad-endpoint", "endpoint is `{}`; expected a domain name",
                   endpoint.value);
    return std::nullopt;
  }

  void add_records() {
    std::set<Name> endpoints;
    for (const RecordEntry& entry : entry_.records) {
      if (entry.region.value.empty() || entry.endpoint.value.empty()) continue;  // reported
      const auto region = resolve_region(entry.region);
      const auto name = read_endpoint(entry.endpoint);
      if (!name || !region) continue;
      if (!endpoints.insert(*name).second) {
        reading_.error(entry.endpoint.at, "endpoint-twice",
                       "endpoint `{}` in a second record; expected one of its own, by which "
                       "checks and on-fail know the record",
                       entry.endpoint.value);
      }
      check_answer(entry, *name);
      service_.records.push_back({.region = *region,
                                  .weight = entry.weight,
                                  .endpoint = entry.endpoint.value,
                                  .endpoint_name = *name,
                                  .addresses = entry.addresses,
                                  .capacity = entry.capacity,
                                  .jurisdiction = declared_jurisdiction(entry),
                                  .place = reading_.place(entry.at)});
    }
  }

  std::optional<JurisdictionId> declared_jurisdiction(const RecordEntry& entry) {
    if (!entry.jurisdiction) return std::nullopt;
    const TextAt& name = *entry.jurisdiction;
    if (!entry.addresses.empty()) {
      reading_.error(
          name.at, "jurisdiction-of-addresses",
          "jurisdiction `{}` beside addresses, which lie where the region does; expected "
          "it with a CNAME's endpoint alone",
          name.value);
      return std::nullopt;
    }
    const auto id = scope_.policy.find_jurisdiction(name.value);
    if (!id && scope_.policy_state == PolicyState::read) {
      reading_.error(name.at, "unknown-jurisdiction",
                     "unknown jurisdiction `{}`; expected one of policy.yaml", name.value);
    }
    return id;
  }

  /// An endpoint without addresses answers as CNAME.
  void check_answer(const RecordEntry& entry, const Name& name) {
    if (!entry.addresses.empty()) return;
    if (service_.owner == scope_.apex) {
      reading_.error(entry.endpoint.at, "cname-at-apex",
                     "endpoint `{}` without addresses at the apex, where no CNAME can be (RFC 1034 "
                     "§3.6.2); expected `addresses`",
                     entry.endpoint.value);
    } else if (name == service_.owner) {
      reading_.error(entry.endpoint.at, "cname-to-itself",
                     "endpoint `{}` is the service itself; expected `addresses` or another name",
                     entry.endpoint.value);
    }
  }

  void set_activation() {
    if (!entry_.activation) return;
    service_.activation.target_healthy = entry_.activation->target_healthy;
    service_.activation.capacity = entry_.activation->capacity;
    for (const LagEntry& entry : entry_.activation->lag) {
      if (entry.region.value.empty()) continue;  // reported where it was read
      const auto region = resolve_region(entry.region);
      if (!region) continue;
      if (std::ranges::count(service_.activation.lag, *region, &LagCheck::region) != 0) {
        reading_.error(entry.region.at, "region-twice",
                       "region `{}` again; expected one lag for each", entry.region.value);
        continue;
      }
      warn_without_record(entry.region, *region);
      LagCheck check = entry.check;
      check.region = *region;
      check.key = fmt::format("{}/{}/lag/{}", scope_.apex.text_without_dot(), service_.label,
                              entry.region.value);
      service_.activation.lag.push_back(std::move(check));
    }
  }

  void set_route() {
    switch (entry_.route.kind) {
      case RouteKind::weighted:
        service_.route = RouteWeighted{};
        return;
      case RouteKind::nearest:
        service_.route = nearest_route();
        return;
      case RouteKind::lines:
        service_.route = line_route();
        return;
    }
  }

  bool has_record_in(RegionId region) const {
    return std::ranges::find(service_.records, region, &Record::region) != service_.records.end();
  }

  std::vector<RegionId> resolve_regions(const std::vector<TextAt>& names) {
    std::vector<RegionId> regions;
    for (const TextAt& name : names) {
      const auto region = resolve_region(name);
      if (!region) continue;
      regions.push_back(*region);
      warn_without_record(name, *region);
    }
    return regions;
  }

  void warn_without_record(const TextAt& name, RegionId region) {
    if (has_record_in(region) || service_.records.size() != entry_.records.size()) return;
    reading_.warning(name.at, "region-without-record",
                     "region `{}`, in which the service has no record; expected one of its own",
                     name.value);
  }

  RouteNearest nearest_route() {
    RouteNearest route;
    route.limit = entry_.route.limit;
    if (!entry_.route.nearest_of_all) {
      route.regions = resolve_regions(entry_.route.nearest);
      return route;
    }
    for (std::size_t i = 0; i < scope_.policy.regions.size(); ++i) {
      const auto region = static_cast<RegionId>(i);
      if (has_record_in(region)) route.regions.push_back(region);
    }
    return route;
  }

  RouteLines line_route() {
    RouteLines route;
    std::vector<bool> is_named(scope_.policy.regions.size(), false);
    for (const RouteLineEntry& entry : entry_.route.lines) {
      RouteLine line{
          .match = entry.match, .to = resolve_regions(entry.to), .place = reading_.place(entry.at)};
      if (!entry.jurisdictions.empty()) {
        MatchJurisdiction match;
        for (const TextAt& name : entry.jurisdictions) {
          if (const auto id = resolve_jurisdiction(name)) match.jurisdictions.push_back(*id);
        }
        line.match = std::move(match);
      }
      for (const RegionId region : line.to) is_named[index_of(region)] = true;
      route.lines.push_back(std::move(line));
    }
    for (std::size_t i = 0; i < service_.records.size(); ++i) {
      if (is_named[index_of(service_.records[i].region)]) continue;
      reading_.diagnostics.warning(service_.records[i].place, "record-without-route",
                                   "record `{}` in a region that no route line names; expected a "
                                   "line for it, it never answers",
                                   service_.records[i].endpoint);
    }
    return route;
  }

  void set_on_block() {
    if (!entry_.on_block) return;
    const std::string& text = entry_.on_block->value;
    if (text == "hold") return;
    if (text == "nodata") {
      service_.on_block.answer = BlockAnswer::nodata;
    } else if (text == "servfail") {
      service_.on_block.answer = BlockAnswer::servfail;
    } else if (const auto record =
                   resolve_record(reading_, entry_.on_block->at, service_.records, text)) {
      service_.on_block = {BlockAnswer::record, *record};
      check_block_record(service_.record(*record));
    }
  }

  void check_block_record(const Record& record) {
    if (service_.residency != Residency::hard || !service_.home) return;
    const JurisdictionId where = place_of(scope_.policy, record);
    if (lies_inside(scope_.policy, record, *service_.home)) return;
    reading_.error(entry_.on_block->at, "on-block-abroad",
                   "on-block answers `{}` in {}, outside home {}; expected a record inside it",
                   record.endpoint, scope_.policy.jurisdiction(where).name,
                   scope_.policy.jurisdiction(*service_.home).name);
  }

  /// Keys that only mean something with residency: somebody believes in a protection there is not.
  void check_unused() {
    const bool is_hard = service_.residency == Residency::hard;
    const auto warn = [this](Position at, std::string_view key, std::string_view residency) {
      reading_.warning(at, "unused-key", "`{}` has no effect here; expected it with residency {}",
                       key, residency);
    };
    if (entry_.home && service_.residency == Residency::none &&
        service_.home_kind != HomeKind::tenant) {
      warn(entry_.home->at, "home", "soft or hard");
    }
    if (entry_.access && !is_hard) warn(entry_.access->at, "access", "hard");
    if (entry_.on_block && !is_hard) warn(entry_.on_block->at, "on-block", "hard");
    const bool has_addresses = std::ranges::any_of(
        entry_.records, [](const RecordEntry& record) { return !record.addresses.empty(); });
    if (entry_.https && !has_addresses) {
      reading_.warning(
          entry_.https->at, "unused-key",
          "`https` has no effect here, every record answers as CNAME; expected it with "
          "`addresses`");
    }
  }

  const ServiceScope& scope_;
  const ServiceEntry& entry_;
  const Reading& reading_;
  Service service_;
  bool is_known_ = true;  // false: something needs a policy that cannot be read
};

}  // namespace

std::optional<Service> build_service(const ServiceScope& scope, const ServiceEntry& entry) {
  return ServiceBuilder(scope, entry).build();
}

}  // namespace demarc::zones::yaml
