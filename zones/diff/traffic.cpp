#include "zones/diff/traffic.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "geo/countries.h"
#include "zones/diff/text.h"
#include "zones/gate.h"
#include "zones/plan.h"
#include "zones/view.h"

namespace demarc::zones::diff {
namespace {

/// A kind of client, told apart without the ids of either side.
struct Client {
  std::string text;
  geo::Location location;
  std::optional<geo::Prefix> network;
};

/// What one kind of client gets.
struct Answer {
  std::string regions;  // "eu", "eu 70 %, us-east 30 %", "NODATA"
  std::string records;  // the same with endpoints and addresses
  auto operator<=>(const Answer&) const = default;
};

void collect(const Repository& repository, std::set<geo::Prefix>& networks,
             std::set<std::string>& subdivisions, std::set<std::uint32_t>& asns) {
  for (const Service& service : repository.services) {
    const auto* route = std::get_if<RouteLines>(&service.route);
    if (route == nullptr) continue;
    for (const RouteLine& line : route->lines) {
      if (const auto* m = std::get_if<MatchNetwork>(&line.match)) {
        networks.insert(m->prefixes.begin(), m->prefixes.end());
      } else if (const auto* n = std::get_if<MatchSubdivision>(&line.match)) {
        subdivisions.insert(n->subdivisions.begin(), n->subdivisions.end());
      } else if (const auto* a = std::get_if<MatchAsn>(&line.match)) {
        asns.insert(a->asns.begin(), a->asns.end());
      }
    }
  }
}

std::vector<Client> build_clients_of(const Repository& from, const Repository& to) {
  std::set<geo::Prefix> networks;
  std::set<std::string> subdivisions;
  std::set<std::uint32_t> asns;
  collect(from, networks, subdivisions, asns);
  collect(to, networks, subdivisions, asns);
  std::vector<Client> clients;
  for (const geo::Country& country : geo::countries()) {
    geo::Location location;
    location.country = country.code;
    clients.push_back(
        {std::string(country.code.text()), geo::completed(std::move(location)), std::nullopt});
  }
  clients.push_back({"of no known country", {}, std::nullopt});
  for (const std::string& subdivision : subdivisions) {
    geo::Location location;
    location.subdivision = subdivision;
    clients.push_back({subdivision, geo::completed(std::move(location)), std::nullopt});
  }
  for (const std::uint32_t asn : asns) {
    geo::Location location;
    location.asn = asn;
    clients.push_back({fmt::format("AS{}", asn), location, std::nullopt});
  }
  for (const geo::Prefix& network : networks) clients.push_back({to_text(network), {}, network});
  return clients;
}

std::string share_text(std::uint64_t weight, std::uint64_t total) {
  return fmt::format(" {:.3g} %", 100.0 * static_cast<double>(weight) / static_cast<double>(total));
}

Answer answer_of(const Policy& policy, const Service& service, const Choice& choice) {
  if (choice.kind == ChoiceKind::nodata) return {"NODATA", "NODATA"};
  if (choice.kind == ChoiceKind::servfail) return {"SERVFAIL", "SERVFAIL"};
  std::vector<std::pair<std::string, std::uint64_t>> regions;  // in the file's order
  std::uint64_t total = 0;
  for (const WeightedRecord& r : choice.records) total += r.weight;
  std::vector<std::string> records;
  for (const WeightedRecord& r : choice.records) {
    const Record& record = service.record(r.record);
    const std::string& name = policy.region(record.region).name;
    const auto known = std::ranges::find(regions, name, &std::pair<std::string, uint64_t>::first);
    if (known == regions.end()) {
      regions.emplace_back(name, r.weight);
    } else {
      known->second += r.weight;
    }
    records.push_back(fmt::format("{}{}: {} ({})", name,
                                  choice.records.size() == 1 ? "" : share_text(r.weight, total),
                                  record.endpoint, addresses_text(record)));
  }
  std::ranges::sort(regions);
  std::ranges::sort(records);
  std::vector<std::string> parts;
  for (const auto& [name, weight] : regions) {
    parts.push_back(name + (regions.size() == 1 ? "" : share_text(weight, total)));
  }
  return {fmt::format("{}", fmt::join(parts, ", ")), fmt::format("{}", fmt::join(records, ", "))};
}

/// One side of the difference, asked client by client.
class Side {
 public:
  Side(Repository& repository, const std::vector<Client>& clients)
      : repository_(repository), views_(repository) {
    locations_.reserve(clients.size());
    for (const Client& client : clients) {
      locations_.push_back(located(client));
      (void)views_.classify(locations_.back());
    }
  }

