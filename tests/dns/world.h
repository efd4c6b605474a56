// A small world for the tests of dns/: a repository built in memory, clients in countries, and the
// snapshot that the real gate, views and location table make of them.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "dns/responder.h"
#include "dns/snapshot.h"
#include "geo/location_table.h"
#include "tests/dns/message.h"
#include "zones/gate.h"
#include "zones/model.h"
#include "zones/plan.h"
#include "zones/view.h"

namespace demarc::dns::test {

inline zones::Name name(std::string_view text) {
  auto parsed = zones::Name::parse_absolute(text);
  if (!parsed) throw std::runtime_error("bad name");
  return *parsed;
}

inline geo::Address address(std::string_view text) {
  auto parsed = geo::parse_address(text);
  if (!parsed) throw std::runtime_error("bad address");
  return *parsed;
}

class World {
 public:
  zones::Repository repository;

  explicit World(std::string_view apex = "example.com") {
    repository.services.reserve(services_max);
    repository.policy.jurisdictions = {{"EU", {{{'D', 'E'}}, {{'F', 'R'}}}, {}},
                                       {"US", {{{'U', 'S'}}}, {}}};
    repository.policy.regions = {{"eu", zones::JurisdictionId{0}, {}},
                                 {"us", zones::JurisdictionId{1}, {}}};
    add_zone(apex);
  }

  void add_zone(std::string_view apex) {
    zones::Zone& zone = repository.zones.emplace_back();
    zone.apex = name(apex);
    zone.rrsets = zones::RRsets(zone.apex);
    const std::string text(apex);
    add(text + ". 3600 IN SOA ns1." + text + ". hostmaster." + text + ". 1 7200 900 1209600 60");
    add(text + ". 3600 IN NS ns1." + text + ".");
  }

  /// One RR in presentation format with absolute names, to the zone added last.
  void add(const std::string& line) {
    ldns_rr* rr = nullptr;
    if (ldns_rr_new_frm_str(&rr, line.c_str(), 300, nullptr, nullptr) != LDNS_STATUS_OK) {
      throw std::runtime_error("bad record: " + line);
    }
    zones::Rdata rdata;
    for (std::size_t index = 0; index < ldns_rr_rd_count(rr); ++index) {
      const ldns_rdf* const field = ldns_rr_rdf(rr, index);
      rdata.append(reinterpret_cast<const char*>(ldns_rdf_data(field)), ldns_rdf_size(field));
    }
    const ldns_rdf* const owner = ldns_rr_owner(rr);
    const auto owner_name = zones::Name::from_wire({ldns_rdf_data(owner), ldns_rdf_size(owner)});
    add_rdata(*owner_name, static_cast<std::uint16_t>(ldns_rr_get_type(rr)), ldns_rr_ttl(rr),
              rdata);
    ldns_rr_free(rr);
  }

  void add_rdata(const zones::Name& owner, std::uint16_t type, std::uint32_t ttl,
                 const zones::Rdata& rdata) {
    zones::RRsets& rrsets = repository.zones.back().rrsets;
    if (!owner.is_at_or_below(rrsets.apex())) throw std::runtime_error("not in the zone");
    if (!rrsets.add(owner, type, ttl, rdata)) throw std::runtime_error("too many records");
    rrsets.sort();
  }

  /// A service of the zone added last; records follow with add_record(). The reference stays good:
  /// room for services_max was made before.
  zones::Service& add_service(std::string_view owner) {
    const auto id = static_cast<zones::ServiceId>(repository.services.size());
    zones::Service& service = repository.services.emplace_back();
    service.label = owner;
    service.owner = name(owner);
    service.zone = repository.zones.size() - 1;
    service.ttl = 30;
    repository.zones.back().services.push_back(id);
    return service;
  }

  /// eu for Germany, us for the United States, both in this order for everybody else.
  static void route_by_country(zones::Service& service) {
    const zones::RegionId eu{0};
    const zones::RegionId us{1};
    service.route = zones::RouteLines{{{zones::MatchCountry{{{{'D', 'E'}}}}, {eu, us}, {}},
                                       {zones::MatchCountry{{{{'U', 'S'}}}}, {us, eu}, {}},
                                       {zones::MatchAll{}, {eu, us}, {}}}};
  }

