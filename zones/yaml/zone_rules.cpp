#include "zones/yaml/zone_rules.h"

#include <algorithm>
#include <map>
#include <optional>

#include "zones/mode_signal.h"
#include "zones/rdata.h"
#include "zones/yaml/dname_rules.h"
#include "zones/yaml/service_bypass.h"

namespace demarc::zones::yaml {
namespace {

/// An RRset must fit one message, with its question and an OPT record beside it.
void check_size(const RRset& rrset, const RecordSources& sources, Diagnostics& diagnostics) {
  constexpr std::size_t message_bytes_max = 65'535;
  constexpr std::size_t header_and_opt_bytes = 12 + 4 + 11 + 64;
  constexpr std::size_t record_bytes = 12;  // a pointer, TYPE, CLASS, TTL, RDLENGTH
  std::size_t bytes =
      header_and_opt_bytes + rrset.labels().size() + rrset.all->apex().wire().size();
  for (const std::string_view rdata : rrset.rdata()) bytes += record_bytes + rdata.size();
  if (bytes <= message_bytes_max) return;
  diagnostics.error(sources.place(rrset.all->origin(rrset.first)), "rrset-too-large",
                    "the {} records of {} need {} bytes in an answer; expected at most {}",
                    type_to_text(rrset.type), rrset.owner().text(), bytes, message_bytes_max);
}

/// What the rules of one owner look at: its records, in order, duplicates among them.
struct OwnerRecords {
  const RRsets& rrsets;
  std::size_t begin = 0;  // positions
  std::size_t end = 0;

