#include "zones/yaml/dname_rules.h"

#include <algorithm>
#include <map>
#include <set>

#include "zones/rdata.h"

namespace demarc::zones::yaml {
namespace {

class DnameRules {
 public:
  DnameRules(const Name& apex, std::span<const StaticRecord> records, const RecordSources& sources,
             Diagnostics& diagnostics)
      : apex_(apex), records_(records), sources_(sources), diagnostics_(diagnostics) {
    for (const StaticRecord& record : records) {
      if (record.type == rrtype::dname) note(record);
      if (record.type == rrtype::ns && record.owner != apex) cuts_.insert(record.owner);
    }
  }

  void check() {
    if (dnames_.empty()) return;
    for (const auto& [owner, record] : dnames_) check_owner(*record);
    const StaticRecord* last = nullptr;
    for (const StaticRecord& record : records_) {
      if (last == nullptr || last->owner != record.owner) check_below(record);
      last = &record;
    }
  }

 private:
  void note(const StaticRecord& record) {
    const auto [first, is_new] = dnames_.try_emplace(record.owner, &record);
    if (is_new || first->second->rdata == record.rdata) return;
    diagnostics_.error(sources_.place(record), "dname-twice",
                       "a second DNAME for {}, first in {}; expected one", record.owner.text(),
                       place_of(*first->second));
  }

  void check_owner(const StaticRecord& dname) {
    if (dname.owner.is_wildcard()) {
      diagnostics_.error(sources_.place(dname), "dname-at-wildcard",
                         "a DNAME at {}, which servers expand each in its own way (RFC 6672 §3.3); "
                         "expected an owner without `*`",
                         dname.owner.text());
    }
    if (cuts_.contains(dname.owner)) {
      diagnostics_.error(sources_.place(dname), "dname-at-delegation",
                         "a DNAME and NS records at {}; expected one of them, both stand beside "
                         "each other at the apex alone (RFC 6672 §2.3)",
                         dname.owner.text());
    }
  }

  void check_below(const StaticRecord& record) {
    const StaticRecord* dname = nullptr;  // the one nearest to the apex that no delegation hides
    Name name = record.owner;
    while (name != apex_) {
      name = name.parent();
      if (cuts_.contains(name)) dname = nullptr;
      if (const auto found = dnames_.find(name); found != dnames_.end()) dname = found->second;
    }
    if (dname == nullptr) return;
    diagnostics_.error(sources_.place(record), "below-dname",
                       "{} is below {}, whose DNAME in {} leads all names below it elsewhere; "
                       "expected no records there (RFC 6672 §2.4)",
                       record.owner.text(), dname->owner.text(), place_of(*dname));
  }

  [[nodiscard]] std::string place_of(const StaticRecord& record) const {
    return fmt::format("{}:{}", sources_.files[record.file], record.line);
  }

  const Name& apex_;
  std::span<const StaticRecord> records_;
  const RecordSources& sources_;
  Diagnostics& diagnostics_;
  std::map<Name, const StaticRecord*> dnames_;
  std::set<Name> cuts_;
};

bool has_dname(const Zone& zone, const Name& owner) {
  const auto [first, last] = std::ranges::equal_range(zone.rrsets, owner, {}, &RRset::owner);
  return std::any_of(first, last, [](const RRset& rrset) { return rrset.type == rrtype::dname; });
}

}  // namespace

void check_dnames(const Name& apex, std::span<const StaticRecord> records,
                  const RecordSources& sources, Diagnostics& diagnostics) {
  DnameRules(apex, records, sources, diagnostics).check();
}

void check_dname_of(const Zone& zone, const Service& service, Diagnostics& diagnostics) {
  const bool needs_names_below =
      service.residency == Residency::hard || service.home_kind == HomeKind::tenant;
  if (needs_names_below && has_dname(zone, service.owner)) {
    diagnostics.error(service.place, "service-below-dname",
                      "service `{}`, whose names below it tell of it or are tenants', has a DNAME "
                      "at its owner, which leads them elsewhere; expected none",
                      service.label);
  }
  for (Name name = service.owner; name != zone.apex && name.is_at_or_below(zone.apex);) {
    name = name.parent();
    if (!has_dname(zone, name)) continue;
    diagnostics.error(service.place, "service-below-dname",
                      "service `{}` is below {}, whose DNAME leads all names below it elsewhere; "
                      "expected it outside",
                      service.label, name.text());
    return;
  }
}

}  // namespace demarc::zones::yaml
