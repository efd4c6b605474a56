#include "zones/rules.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "geo/countries.h"
#include "zones/gate.h"
#include "zones/plan.h"
#include "zones/rdata.h"
#include "zones/rules_clients.h"
#include "zones/view.h"

namespace demarc::zones {
namespace {

constexpr std::size_t named_clients_max = 3;

/// "clients in AT, BE, BG and 24 more".
std::string to_text(const std::vector<const ClientClass*>& clients) {
  std::string text = "clients ";
  for (std::size_t i = 0; i < std::min(clients.size(), named_clients_max); ++i) {
    text += i == 0 ? "" : ", ";
    text += clients[i]->text;
  }
  if (clients.size() > named_clients_max) {
    text += fmt::format(" and {} more", clients.size() - named_clients_max);
  }
  return text;
}

/// Who gets what: all clients of one view, by variant.
using ClientsOfVariant = std::map<Variant, std::vector<const ClientClass*>>;

/// Gate rule 6 for one hard service.
class BaseRules {
 public:
  BaseRules(const Repository& repository, ServiceId id, Diagnostics& diagnostics)
      : policy_(repository.policy),
        service_(repository.service(id)),
        plan_(base_plan(repository, id)),
        diagnostics_(diagnostics) {}

  void check(const ClientsOfVariant& clients_of_variant) {
    for (const auto& [variant, clients] : clients_of_variant) check_variant(variant, clients);
    report_crossings();
    report_foreign_routes();
    report_homes();
  }

 private:
  using Clients = std::vector<const ClientClass*>;
  using Home = std::optional<JurisdictionId>;

  /// Whether the country, and so the home, of a client is known at load.
  bool is_sure(const ClientClass& client) const {
    return service_.home_kind != HomeKind::client || client.is_country_known;
  }

  void check_variant(const Variant& variant, const Clients& clients) {
    const Home home = home_of(service_, variant);
    if (!has_record(home)) {
      append(without_record_[home], clients);
      return;  // answered by on-block alone, whatever the weights
    }
    if (!has_record_on_route(variant, home)) append(foreign_routes_[home], clients);
    for (const WeightedRecord& answer : answered_first(service_, variant, plan_)) {
      if (is_eligible(policy_, service_, service_.record(answer.record), home)) continue;
      append(crossings_[{answer.record, home}], clients);
    }
  }

  static void append(Clients& target, const Clients& clients) {
    target.insert(target.end(), clients.begin(), clients.end());
  }

  bool has_record(Home home) const {
    return std::ranges::any_of(service_.records, [&](const Record& record) {
      return is_eligible(policy_, service_, record, home);
    });
  }

  bool has_record_on_route(const Variant& variant, Home home) const {
    return std::ranges::any_of(service_.records, [&](const Record& record) {
      const bool is_on_route =
          variant.weighted || std::ranges::count(variant.order, record.region) != 0;
      return is_on_route && is_eligible(policy_, service_, record, home);
    });
  }

  std::string home_text(Home home) const {
    return home ? policy_.jurisdiction(*home).name : std::string("unknown");
  }

  /// One finding for the clients whose home is sure, one warning for the others alone.
  template <typename Report>
  void report(const Clients& clients, const Report& report) {
    Clients sure;
    Clients unsure;
    for (const ClientClass* client : clients) {
      (is_sure(*client) ? sure : unsure).push_back(client);
    }
    if (!sure.empty()) {
      report(Severity::error, sure);
    } else if (!unsure.empty()) {
      report(Severity::warning, unsure);
    }
  }

  void report_crossings() {
    for (const auto& [key, clients] : crossings_) {
      const Record& record = service_.record(key.first);
      const Region& region = policy_.region(record.region);
      report(clients, [&](Severity severity, const Clients& who) {
        // A class's records are copies: what is particular to it is its tenants' line.
        diagnostics_.add(
            {service_.tenants_of ? service_.place : record.place, severity, "base-crossing",
             fmt::format("by base weights, record `{}` in region {} ({}) answers {}, outside home "
                         "{} of hard service `{}`; expected weight 0 for it, or a route that "
                         "reaches a record inside first",
                         record.endpoint, region.name,
                         policy_.jurisdiction(place_of(policy_, record)).name, to_text(who),
                         home_text(key.second), service_.label)});
      });
    }
  }