  static void add_record(zones::Service& service, unsigned region, std::uint16_t weight,
                         const std::string& endpoint, const std::vector<std::string>& addresses) {
    zones::Record& record = service.records.emplace_back();
    record.region = zones::RegionId(static_cast<std::uint16_t>(region));
    record.weight = weight;
    record.endpoint = endpoint;
    record.endpoint_name = name(endpoint);
    for (const std::string& text : addresses) record.addresses.push_back(address(text));
  }

  void add_network(std::string_view prefix, const char (&country)[3]) {
    geo::Override& network = repository.overrides.emplace_back();
    network.network = geo::parse_prefix(prefix).value();
    network.location.country = geo::Code2{{country[0], country[1]}};
  }

  /// What every snapshot below is built from; after the last change of the repository.
  void prepare() {
    views.emplace(repository);
    auto table = geo::LocationTable::build(
        geo::Databases{}, repository.overrides,
        std::vector<geo::Prefix>(views->marks().begin(), views->marks().end()),
        [this](const geo::Location& location) { return views->classify(location); });
    if (!table) throw std::runtime_error(table.error().text());
    auto zone_table = ZoneTable::build(repository);
    if (!zone_table) throw std::runtime_error(zone_table.error().text());
    parts.zones = std::make_shared<const ZoneTable>(std::move(*zone_table));
    parts.locations = std::make_shared<const geo::LocationTable>(std::move(*table));
    parts.views = compile_views(*views, *parts.locations);
  }

  [[nodiscard]] zones::ClearedWeights clear(
      zones::ServiceId service, const std::vector<zones::Permission>& permissions = {}) const {
    return zones::Gate::rule(repository, *views, zones::base_plan(repository, service), permissions)
        .cleared;
  }

  /// All services by their base weights.
  [[nodiscard]] std::unique_ptr<const Snapshot> build(Moment now = {}) {
    prepare();
    std::vector<zones::ClearedWeights> cleared;
    for (std::size_t index = 0; index < repository.services.size(); ++index) {
      cleared.push_back(clear(static_cast<zones::ServiceId>(index)));
    }
    return build_snapshot(repository, *views, parts, cleared, now, 1);
  }

  std::optional<zones::Views> views;
  SnapshotParts parts;

 private:
  static constexpr std::size_t services_max = 16;
};

/// Asks a snapshot and parses what comes back.
class Client {
 public:
  explicit Client(const Snapshot& snapshot, std::uint64_t seed = 1)
      : worker_(std::make_unique<Worker>(seed)), snapshot_(&snapshot), out_(message_size_max) {}

  geo::Address from = address("192.0.2.200");
  Transport transport = Transport::udp;

  [[nodiscard]] std::span<const std::uint8_t> ask_bytes(std::span<const std::uint8_t> packet) {
    const std::size_t size = respond(*snapshot_, *worker_, packet, from, transport, out_);
    return {out_.data(), size};
  }
  [[nodiscard]] Message ask(const QueryParts& parts) {
    return Message(ask_bytes(query_bytes(parts)));
  }
  [[nodiscard]] Message ask(std::string_view qname, std::uint16_t type) {
    QueryParts parts;
    parts.name = qname;
    parts.type = type;
    return ask(parts);
  }
  /// With an ECS option for an IPv4 or IPv6 address of whole bytes.
  [[nodiscard]] Message ask_for(std::string_view qname, std::uint16_t type, std::string_view client,
                                std::uint8_t source_prefix) {
    const geo::Address subnet = address(client);
    QueryParts parts;
    parts.name = qname;
    parts.type = type;
    parts.has_edns = true;
    parts.options =
        ecs_bytes(subnet.family == geo::Family::ipv4 ? 1 : 2, source_prefix,
                  Bytes(subnet.bytes.begin(), subnet.bytes.begin() + (source_prefix + 7) / 8));
    return ask(parts);
  }
  [[nodiscard]] Worker& worker() { return *worker_; }
  void look_at(const Snapshot& snapshot) { snapshot_ = &snapshot; }

 private:
  std::unique_ptr<Worker> worker_;
  const Snapshot* snapshot_;
  Bytes out_;
};

}  // namespace demarc::dns::test