  [[nodiscard]] RRsets::Record operator[](std::size_t at) const { return rrsets.record(at); }
  [[nodiscard]] std::string owner() const { return rrsets.owner(begin).text(); }
};

void check_ttls(const OwnerRecords& records, const RecordSources& sources,
                Diagnostics& diagnostics) {
  for (std::size_t begin = records.begin; begin < records.end;) {
    const RRset set = records.rrsets.at(begin, records.end);
    const std::size_t end = begin + set.count;
    const std::uint32_t ttl = records[begin].ttl;
    std::size_t other = begin;
    while (other < end && records[other].ttl == ttl) ++other;
    if (other != end) {
      diagnostics.warning(
          sources.place(records.rrsets.origin(other)), "ttl-mismatch",
          "{} {} has records with different TTLs; expected one TTL (RFC 2181 §5.2), "
          "the lowest, {}, is used",
          records.owner(), type_to_text(set.type), set.ttl);
    }
    begin = end;
  }
}

/// Types that may stand beside a CNAME (RFC 2181 §10.1, RFC 4034 §2).
bool may_join_cname(std::uint16_t type) {
  return type == rrtype::cname || type == rrtype::rrsig || type == rrtype::nsec ||
         type == rrtype::key;
}

void check_cname(const OwnerRecords& records, const RecordSources& sources,
                 Diagnostics& diagnostics) {
  std::size_t cname = records.begin;
  while (cname < records.end && records[cname].type != rrtype::cname) ++cname;
  if (cname == records.end) return;
  const auto origin = [&](std::size_t at) { return records.rrsets.origin(at); };
  for (std::size_t at = records.begin; at < records.end; ++at) {
    if (may_join_cname(records[at].type)) continue;
    diagnostics.error(sources.place(origin(cname)), "cname-and-other-data",
                      "{} has a CNAME and {} in {}; expected the CNAME alone", records.owner(),
                      type_to_text(records[at].type), sources.text(origin(at)));
    break;
  }
  for (std::size_t at = cname + 1; at < records.end; ++at) {
    if (records[at].type != rrtype::cname || records[at].rdata == records[cname].rdata) continue;
    diagnostics.error(sources.place(origin(at)), "cname-twice",
                      "a second CNAME for {}, first in {}; expected one", records.owner(),
                      sources.text(origin(cname)));
  }
}

void check_apex(const RRsets& rrsets, const RecordSources& sources, Diagnostics& diagnostics) {
  std::optional<std::size_t> soa;
  bool has_ns = false;
  for (std::size_t at = 0; at < rrsets.record_count(); ++at) {
    const RRsets::Record record = rrsets.record(at);
    const bool is_apex = record.labels.empty();
    if (record.type == rrtype::ns && is_apex) has_ns = true;
    if (record.type != rrtype::soa) continue;
    if (!is_apex) {
      diagnostics.error(sources.place(rrsets.origin(at)), "soa-not-apex",
                        "an SOA at {}; expected it at the apex {} only", rrsets.owner(at).text(),
                        rrsets.apex().text());
    } else if (soa) {
      diagnostics.error(sources.place(rrsets.origin(at)), "soa-twice",
                        "a second SOA, first in {}; expected one",
                        sources.text(rrsets.origin(*soa)));
    } else {
      soa = at;
    }
  }
  if (!soa) {
    diagnostics.error(sources.zone, "soa-missing",
                      "zone without an SOA; expected `soa:` or one in an included master file");
  }
  if (!has_ns) {
    diagnostics.error(
        sources.zone, "ns-missing",
        "zone without nameservers; expected `nameservers:` or NS records of the apex");
  }
}

bool has_rrset(const Zone& zone, const Name& owner, std::uint16_t type) {
  return zone.rrsets.find(owner, type).has_value();
}

/// The type of an RRset of that owner; empty if it has none.
std::string other_data(const Zone& zone, const Name& owner) {
  const std::size_t found = zone.rrsets.find_owner(owner);
  if (found == zone.rrsets.record_count()) return {};
  return type_to_text(zone.rrsets.record(found).type);
}

void check_beside_static(const Zone& zone, const Service& service, Diagnostics& diagnostics) {
  const bool is_cname = std::ranges::any_of(
      service.records, [](const Record& record) { return record.addresses.empty(); });
  const std::string type = is_cname ? other_data(zone, service.owner) : std::string();
  if (!type.empty()) {
    diagnostics.error(
        service.place, "service-and-static",
        "service `{}` answers as CNAME, and its owner has static {} records; expected "
        "`addresses` in every record, or no static records",
        service.label, type);
    return;
  }
  for (const std::uint16_t steered : {rrtype::a, rrtype::aaaa, rrtype::cname, rrtype::https}) {
    if (!has_rrset(zone, service.owner, steered)) continue;
    diagnostics.error(service.place, "service-and-static",
                      "service `{}`, and its owner has static {} records; expected one of them",
                      service.label, type_to_text(steered));
  }
}

void check_delegation(const Zone& zone, const Service& service, Diagnostics& diagnostics) {
  for (Name name = service.owner; name.is_at_or_below(zone.apex) && name != zone.apex;
       name = name.parent()) {
    if (!has_rrset(zone, name, rrtype::ns)) continue;
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
  const std::string type = other_data(zone, *owner);
  if (type.empty()) return;
  diagnostics.error(service.place, "mode-name-taken",
                    "{} has static {} records, and tells the mode of hard service `{}`; expected "
                    "no records there",
                    owner->text(), type, service.label);
}

void check_nameservers(const Zone& zone, const std::map<Name, const Service*>& services,
                       const RecordSources& sources, Diagnostics& diagnostics) {
  for (const RRset rrset : zone.rrsets) {
    if (rrset.type != rrtype::ns) continue;
    for (const std::string_view rdata : rrset.rdata()) {
      const auto target =
          Name::from_wire({reinterpret_cast<const std::uint8_t*>(rdata.data()), rdata.size()});
      if (!target || !target->is_at_or_below(zone.apex) || services.contains(*target)) continue;
      if (has_rrset(zone, *target, rrtype::a)) continue;
      if (has_rrset(zone, *target, rrtype::aaaa)) continue;
      diagnostics.warning(sources.zone, "ns-without-address",
                          "nameserver {} of {} is in the zone and has no address; expected an A or "
                          "AAAA record",
                          target->text(), rrset.owner().text());
    }
  }
}

}  // namespace

void finish_rrsets(RRsets& rrsets, const RecordSources& sources, Diagnostics& diagnostics) {
  rrsets.put_in_order();
  check_apex(rrsets, sources, diagnostics);
  check_dnames(rrsets, sources, diagnostics);
  for (std::size_t begin = 0; begin < rrsets.record_count();) {
    const OwnerRecords owner{rrsets, begin, rrsets.owner_end(begin)};
    if (owner.end - owner.begin > 1) {
      check_cname(owner, sources, diagnostics);
      check_ttls(owner, sources, diagnostics);
    }
    begin = owner.end;
  }
  rrsets.drop_duplicates();
  for (const RRset rrset : rrsets) check_size(rrset, sources, diagnostics);
  rrsets.forget_origins();
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
