#include "zones/yaml/service_bypass.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

#include "zones/rdata.h"

namespace demarc::zones::yaml {
namespace {

// Types whose RDATA says where a host is (RFC 1035, 2874, 4025, 6742, 8005, 8777).
constexpr std::array address_types = {std::uint16_t{11},  std::uint16_t{38},  std::uint16_t{45},
                                      std::uint16_t{55},  std::uint16_t{105}, std::uint16_t{106},
                                      std::uint16_t{107}, std::uint16_t{260}};

constexpr std::uint16_t ipv4hint = 4;  // RFC 9460 §14.3.2
constexpr std::uint16_t ipv6hint = 6;

std::uint16_t u16_at(std::span<const std::uint8_t> data, std::size_t at) {
  return static_cast<std::uint16_t>(data[at] << 8 | data[at + 1]);
}

/// The name that bytes begin with, and the bytes after it.
std::optional<Name> take_name(std::span<const std::uint8_t>& data) {
  std::size_t end = 0;
  while (end < data.size() && data[end] != 0) end += std::size_t{data[end]} + 1;
  if (end >= data.size()) return std::nullopt;
  auto name = Name::from_wire(data.first(end + 1));
  data = data.subspan(end + 1);
  return name;
}

/// Whether the parameters have no address hints; what cannot be read may have any.
bool is_without_hints(std::span<const std::uint8_t> parameters) {
  while (!parameters.empty()) {
    if (parameters.size() < 4) return false;
    const std::uint16_t key = u16_at(parameters, 0);
    const std::size_t length = u16_at(parameters, 2);
    if (key == ipv4hint || key == ipv6hint || parameters.size() - 4 < length) return false;
    parameters = parameters.subspan(4 + length);
  }
  return true;
}

/// Whether an HTTPS or SVCB record leads to `owner` and leaves the addresses to it. A target of `.`
/// is the record's own name.
bool leads_home(std::string_view rdata, const Name& at, const Name& owner) {
  std::span<const std::uint8_t> data(reinterpret_cast<const std::uint8_t*>(rdata.data()),
                                     rdata.size());
  if (data.size() < 2) return false;
  data = data.subspan(2);  // SvcPriority
  const auto target = take_name(data);
  if (!target || (target->is_root() ? at : *target) != owner) return false;
  return is_without_hints(data);
}

/// "api.example.com" of "_8443._https.api.example.com", and of a wildcard that covers such a name:
/// whose clients would ask there.
Name without_underscores(Name name) {
  if (name.is_wildcard()) name = name.parent();
  while (name.wire().size() > 2 && name.wire()[1] == '_') name = name.parent();
  return name;
}

/// Whether clients of `owner` on another port than 443 ask at or below `name` for HTTPS (RFC 9460
/// §9.1), or a wildcard there covers what they ask.
bool is_https_place(Name name, const Name& owner) {
  using namespace std::string_view_literals;
  if (name.is_wildcard()) name = name.parent();
  if (name == owner) return true;
  const auto has_label = [&](std::string_view label) {
    return std::string_view(name.wire()).starts_with(label);
  };
  if (!has_label("\6_https"sv)) name = name.parent();
  return has_label("\6_https"sv) && name.parent() == owner;
}

bool is_alias(std::uint16_t type) {
  return type == rrtype::cname || type == rrtype::dname || type == rrtype::ns;
}

bool is_binding(std::uint16_t type) { return type == rrtype::svcb || type == rrtype::https; }

bool has_address(std::uint16_t type) { return std::ranges::count(address_types, type) != 0; }

/// Whether an alias or a delegation where clients of `owner` ask for HTTPS leads anywhere but to
/// it.
bool leads_away(const RRset& rrset, const Name& at, const Name& owner) {
  if (!is_alias(rrset.type) || (rrset.type == rrtype::ns && at.is_wildcard())) return false;
  if (!is_https_place(at, owner)) return false;
  const std::string_view rdata = rrset.rdata().front();
  std::span<const std::uint8_t> data(reinterpret_cast<const std::uint8_t*>(rdata.data()),
                                     rdata.size());
  return rrset.type != rrtype::cname || take_name(data) != owner;
}

}  // namespace

void check_bypasses(const Zone& zone, std::span<const Service> services, Diagnostics& diagnostics) {
  std::map<Name, const Service*> hard;
  for (const Service& service : services) {
    if (service.residency == Residency::hard) hard.emplace(service.owner, &service);
  }
  if (hard.empty()) return;
  for (const RRset rrset : zone.rrsets) {
    // First the type: a zone may have a million names, and nearly all have none of these.
    const bool binds = is_binding(rrset.type);
    if (!binds && !is_alias(rrset.type) && !has_address(rrset.type)) continue;
    const Name at = rrset.owner();
    const auto asked = hard.find(without_underscores(at));
    if (asked != hard.end() && asked->first != at && leads_away(rrset, at, asked->first)) {
      diagnostics.error(asked->second->place, "static-bypass",
                        "{} has static {} records, which would lead clients of hard service `{}` "
                        "that ask for HTTPS past the gate; expected none, or a CNAME to {}",
                        at.text(), type_to_text(rrset.type), asked->second->label,
                        asked->first.text());
      continue;
    }
    if (!binds && !has_address(rrset.type)) continue;
    const auto found = binds ? asked : hard.find(at);
    if (found == hard.end()) continue;
    const Service& service = *found->second;
    if (rrset.type == rrtype::https && at == service.owner) continue;
    const bool is_lawful = binds && std::ranges::all_of(rrset.rdata(), [&](std::string_view rdata) {
                             return leads_home(rdata, at, service.owner);
                           });
    if (is_lawful) continue;
    diagnostics.error(service.place, "static-bypass",
                      "{} has static {} records, which would lead clients of hard service `{}` "
                      "past the gate; expected {}",
                      at.text(), type_to_text(rrset.type), service.label,
                      binds ? "the target " + service.owner.text() + " without address hints"
                            : std::string("none"));
  }
}

}  // namespace demarc::zones::yaml
