#include "zones/tenant_rules.h"

namespace demarc::zones {
namespace {

class NameRules {
 public:
  NameRules(const Repository& repository, const TenantMap& map, Diagnostics& diagnostics,
            const std::function<Place(TenantId)>& place_of)
      : repository_(repository), map_(map), diagnostics_(diagnostics), place_of_(place_of) {}

  void check(ServiceId id) {
    const Service& service = repository_.service(id);
    for (const Zone& zone : repository_.zones) {
      if (&zone != &repository_.zones[service.zone]) check_name(id, zone.apex, "a zone");
      if (!is_related(zone.apex, service.owner)) continue;
      for (const RRset rrset : zone.rrsets) {
        if (rrset.is_at_or_below(service.owner)) check_name(id, rrset.owner(), "static records");
      }
    }
    for (const Service& other : repository_.services) {
      if (!other.tenants_of) check_name(id, other.owner, "a service");
    }
  }

 private:
  static bool is_related(const Name& apex, const Name& owner) {
    return owner.is_at_or_below(apex) || apex.is_at_or_below(owner);
  }

  void check_name(ServiceId id, const Name& name, std::string_view what) {
    const Service& service = repository_.service(id);
    if (name == service.owner || !name.is_at_or_below(service.owner)) return;
    Name child = name;  // the name directly below the service's that this one is at or below
    while (child.label_count() > service.owner.label_count() + 1) child = child.parent();
    if (child.is_wildcard()) {
      if (child == last_) return;
      last_ = child;
      diagnostics_.error(service.place, "tenants-and-wildcard",
                         "service `{}` with tenants, and {} at {}, which would answer for tenants "
                         "that do not exist; expected one of them",
                         service.label, what, name.text());
      return;
    }
    const std::span label = child.bytes().subspan(1, child.bytes()[0]);
    const auto tenant = map_.find_label(id, label);
    if (!tenant || child == last_) return;
    last_ = child;
    diagnostics_.error(place_of_(*tenant), "tenant-name-taken",
                       "tenant `{}` would be {}, and the zone has {} at {}; expected another name",
                       map_.name(*tenant), child.text_without_dot(), what, name.text());
  }

  const Repository& repository_;
  const TenantMap& map_;
  Diagnostics& diagnostics_;
  const std::function<Place(TenantId)>& place_of_;
  Name last_;  // what was told last: a name has several RRsets
};

}  // namespace

void check_tenant_names(const Repository& repository, const TenantMap& map,
                        Diagnostics& diagnostics, const std::function<Place(TenantId)>& place_of) {
  for (std::size_t set = 0; set < map.set_count(); ++set) {
    NameRules(repository, map, diagnostics, place_of).check(map.service_of(set));
  }
}

}  // namespace demarc::zones
