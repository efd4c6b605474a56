#include "zones/yaml/zone_rules.h"

#include <algorithm>
#include <map>

#include "zones/mode_signal.h"
#include "zones/rdata.h"
#include "zones/yaml/dname_rules.h"
#include "zones/yaml/service_bypass.h"

namespace demarc::zones::yaml {
namespace {

bool order(const StaticRecord& a, const StaticRecord& b) {
  if (a.owner != b.owner) return a.owner < b.owner;
  return a.type < b.type;
}

/// Stable. A large file is mostly in order but for the apex and a few others at its beginning: so
/// runs that are in order are merged, which moves the few.
void sort(std::vector<StaticRecord>& records) {
  constexpr int runs_max = 8;
  auto sorted_to = std::ranges::is_sorted_until(records, order);
  for (int run = 1; run < runs_max && sorted_to != records.end(); ++run) {
    const auto run_end = std::is_sorted_until(sorted_to, records.end(), order);
    std::inplace_merge(records.begin(), sorted_to, run_end, order);
    sorted_to = run_end;
  }
  if (sorted_to != records.end()) std::ranges::stable_sort(records, order);
}

using Records = std::span<const StaticRecord>;

/// How many records the first owner, or the first RRset, of an ordered list has.
std::size_t first_owner(Records records) {
  std::size_t count = 1;
  while (count < records.size() && records[count].owner == records[0].owner) ++count;
  return count;
}
std::size_t first_set(Records records) {
  std::size_t count = 1;
  while (count < records.size() && !order(records[0], records[count])) ++count;
  return count;
}

/// An RRset must fit one message, with its question and an OPT record beside it.
void check_size(const RRset& rrset, const Place& place, Diagnostics& diagnostics) {
  constexpr std::size_t message_bytes_max = 65'535;
  constexpr std::size_t header_and_opt_bytes = 12 + 4 + 11 + 64;
  constexpr std::size_t record_bytes = 12;  // a pointer, TYPE, CLASS, TTL, RDLENGTH
  std::size_t bytes = header_and_opt_bytes + rrset.owner.wire().size();
  for (const Rdata& rdata : rrset.rdata) bytes += record_bytes + rdata.size();
  if (bytes <= message_bytes_max) return;
  diagnostics.error(place, "rrset-too-large",
                    "the {} records of {} need {} bytes in an answer; expected at most {}",
                    type_to_text(rrset.type), rrset.owner.text(), bytes, message_bytes_max);
}

/// Moves the owner and the data out of the records.
RRset join(std::span<StaticRecord> set, const RecordSources& sources, Diagnostics& diagnostics) {
  RRset rrset{
      .owner = std::move(set[0].owner), .type = set[0].type, .ttl = set[0].ttl, .rdata = {}};
  const StaticRecord* other_ttl = nullptr;
  rrset.rdata.reserve(set.size());
  for (StaticRecord& record : set) {
    if (record.ttl != set[0].ttl && other_ttl == nullptr) other_ttl = &record;
    rrset.ttl = std::min(rrset.ttl, record.ttl);
    if (std::ranges::find(rrset.rdata, record.rdata) == rrset.rdata.end()) {
      rrset.rdata.push_back(std::move(record.rdata));
    }
  }
  if (other_ttl != nullptr) {
    diagnostics.warning(sources.place(*other_ttl), "ttl-mismatch",
                        "{} {} has records with different TTLs; expected one TTL (RFC 2181 §5.2), "
                        "the lowest, {}, is used",
                        rrset.owner.text(), type_to_text(rrset.type), rrset.ttl);
  }
  check_size(rrset, sources.place(set[0]), diagnostics);
  return rrset;
}

/// Types that may stand beside a CNAME (RFC 2181 §10.1, RFC 4034 §2).
bool may_join_cname(std::uint16_t type) {
  return type == rrtype::cname || type == rrtype::rrsig || type == rrtype::nsec ||
         type == rrtype::key;
}

void check_cname(Records owner, const RecordSources& sources, Diagnostics& diagnostics) {
  const auto cname = std::ranges::find(owner, rrtype::cname, &StaticRecord::type);
  if (cname == owner.end()) return;
  for (const StaticRecord& record : owner) {
    if (may_join_cname(record.type)) continue;
    diagnostics.error(sources.place(*cname), "cname-and-other-data",
                      "{} has a CNAME and {} in {}:{}; expected the CNAME alone",
                      cname->owner.text(), type_to_text(record.type), sources.files[record.file],
                      record.line);
    break;
  }
  for (const StaticRecord& record : owner) {
    if (record.type != rrtype::cname || record.rdata == cname->rdata) continue;
    diagnostics.error(sources.place(record), "cname-twice",
                      "a second CNAME for {}, first in {}:{}; expected one", record.owner.text(),
                      sources.files[cname->file], cname->line);
  }
}

void check_apex(const Name& apex, Records records, const RecordSources& sources,
                Diagnostics& diagnostics) {
  const StaticRecord* soa = nullptr;
  bool has_ns = false;
  for (const StaticRecord& record : records) {
    if (record.type == rrtype::ns && record.owner == apex) has_ns = true;
    if (record.type != rrtype::soa) continue;
    if (record.owner != apex) {
      diagnostics.error(sources.place(record), "soa-not-apex",
                        "an SOA at {}; expected it at the apex {} only", record.owner.text(),
                        apex.text());
    } else if (soa != nullptr) {
      diagnostics.error(sources.place(record), "soa-twice",
                        "a second SOA, first in {}:{}; expected one", sources.files[soa->file],
                        soa->line);
    } else {
      soa = &record;
    }
  }
  if (soa == nullptr) {
    diagnostics.error(sources.zone, "soa-missing",
                      "zone without an SOA; expected `soa:` or one in an included master file");
  }
  if (!has_ns) {
    diagnostics.error(
        sources.zone, "ns-missing",
        "zone without nameservers; expected `nameservers:` or NS records of the apex");
  }
}

/// The RRset of an owner and a type; null if there is none.
const RRset* find_rrset(const Zone& zone, const Name& owner, std::uint16_t type) {
  const auto found = std::ranges::lower_bound(
      zone.rrsets, std::tie(owner, type), {},
      [](const RRset& rrset) { return std::tie(rrset.owner, rrset.type); });
  if (found == zone.rrsets.end() || found->owner != owner || found->type != type) return nullptr;
  return &*found;
}

std::string_view other_data(const Zone& zone, const Name& owner, std::string& buffer) {
  const auto found = std::ranges::lower_bound(zone.rrsets, owner, {}, &RRset::owner);
  if (found == zone.rrsets.end() || found->owner != owner) return {};
  buffer = type_to_text(found->type);
  return buffer;
}

void check_beside_static(const Zone& zone, const Service& service, Diagnostics& diagnostics) {
  const bool is_cname = std::ranges::any_of(
      service.records, [](const Record& record) { return record.addresses.empty(); });
  std::string type;
  if (is_cname && !other_data(zone, service.owner, type).empty()) {
    diagnostics.error(
        service.place, "service-and-static",
        "service `{}` answers as CNAME, and its owner has static {} records; expected "
        "`addresses` in every record, or no static records",
        service.label, type);
    return;
  }
  for (const std::uint16_t steered : {rrtype::a, rrtype::aaaa, rrtype::cname, rrtype::https}) {
    if (find_rrset(zone, service.owner, steered) == nullptr) continue;
    diagnostics.error(service.place, "service-and-static",
                      "service `{}`, and its owner has static {} records; expected one of them",
                      service.label, type_to_text(steered));
  }
}

void check_delegation(const Zone& zone, const Service& service, Diagnostics& diagnostics) {
  for (Name name = service.owner; name.is_at_or_below(zone.apex) && name != zone.apex;
       name = name.parent()) {
    if (find_rrset(zone, name, rrtype::ns) == nullptr) continue;
    diagnostics.error(service.place, "service-below-delegation",
                      "service `{}` at or below the delegation {}; expected it in that zone",
                      service.label, name.text());
    return;
  }
}

/// The server itself answers `_mode.NAME` of a hard service (zones/mode_signal.h).
void check_mode_name(const Zone& zone, const Service& service,
                     const std::map<Name, const Service*>& services, Diagnostics& diagnostics) {
  const auto owner = mode_owner(service);
  if (!owner) return;
  if (const auto other = services.find(*owner); other != services.end()) {
    diagnostics.error(other->second->place, "mode-name-taken",
                      "service `{}` has the name that tells the mode of hard service `{}`; "
                      "expected another name",
                      other->second->label, service.label);
  }
  std::string type;
  if (other_data(zone, *owner, type).empty()) return;
  diagnostics.error(service.place, "mode-name-taken",
                    "{} has static {} records, and tells the mode of hard service `{}`; expected "
                    "no records there",
                    owner->text(), type, service.label);
}

void check_nameservers(const Zone& zone, const std::map<Name, const Service*>& services,
                       const RecordSources& sources, Diagnostics& diagnostics) {
  for (const RRset& rrset : zone.rrsets) {
    if (rrset.type != rrtype::ns) continue;
    for (const Rdata& rdata : rrset.rdata) {
      const auto target =
          Name::from_wire({reinterpret_cast<const std::uint8_t*>(rdata.data()), rdata.size()});
      if (!target || !target->is_at_or_below(zone.apex) || services.contains(*target)) continue;
      if (find_rrset(zone, *target, rrtype::a) != nullptr) continue;
      if (find_rrset(zone, *target, rrtype::aaaa) != nullptr) continue;
      diagnostics.warning(sources.zone, "ns-without-address",
                          "nameserver {} of {} is in the zone and has no address; expected an A or "
                          "AAAA record",
                          target->text(), rrset.owner.text());
    }
  }
}

}  // namespace

std::vector<RRset> build_rrsets(const Name& apex, std::vector<StaticRecord> records,
                                const RecordSources& sources, Diagnostics& diagnostics) {
  std::erase_if(records, [&](const StaticRecord& record) {
    if (record.owner.is_at_or_below(apex)) return false;
    diagnostics.error(sources.place(record), "out-of-zone", "{} is not in the zone {}",
                      record.owner.text(), apex.text());
    return true;
  });
  check_apex(apex, records, sources, diagnostics);
  sort(records);
  check_dnames(apex, records, sources, diagnostics);

  std::vector<RRset> rrsets;
  rrsets.reserve(records.size());
  std::span<StaticRecord> rest = records;
  while (!rest.empty()) {
    std::span<StaticRecord> owner = rest.first(first_owner(rest));
    rest = rest.subspan(owner.size());
    check_cname(owner, sources, diagnostics);
    while (!owner.empty()) {
      const std::span<StaticRecord> set = owner.first(first_set(owner));
      owner = owner.subspan(set.size());
      rrsets.push_back(join(set, sources, diagnostics));
    }
  }
  return rrsets;
}

void check_services(const Zone& zone, std::span<const Service> services,
                    const RecordSources& sources, Diagnostics& diagnostics) {
  std::map<Name, const Service*> by_owner;
  for (const Service& service : services) {
    const auto [first, is_new] = by_owner.try_emplace(service.owner, &service);
    if (!is_new) {
      diagnostics.error(
          service.place, "service-twice",
          "service `{}` has the owner of `{}` in line {}; expected one service a name",
          service.label, first->second->label, first->second->place.line);
    }
    check_beside_static(zone, service, diagnostics);
    check_delegation(zone, service, diagnostics);
    check_dname_of(zone, service, diagnostics);
  }
  check_bypasses(zone, services, diagnostics);
  for (const Service& service : services) check_mode_name(zone, service, by_owner, diagnostics);
  check_nameservers(zone, by_owner, sources, diagnostics);
}

}  // namespace demarc::zones::yaml
