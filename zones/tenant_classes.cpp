#include "zones/tenant_classes.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/gate.h"
#include "zones/yaml/spelling.h"

namespace demarc::zones {
namespace {

// "CLASS._tenants.SERVICE": no tenant's name has an underscore, so no question ever means it.
constexpr std::string_view class_parent = "_tenants";
constexpr std::size_t label_bytes_max = 63;
constexpr std::size_t hash_letters = 10;

template <typename... Args>
TenantFinding finding(TenantWord word, std::string rule, fmt::format_string<Args...> text,
                      Args&&... args) {
  return {word, std::move(rule), fmt::format(text, std::forward<Args>(args)...)};
}

template <typename Items>
std::vector<std::string> names_of(const Items& items) {
  std::vector<std::string> names;
  for (const auto& item : items) names.push_back(item.name);
  return names;
}

std::optional<bool> parse_bool(std::string_view text) {
  if (text.empty() || text == "false") return false;
  return text == "true" ? std::optional(true) : std::nullopt;
}

std::optional<Residency> parse_residency(std::string_view text) {
  for (const Residency residency : {Residency::none, Residency::soft, Residency::hard}) {
    if (to_text(residency) == text) return residency;
  }
  return std::nullopt;
}

/// The regions of a service's records, each once, in the order of the file.
std::vector<RegionId> regions_of(const Service& service) {
  std::vector<RegionId> regions;
  for (const Record& record : service.records) {
    if (std::ranges::count(regions, record.region) == 0) regions.push_back(record.region);
  }
  return regions;
}

std::uint64_t weight_in(const Service& service, RegionId region) {
  std::uint64_t weight = 0;
  for (const Record& record : service.records) {
    if (record.region == region) weight += record.weight;
  }
  return weight;
}

}  // namespace

std::vector<Candidate> TenantClasses::candidates(const Repository& repository,
                                                 const Service& service, JurisdictionId home) {
  const Policy& policy = repository.policy;
  std::vector<Candidate> list;
  for (const RegionId region : regions_of(service)) {
    const std::uint64_t weight = weight_in(service, region);
    if (policy.region(region).jurisdiction != home || weight == 0) continue;
    list.push_back({region, region_hash(policy.region(region).name), weight});
  }
  std::ranges::sort(list, {}, [&](const Candidate& c) { return policy.region(c.region).name; });
  return list;
}

Result<TenantSort, TenantFinding> TenantClasses::resolve(ServiceId id,
                                                         const TenantWords& words) const {
  const Service& service = repository_.service(id);
  const Policy& policy = repository_.policy;
  const auto word = [&](TenantWord which) { return words[static_cast<std::size_t>(which)]; };
  TenantSort sort;
  sort.service = service.owner.text_without_dot();
  sort.kind.service = id;

  const std::string_view home = word(TenantWord::home);
  const auto jurisdiction = policy.find_jurisdiction(home);
  if (!jurisdiction) {
    return std::unexpected(
        finding(TenantWord::home, "unknown-jurisdiction", "home is `{}`; {}", home,
                home.empty() ? std::string("expected the tenant's jurisdiction")
                             : yaml::suggest(std::string(home), names_of(policy.jurisdictions))));
  }
  sort.kind.home = *jurisdiction;

  const std::string_view residency_text = word(TenantWord::residency);
  const auto residency =
      residency_text.empty() ? std::optional(service.residency) : parse_residency(residency_text);
  if (!residency) {
    return std::unexpected(finding(TenantWord::residency, "bad-choice",
                                   "residency is `{}`; expected none, soft or hard, or nothing: "
                                   "the service's",
                                   residency_text));
  }
  if (*residency < service.residency) {
    return std::unexpected(finding(TenantWord::residency, "tenant-loosens",
                                   "residency `{}` for a tenant of a {} service; expected `{}` or "
                                   "a stricter one",
                                   residency_text, to_text(service.residency),
                                   to_text(service.residency)));
  }
  sort.kind.residency = *residency;

  const auto regulated = parse_bool(word(TenantWord::regulated));
  if (!regulated) {
    return std::unexpected(finding(TenantWord::regulated, "bad-choice",
                                   "regulated is `{}`; expected true or false",
                                   word(TenantWord::regulated)));
  }
  sort.kind.regulated = *regulated;
  if (*regulated && *residency != Residency::hard) {
    return std::unexpected(finding(TenantWord::residency, "regulated-not-hard",
                                   "a regulated tenant with residency `{}`; expected hard",
                                   to_text(*residency)));
  }

  const std::string_view sensitivity = word(TenantWord::sensitivity);
  if (!sensitivity.empty() && sensitivity != "low" && sensitivity != "high") {
    return std::unexpected(finding(TenantWord::sensitivity, "bad-choice",
                                   "sensitivity is `{}`; expected low or high", sensitivity));
  }
  const bool is_high = sensitivity.empty() ? *regulated : sensitivity == "high";
  sort.kind.sensitivity = is_high ? Sensitivity::high : Sensitivity::low;

  const std::string_view regions = word(TenantWord::region);
  if (!regions.empty()) {
    if (auto wrong = read_regions(service, regions, sort.kind)) {
      return std::unexpected(std::move(*wrong));
    }
    sort.kind_made = {no_kind};
    return sort;
  }
  if (*regulated || is_high) {
    return std::unexpected(finding(
        TenantWord::region, "tenant-without-region",
        "no region for a tenant {}; expected one: only tenants that are not regulated and of low "
        "sensitivity are placed by hash",
        *regulated ? "that is regulated" : "of high sensitivity"));
  }
  sort.kind.placement = Placement::hash;
  sort.candidates = candidates(repository_, service, *jurisdiction);
  if (sort.candidates.empty()) {
    return std::unexpected(finding(TenantWord::home, "home-without-record",
                                   "`{}` has no record with weight in {}, where a tenant without "
                                   "a region is placed; expected one, or a region in the line",
                                   service.label, home));
  }
  sort.kind_made.assign(sort.candidates.size() * sort.candidates.size(), no_kind);
  return sort;
}

std::optional<TenantFinding> TenantClasses::read_regions(const Service& service,
                                                         std::string_view words,
                                                         TenantKind& kind) const {
  while (true) {
    const std::size_t end = std::min(words.find(' '), words.size());
    const std::string_view name = words.substr(0, end);
    const auto region = repository_.policy.find_region(name);
    if (!region) {
      return finding(TenantWord::region, "unknown-region", "unknown region `{}`; {}", name,
                     yaml::suggest(std::string(name), names_of(repository_.policy.regions)));
    }
    if (std::ranges::count(kind.regions, *region) != 0) {
      return finding(TenantWord::region, "region-twice", "region `{}` again; expected it once",
                     name);
    }
    if (auto wrong = check_region(service, kind, *region, kind.regions.empty())) return wrong;
    kind.regions.push_back(*region);
    if (end == words.size()) return std::nullopt;
    words.remove_prefix(end + 1);
  }
}

std::optional<TenantFinding> TenantClasses::check_region(const Service& service,
                                                         const TenantKind& kind, RegionId id,
                                                         bool is_first) const {
  const Policy& policy = repository_.policy;
  const Region& region = policy.region(id);
  if (std::ranges::count(service.records, id, &Record::region) == 0) {
    return finding(TenantWord::region, "region-without-record",
                   "region `{}`, in which `{}` has no record; expected one of its own", region.name,
                   service.label);
  }
  if (kind.residency == Residency::hard && !policy.is_inside(kind.home, region.jurisdiction)) {
    return finding(TenantWord::region, "tenant-outside-home",
                   "region `{}` in {} for a hard tenant, outside its home {}; expected a region "
                   "inside it",
                   region.name, policy.jurisdiction(region.jurisdiction).name,
                   policy.jurisdiction(kind.home).name);
  }
  if (is_first && weight_in(service, id) == 0) {
    return finding(TenantWord::region, "region-without-weight",
                   "region `{}`, in which no record of `{}` has weight, so that nobody is answered "
                   "from it; expected one with weight",
                   region.name, service.label);
  }
  return std::nullopt;
}

/// The line's regions; then, for failover, the service's others: at home, in approved standbys, and
/// last those outside, which the gate keeps from hard tenants until somebody signs.
std::vector<RegionId> TenantClasses::order_of(const Service& service, JurisdictionId home,
                                              std::vector<RegionId> first) const {
  const Policy& policy = repository_.policy;
  const std::vector<RegionId> all = regions_of(service);
  std::vector<RegionId> order = std::move(first);
  const auto add = [&](const auto& is_meant) {
    for (const RegionId region : all) {
      const bool is_new = std::ranges::count(order, region) == 0;
      if (is_new && is_meant(policy.region(region).jurisdiction)) order.push_back(region);
    }
  };
  add([&](JurisdictionId where) { return where == home; });
  add([&](JurisdictionId where) { return policy.is_inside(home, where); });
  add([](JurisdictionId) { return true; });
  return order;
}

Result<std::uint16_t, TenantFinding> TenantClasses::kind_of(TenantSort& sort,
                                                            std::string_view tenant,
                                                            const PlaceMaker& place) {
  std::size_t at = 0;
  if (sort.kind.placement == Placement::hash) {
    const auto top = top_two(tenant_hash(stream_, sort.service, tenant), sort.candidates);
    at = top.first * sort.candidates.size() + top.second;
    if (sort.kind_made[at] == no_kind) {
      sort.kind.regions = {sort.candidates[top.first].region};
      if (top.first != top.second) {
        sort.kind.regions.push_back(sort.candidates[top.second].region);
      }
    }
  }
  if (sort.kind_made[at] != no_kind) return sort.kind_made[at];
  const auto tenant_class = class_for(sort.kind, place);
  if (!tenant_class) {
    return std::unexpected(finding(TenantWord::region, "too-many-classes",
                                   "one more combination of home, residency and regions; expected "
                                   "at most {} in a repository",
                                   tenant_classes_max));
  }
  sort.kind.tenant_class = *tenant_class;
  const auto kind = builder_.kind_of(sort.set, sort.kind);
  if (!kind) {
    return std::unexpected(finding(TenantWord::home, "too-many-classes",
                                   "one more sort of line; expected at most {} for a service",
                                   tenant_kinds_max));
  }
  sort.kind_made[at] = *kind;
  return *kind;
}

std::optional<ServiceId> TenantClasses::class_for(const TenantKind& kind, const PlaceMaker& place) {
  const Service& parent = repository_.service(kind.service);
  auto order = order_of(parent, kind.home, kind.regions);
  const ClassKey key{kind.service, kind.home, kind.residency, order};
  if (const auto known = classes_.find(key); known != classes_.end()) return known->second;
  if (classes_.size() == tenant_classes_max) return std::nullopt;
  const auto id = static_cast<ServiceId>(repository_.services.size());
  Service made = make_class(kind, order, place());
  repository_.services.push_back(std::move(made));
  classes_.emplace(key, id);
  return id;
}

Service TenantClasses::make_class(const TenantKind& kind, const std::vector<RegionId>& order,
                                  const Place& place) const {
  const Policy& policy = repository_.policy;
  Service made = repository_.service(kind.service);
  // Told apart by the part that a line may change: what follows is the service's own order.
  std::vector<std::string> named;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Region& region = policy.region(order[i]);
    if (i < kind.regions.size() || policy.is_inside(kind.home, region.jurisdiction)) {
      named.push_back(region.name);
    }
  }
  const std::string& home = policy.jurisdiction(kind.home).name;
  const auto residency = to_text(kind.residency);
  made.owner = class_owner(made, fmt::format("{}-{}-{}", home, residency, fmt::join(named, "+")));
  made.label = fmt::format("{}/{}-{}-{}", made.label, home, residency, fmt::join(named, ","));
  made.residency = kind.residency;
  made.home_kind = HomeKind::tenant;
  made.home = kind.home;
  made.route = RouteLines{{{.match = MatchAll{}, .to = order, .place = place}}};
  made.tenants_of = kind.service;
  made.tenant_naming.reset();
  made.place = place;
  if (made.on_block.answer == BlockAnswer::record) {
    // A record that is home to the service's own name may be abroad to this class.
    const Record& record = made.record(made.on_block.record);
    if (!lies_inside(policy, record, kind.home)) made.on_block = {};
  }
  return made;
}

Name TenantClasses::class_owner(const Service& parent, const std::string& text) const {
  std::string label = text;
  std::ranges::replace(label, '.', '_');  // one label
  const auto owner = [&] {
    const auto above = Name::parse(class_parent, parent.owner);
    return *Name::parse(label, *above);
  };
  // A label that is cut, or that differs from another in dots or case alone, gets a hash.
  const bool is_short = label.size() <= label_bytes_max;
  if (is_short && !repository_.find_service(owner())) return owner();
  label.resize(std::min(label.size(), label_bytes_max - hash_letters - 1));
  label += "-" + sha256_hex(text).substr(0, hash_letters);
  return owner();
}

}  // namespace demarc::zones