  void report_foreign_routes() {
    for (const auto& [home, clients] : foreign_routes_) {
      report(clients, [&](Severity severity, const Clients& who) {
        diagnostics_.add(
            {service_.place, severity, "route-all-foreign",
             fmt::format("the route of hard service `{}` names no region with a record inside home "
                         "{} for {}; expected at least one",
                         service_.label, home_text(home), to_text(who))});
      });
    }
  }

  void report_homes() {
    for (const auto& [home, clients] : without_record_) {
      const bool is_error = service_.home_kind != HomeKind::client;
      diagnostics_.add(
          {service_.place, is_error ? Severity::error : Severity::warning, "home-without-record",
           is_error
               ? fmt::format("hard service `{}` has no record inside its home {}; expected at "
                             "least one",
                             service_.label, home_text(home))
               : fmt::format("hard service `{}` has no record inside {}, the home of {}; expected "
                             "one, `on-block` alone answers them",
                             service_.label, home_text(home), to_text(clients))});
    }
  }

  const Policy& policy_;
  const Service& service_;
  Plan plan_;
  Diagnostics& diagnostics_;
  std::map<std::pair<RecordId, Home>, Clients> crossings_;
  std::map<Home, Clients> foreign_routes_;
  std::map<Home, Clients> without_record_;
};

/// Services of one view see the same variants; each view is walked once.
class Walk {
 public:
  Walk(const Repository& repository, const Views& views)
      : repository_(repository),
        views_(views),
        clients_(build_clients(repository, views.marks())) {}

  const ClientsOfVariant& of(ViewId view) {
    const auto [found, is_new] = walked_.try_emplace(view);
    if (!is_new) return found->second;
    const Service& service = repository_.service(views_.example_of(view));
    const bool is_nearest = std::holds_alternative<RouteNearest>(service.route);
    const bool is_client = service.home_kind == HomeKind::client;
    const bool is_same_for_all =
        std::holds_alternative<RouteWeighted>(service.route) || service.tenants_of;
    if (is_same_for_all && !is_client) {
      add(service, everyone_, found->second);
      return found->second;
    }
    for (const ClientClass& client : clients_) {
      // Where in the world a client is only matters where distance does.
      if (client.is_beside_region && (!is_nearest || is_client)) continue;
      add(service, client, found->second);
    }
    return found->second;
  }

 private:
  void add(const Service& service, const ClientClass& client, ClientsOfVariant& walked) const {
    walked[evaluate_route(repository_.policy, service, client.location, views_.marks())].push_back(
        &client);
  }