  /// Indexed by client; all "nothing" without the service.
  std::vector<Answer> answers(std::optional<ServiceId> id) {
    if (!id) return std::vector<Answer>(locations_.size(), {"nothing", "nothing"});
    const Service& service = repository_.service(*id);
    const Ruling ruling = Gate::rule(repository_, views_, base_plan(repository_, *id), {});
    std::vector<Answer> of_choice;
    for (const Choice& choice : ruling.cleared.choices()) {
      of_choice.push_back(answer_of(repository_.policy, service, choice));
    }
    std::vector<Answer> list;
    for (const std::size_t variant : variants_of(service.view)) {
      list.push_back(of_choice.at(ruling.cleared.choice_of_variant()[variant]));
    }
    return list;
  }

 private:
  geo::Location located(const Client& client) const {
    geo::Location location = client.location;
    if (!client.network) return location;
    const auto marks = views_.marks();
    for (std::size_t i = 0; i < marks.size(); ++i) {
      const bool is_longer = location.network_mark == geo::no_network_mark ||
                             marks[i].length > marks[location.network_mark].length;
      if (marks[i].contains(*client.network) && is_longer) {
        location.network_mark = static_cast<std::uint32_t>(i);
      }
    }
    return location;
  }

  const std::vector<std::size_t>& variants_of(ViewId view) {
    auto& known = variants_[view];
    if (!known.empty()) return known;
    const auto variants = views_.variants(view);
    const Service& example = repository_.service(views_.example_of(view));
    for (const geo::Location& location : locations_) {
      const Variant variant = evaluate_route(repository_.policy, example, location, views_.marks());
      known.push_back(
          static_cast<std::size_t>(std::ranges::find(variants, variant) - variants.begin()));
    }
    return known;
  }

  Repository& repository_;
  Views views_;
  std::vector<geo::Location> locations_;
  std::map<ViewId, std::vector<std::size_t>> variants_;
};

std::map<Name, ServiceId> services_of(const Repository& repository) {
  std::map<Name, ServiceId> services;
  for (std::size_t i = 0; i < repository.services.size(); ++i) {
    if (repository.services[i].tenants_of) continue;  // not on the wire by its own name
    services.emplace(repository.services[i].owner, ServiceId{static_cast<std::uint32_t>(i)});
  }
  return services;
}

template <typename Map, typename Key>
std::optional<ServiceId> find_in(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::vector<TrafficShift> build_traffic(Repository& from, Repository& to) {
  const std::vector<Client> clients = build_clients_of(from, to);
  Side old_side(from, clients);
  Side new_side(to, clients);
  const auto old_services = services_of(from);
  const auto new_services = services_of(to);
  std::set<Name> owners;
  for (const auto& [owner, id] : old_services) owners.insert(owner);
  for (const auto& [owner, id] : new_services) owners.insert(owner);

  std::vector<TrafficShift> shifts;
  for (const Name& owner : owners) {
    const auto before = old_side.answers(find_in(old_services, owner));
    const auto after = new_side.answers(find_in(new_services, owner));
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> groups;
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (before[i] == after[i]) continue;
      // Where the regions are the same, the endpoints are what differs.
      const bool by_region = before[i].regions != after[i].regions;
      groups[by_region ? std::pair(before[i].regions, after[i].regions)
                       : std::pair(before[i].records, after[i].records)]
          .push_back(clients[i].text);
    }
    for (auto& [answers, who] : groups) {
      const bool is_everyone = who.size() == clients.size();
      shifts.push_back(
          {owner.text_without_dot(), answers.first, answers.second, std::move(who), is_everyone});
    }
  }
  std::ranges::sort(shifts, {}, [](const TrafficShift& shift) {
    return std::tie(shift.service, shift.before, shift.after);
  });
  return shifts;
}

std::vector<std::string> not_walked(const Repository& from, const Repository& to) {
  std::vector<std::string> list;
  if (from.tenants || to.tenants) list.emplace_back("single tenants");
  if (!from.overrides.empty() || !to.overrides.empty()) {
    list.emplace_back("networks of networks.yaml");
  }
  return list;
}

}  // namespace demarc::zones::diff
