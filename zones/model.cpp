#include "zones/model.h"

#include <algorithm>

namespace demarc::zones {
namespace {

template <typename Id, typename Items>
std::optional<Id> find_by_name(const Items& items, std::string_view name) {
  const auto found =
      std::ranges::find_if(items, [name](const auto& item) { return item.name == name; });
  if (found == items.end()) return std::nullopt;
  return static_cast<Id>(found - items.begin());
}

}  // namespace

std::optional<JurisdictionId> Policy::find_jurisdiction(std::string_view name) const {
  return find_by_name<JurisdictionId>(jurisdictions, name);
}

std::optional<RegionId> Policy::find_region(std::string_view name) const {
  return find_by_name<RegionId>(regions, name);
}

std::optional<JurisdictionId> Policy::jurisdiction_of(geo::Code2 country) const {
  if (!country.known()) return std::nullopt;
  const auto found = std::ranges::find_if(jurisdictions, [country](const Jurisdiction& candidate) {
    return std::ranges::find(candidate.countries, country) != candidate.countries.end();
  });
  if (found == jurisdictions.end()) return std::nullopt;
  return static_cast<JurisdictionId>(found - jurisdictions.begin());
}

bool Policy::is_inside(JurisdictionId home, JurisdictionId where) const {
  if (home == where) return true;
  const auto& standby = jurisdiction(home).approved_standby;
  return std::ranges::find(standby, where) != standby.end();
}

std::optional<ServiceId> Repository::find_service(const Name& owner) const {
  const auto found = std::ranges::find_if(
      services, [&owner](const Service& candidate) { return candidate.owner == owner; });
  if (found == services.end()) return std::nullopt;
  return static_cast<ServiceId>(found - services.begin());
}

const Zone* Repository::find_zone(const Name& name) const {
  const Zone* longest = nullptr;
  for (const Zone& zone : zones) {
    if (!name.is_at_or_below(zone.apex)) continue;
    if (longest == nullptr || zone.apex.wire().size() > longest->apex.wire().size()) {
      longest = &zone;
    }
  }
  return longest;
}

std::string_view to_text(Residency residency) noexcept {
  switch (residency) {
    case Residency::none:
      return "none";
    case Residency::soft:
      return "soft";
    case Residency::hard:
      return "hard";
  }
  return "hard";
}

std::string_view to_text(Mode mode) noexcept {
  switch (mode) {
    case Mode::read_only:
      return "read-only";
    case Mode::scoped_write:
      return "scoped-write";
    case Mode::full_write:
      return "full-write";
  }
  return "read-only";
}

std::string_view to_text(Access access) noexcept {
  switch (access) {
    case Access::read:
      return "read";
    case Access::scoped_write:
      return "scoped-write";
    case Access::write:
      return "write";
  }
  return "write";
}

std::string_view to_text(TenantLabels labels) noexcept {
  switch (labels) {
    case TenantLabels::opaque:
      return "opaque";
    case TenantLabels::plain:
      return "plain";
    case TenantLabels::both:
      return "both";
  }
  return "opaque";
}

std::optional<Mode> parse_mode(std::string_view text) noexcept {
  for (const Mode mode : {Mode::read_only, Mode::scoped_write, Mode::full_write}) {
    if (to_text(mode) == text) return mode;
  }
  return std::nullopt;
}

}  // namespace demarc::zones