  const Repository& repository_;
  const Views& views_;
  const ClientClass everyone_{.location = {}, .text = "everywhere", .is_country_known = true};
  std::vector<ClientClass> clients_;
  std::map<ViewId, ClientsOfVariant> walked_;
};

void check_assertions(const Repository& repository, ServiceId id, Diagnostics& diagnostics) {
  const Service& service = repository.service(id);
  for (const std::string& broken : base_plan(repository, id).asserted) {
    diagnostics.error(service.place, "base-assertion",
                      "the base weights of service `{}` break assertion `{}`; expected weights "
                      "under which it holds",
                      service.label, broken);
  }
}

/// What a residency rule denies by name does not answer, so it has no base weight either.
void check_soft_base(const Repository& repository, const Service& service,
                     Diagnostics& diagnostics) {
  if (service.home_kind == HomeKind::client) return;  // judged for each client by the gate
  for (const Record& record : service.records) {
    if (record.weight == 0 || is_eligible(repository, service, record, service.home)) continue;
    diagnostics.error(record.place, "base-crossing",
                      "a residency rule denies soft service `{}` to answer `{}`; expected weight 0 "
                      "for it",
                      service.label, record.endpoint);
  }
}

void check_base_weights(Repository& repository, Diagnostics& diagnostics) {
  const Views views(repository);
  Walk walk(repository, views);
  for (std::size_t i = 0; i < repository.services.size(); ++i) {
    const Service& service = repository.services[i];
    check_assertions(repository, static_cast<ServiceId>(i), diagnostics);
    if (service.residency == Residency::soft) {
      check_soft_base(repository, service, diagnostics);
    }
    if (service.residency != Residency::hard) continue;
    BaseRules(repository, static_cast<ServiceId>(i), diagnostics).check(walk.of(service.view));
  }
}

/// With several records in one answer, an address twice makes one RRset with a duplicate, and
/// taking one of the records away would not take the address away.
void check_shared_addresses(const Service& service, Diagnostics& diagnostics) {
  if (service.answers == 1) return;
  std::map<geo::Address, const Record*> seen;
  for (const Record& record : service.records) {
    for (const geo::Address& address : record.addresses) {
      const auto [first, is_new] = seen.try_emplace(address, &record);
      if (is_new) continue;
      diagnostics.error(record.place, "shared-address",
                        "address {} of `{}` is also one of `{}`; expected each once where "
                        "`answers` is not one",
                        geo::to_text(address), record.endpoint, first->second->endpoint);
    }
  }
}

/// As many records as one answer may have, those with most addresses, fit one message; HTTPS hints
/// need less than the RRsets of both families do.
void check_size(const Service& service, Diagnostics& diagnostics) {
  constexpr std::size_t rrset_bytes_max = 60'000;  // beside a question, an OPT, a chain of CNAMEs
  for (const auto& [family, record_bytes] : {std::pair{geo::Family::ipv4, std::size_t{16}},
                                             std::pair{geo::Family::ipv6, std::size_t{28}}}) {
    std::vector<std::size_t> counts;
    for (const Record& record : service.records) {
      counts.push_back(static_cast<std::size_t>(
          std::ranges::count(record.addresses, family, &geo::Address::family)));
    }
    std::ranges::sort(counts, std::greater{});
    counts.resize(std::min(counts.size(), service.answers));
    const std::size_t count = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
    if (count * record_bytes <= rrset_bytes_max) continue;
    diagnostics.error(service.place, "answers-too-large",
                      "an answer of `{}` may have {} {} addresses; expected at most {}, as a "
                      "message has room for",
                      service.label, count, family == geo::Family::ipv4 ? "IPv4" : "IPv6",
                      rrset_bytes_max / record_bytes);
  }
}

/// Several records in one answer have no CNAME among them (RFC 1034 §3.6.2).
void check_answers(const Service& service, Diagnostics& diagnostics) {
  check_shared_addresses(service, diagnostics);
  if (service.answers == 1) return;
  check_size(service, diagnostics);
  for (const Record& record : service.records) {
    if (!record.addresses.empty()) continue;
    diagnostics.error(record.place, "answers-with-cname",
                      "`{}` has no addresses and answers as CNAME; expected `addresses` in every "
                      "record where `answers` is not one",
                      record.endpoint);
  }
}

/// What a record says of where an address or an endpoint is.
struct Tag {
  const Record* record = nullptr;
  JurisdictionId jurisdiction{};
};

/// One address or endpoint name lies in one jurisdiction. If records disagree, one of them is
/// wrong, and a hard service may not rest on it.
class TagRules {
 public:
  TagRules(const Repository& repository, Diagnostics& diagnostics)
      : repository_(repository), diagnostics_(diagnostics) {}

  void check() {
    for (const Service& service : repository_.services) {
      if (service.residency == Residency::hard)
        each_tag(service, [](auto& map, const auto& key, Tag tag) { map.try_emplace(key, tag); });
    }
    if (addresses_.empty() && names_.empty()) return;
    for (const Service& service : repository_.services) {
      if (service.tenants_of) continue;  // its records are copies
      each_tag(service, [this](auto& map, const auto& key, Tag tag) {
        const auto known = map.find(key);
        if (known != map.end() && known->second.jurisdiction != tag.jurisdiction) {
          report(known->second, tag);
        }
      });
    }
  }

