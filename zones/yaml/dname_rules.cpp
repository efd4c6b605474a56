#include "zones/yaml/dname_rules.h"

#include <map>
#include <set>

#include "zones/rdata.h"

namespace demarc::zones::yaml {
namespace {

class DnameRules {
 public:
  DnameRules(const RRsets& records, const RecordSources& sources, Diagnostics& diagnostics)
      : records_(records), sources_(sources), diagnostics_(diagnostics) {}

  void check() {
    for_each_of(rrtype::dname, [this](std::size_t at) { note(at); });
    if (dnames_.empty()) return;
    for_each_of(rrtype::ns, [this](std::size_t at) {
      if (!records_.record(at).labels.empty()) cuts_.insert(records_.owner(at));
    });
    for (const auto& [owner, at] : dnames_) check_owner(owner, at);
    for (std::size_t at = 0; at < records_.record_count(); at = records_.owner_end(at)) {
      check_below(at);
    }
  }

 private:
  template <typename Use>
  void for_each_of(std::uint16_t type, Use use) const {
    for (std::size_t at = 0; at < records_.record_count(); ++at) {
      if (records_.record(at).type == type) use(at);
    }
  }

  void note(std::size_t at) {
    const auto [first, is_new] = dnames_.try_emplace(records_.owner(at), at);
    if (is_new || records_.record(first->second).rdata == records_.record(at).rdata) return;
    diagnostics_.error(place(at), "dname-twice", "a second DNAME for {}, first in {}; expected one",
                       first->first.text(), place_text(first->second));
  }

  void check_owner(const Name& owner, std::size_t dname) {
    if (owner.is_wildcard()) {
      diagnostics_.error(place(dname), "dname-at-wildcard",
                         "a DNAME at {}, which servers expand each in its own way (RFC 6672 §3.3); "
                         "expected an owner without `*`",
                         owner.text());
    }
    if (cuts_.contains(owner)) {
      diagnostics_.error(place(dname), "dname-at-delegation",
                         "a DNAME and NS records at {}; expected one of them, both stand beside "
                         "each other at the apex alone (RFC 6672 §2.3)",
                         owner.text());
    }
  }

  /// The records of the owner that begins at that position.
  void check_below(std::size_t at) {
    const Name owner = records_.owner(at);
    auto dname = dnames_.end();  // the one nearest to the apex that no delegation hides
    for (Name name = owner; name != records_.apex();) {
      name = name.parent();
      if (cuts_.contains(name)) dname = dnames_.end();
      if (const auto found = dnames_.find(name); found != dnames_.end()) dname = found;
    }
    if (dname == dnames_.end()) return;
    diagnostics_.error(place(at), "below-dname",
                       "{} is below {}, whose DNAME in {} leads all names below it elsewhere; "
                       "expected no records there (RFC 6672 §2.4)",
                       owner.text(), dname->first.text(), place_text(dname->second));
  }

  [[nodiscard]] Place place(std::size_t at) const { return sources_.place(records_.origin(at)); }
  [[nodiscard]] std::string place_text(std::size_t at) const {
    return sources_.text(records_.origin(at));
  }

  const RRsets& records_;
  const RecordSources& sources_;
  Diagnostics& diagnostics_;
  std::map<Name, std::size_t> dnames_;  // the position of the first
  std::set<Name> cuts_;
};

bool has_dname(const Zone& zone, const Name& owner) {
  return zone.rrsets.find(owner, rrtype::dname).has_value();
}

}  // namespace

void check_dnames(const RRsets& records, const RecordSources& sources, Diagnostics& diagnostics) {
  DnameRules(records, sources, diagnostics).check();
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