 private:
  template <typename Visit>
  void each_tag(const Service& service, const Visit& visit) {
    for (const Record& record : service.records) {
      const Tag tag{&record, place_of(repository_.policy, record)};
      visit(names_, record.endpoint_name, tag);
      for (const geo::Address& address : record.addresses) visit(addresses_, address, tag);
    }
  }

  void report(const Tag& hard, const Tag& other) {
    if (!reported_.insert(other.record).second) return;
    const auto& policy = repository_.policy;
    diagnostics_.error(other.record->place, "contradictory-jurisdiction",
                       "`{}` in {}, but a hard service has its address or name in {} ({}:{}); "
                       "expected one jurisdiction",
                       other.record->endpoint, policy.jurisdiction(other.jurisdiction).name,
                       policy.jurisdiction(hard.jurisdiction).name, hard.record->place.file,
                       hard.record->place.line);
  }

  const Repository& repository_;
  Diagnostics& diagnostics_;
  std::map<geo::Address, Tag> addresses_;
  std::map<Name, Tag> names_;
  std::set<const Record*> reported_;
};

/// A CNAME of a hard service into our own zones would go on by the rules of that name: another
/// service, a chain of CNAMEs, addresses that no region is tagged with.
void check_chains(const Repository& repository, Diagnostics& diagnostics) {
  std::set<Place> reported;  // classes of tenants have copies of their service's records
  for (const Service& service : repository.services) {
    if (service.residency != Residency::hard) continue;
    for (const Record& record : service.records) {
      if (!record.addresses.empty()) continue;
      const Zone* zone = repository.find_zone(record.endpoint_name);
      if (zone == nullptr || !reported.insert(record.place).second) continue;
      diagnostics.error(record.place, "endpoint-in-own-zone",
                        "endpoint `{}` lies in zone {}, where other records decide where it leads; "
                        "expected `addresses`, or a name outside our zones",
                        record.endpoint, zone->apex.text_without_dot());
    }
  }
}

/// A name at or below another zone's apex is answered from that zone.
void check_other_zones(const Repository& repository, Diagnostics& diagnostics) {
  std::map<Name, const Zone*> by_apex;
  for (const Zone& zone : repository.zones) by_apex.emplace(zone.apex, &zone);
  for (const Service& service : repository.services) {
    if (service.tenants_of) continue;  // where its service is
    const Zone& own = repository.zones.at(service.zone);
    for (Name name = service.owner; name != own.apex; name = name.parent()) {
      const auto other = by_apex.find(name);
      if (other == by_apex.end()) continue;
      diagnostics.error(service.place, "service-in-other-zone",
                        "service `{}` lies in zone {} of {}; expected it in that file",
                        service.label, name.text_without_dot(), other->second->file);
      break;
    }
  }
}

/// A zone whose apex a DNAME of the zone above leads elsewhere: resolvers that know the DNAME never
/// ask for it. Its own data is checked by zones/yaml/dname_rules.h.
void check_zones_below_dnames(const Repository& repository, Diagnostics& diagnostics) {
  std::map<Name, const Zone*> dnames;
  for (const Zone& zone : repository.zones) {
    for (const RRset rrset : zone.rrsets) {
      if (rrset.type == rrtype::dname) dnames.emplace(rrset.owner(), &zone);
    }
  }
  for (const Zone& zone : repository.zones) {
    for (Name name = zone.apex; !dnames.empty(); name = name.parent()) {
      const auto dname = dnames.find(name);
      if (dname != dnames.end() && dname->second != &zone) {
        diagnostics.error({zone.file}, "zone-below-dname",
                          "zone {} is at or below {}, where {} has a DNAME; expected it outside",
                          zone.apex.text_without_dot(), name.text(), dname->second->file);
        break;
      }
      if (name.is_root()) break;
    }
  }
}

}  // namespace

void check_rules(Repository& repository, Diagnostics& diagnostics) {
  for (const Service& service : repository.services) {
    if (!service.tenants_of) check_answers(service, diagnostics);
  }
  TagRules(repository, diagnostics).check();
  check_chains(repository, diagnostics);
  check_other_zones(repository, diagnostics);
  check_zones_below_dnames(repository, diagnostics);
  check_base_weights(repository, diagnostics);
}

}  // namespace demarc::zones
