// The zone model: what a repository says once it is read, checked and resolved to ids.
// zones/repository.h loads it; zones/view.h, zones/plan.h and the rooms to the right read it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "geo/base/address.h"
#include "geo/base/diagnostics.h"
#include "geo/base/moment.h"
#include "geo/database.h"
#include "geo/location.h"
#include "zones/name.h"

namespace demarc::zones {

enum class JurisdictionId : std::uint16_t {};
enum class RegionId : std::uint16_t {};
enum class ServiceId : std::uint32_t {};
enum class ViewId : std::uint32_t {};
/// A record's place in its service's list, which is the order of the file.
enum class RecordId : std::uint16_t {};

template <typename Id>
[[nodiscard]] constexpr std::size_t index_of(Id id) noexcept {
  return static_cast<std::size_t>(id);
}

inline constexpr std::uint32_t weight_max = 65'535;

// ---- policy.yaml

struct Jurisdiction {
  std::string name;
  std::vector<geo::Code2> countries;
  std::vector<JurisdictionId> approved_standby;  // going there is no crossing
};

struct Region {
  std::string name;
  JurisdictionId jurisdiction{};
  geo::Coordinates location;
};

enum class Mode : std::uint8_t { read_only, scoped_write, full_write };  // what a grant covers
enum class Access : std::uint8_t { read, scoped_write, write };          // what a service needs
enum class KeyAlgorithm : std::uint8_t { EdDSA, ES256 };

[[nodiscard]] constexpr bool covers(Mode mode, Access access) noexcept {
  return static_cast<int>(mode) >= static_cast<int>(access);
}

struct ApprovalKey {
  std::string id;
  std::string person;
  std::string role;
  KeyAlgorithm algorithm = KeyAlgorithm::EdDSA;
  std::string public_key_pem;  // the file's content
  std::optional<WallTime> not_after;
};

struct ApprovalRule {
  std::string zone;  // "*" or an absolute zone name without the last dot
  Mode mode = Mode::read_only;
  std::map<std::string, unsigned> require;  // role -> persons, at least one
};

struct Approvals {
  std::string audience;
  Seconds max_duration{std::chrono::hours{24}};
  std::vector<ApprovalKey> keys;
  std::vector<ApprovalRule> rules;  // first match decides; no match: cannot be approved
};

struct Policy {
  std::vector<Jurisdiction> jurisdictions;
  std::vector<Region> regions;
  std::optional<Approvals> approvals;
  std::string digest;  // SHA-256 in hex of policy.yaml and the key files it names

  [[nodiscard]] std::optional<JurisdictionId> find_jurisdiction(std::string_view name) const;
  [[nodiscard]] std::optional<RegionId> find_region(std::string_view name) const;
  /// The first jurisdiction whose list has the country; nothing if none has.
  [[nodiscard]] std::optional<JurisdictionId> jurisdiction_of(geo::Code2 country) const;
  [[nodiscard]] const Region& region(RegionId id) const { return regions.at(index_of(id)); }
  [[nodiscard]] const Jurisdiction& jurisdiction(JurisdictionId id) const {
    return jurisdictions.at(index_of(id));
  }
  /// Whether an answer in `where` is inside `home`: the same, or approved beforehand as its
  /// standby.
  [[nodiscard]] bool is_inside(JurisdictionId home, JurisdictionId where) const;
};

// ---- services

enum class Residency : std::uint8_t { none, soft, hard };

struct Record {
  RegionId region{};
  std::uint16_t weight = 0;             // the base weight
  std::string endpoint;                 // as written
  Name endpoint_name;                   // absolute
  std::vector<geo::Address> addresses;  // empty: answers as CNAME to endpoint_name
  Place place;
};

struct SetWeight {
  RecordId record{};
  std::uint16_t weight = 0;
};

enum class ProbeScheme : std::uint8_t { http, https, tcp };

struct StatusRange {
  std::uint16_t first = 200;
  std::uint16_t last = 299;
  auto operator<=>(const StatusRange&) const = default;
};

struct ProbeAt {
  geo::Address address;
  std::uint16_t port = 0;
  auto operator<=>(const ProbeAt&) const = default;
};

struct HealthCheck {
  std::string key;  // stable name: "zone/service/endpoint-as-written"; unique in a repository
  RecordId record{};
  ProbeScheme scheme = ProbeScheme::https;
  std::string host;
  std::uint16_t port = 443;
  std::string path = "/";
  std::optional<ProbeAt> probe_at;  // where to connect instead of the record's own addresses
  Milliseconds interval{10'000};
  Milliseconds timeout{4'000};
  unsigned fall = 3;
  unsigned rise = 2;
  std::vector<StatusRange> expect_status{StatusRange{}};
  bool has_on_fail = false;
  std::vector<SetWeight> on_fail;
  Place place;
};

struct MatchNetwork {
  std::vector<geo::Prefix> prefixes;
};
struct MatchAsn {
  std::vector<std::uint32_t> asns;
};
struct MatchSubdivision {
  std::vector<std::string> subdivisions;
};  // "US-CA"
struct MatchCountry {
  std::vector<geo::Code2> countries;
};
struct MatchContinent {
  std::vector<geo::Code2> continents;
};
struct MatchJurisdiction {
  std::vector<JurisdictionId> jurisdictions;
};
struct MatchAll {};  // `default`
using Match = std::variant<MatchNetwork, MatchAsn, MatchSubdivision, MatchCountry, MatchContinent,
                           MatchJurisdiction, MatchAll>;

struct RouteLine {
  Match match;
  std::vector<RegionId> to;  // in order of preference
  Place place;
};

struct RouteWeighted {};  // no route: one weighted set for all
struct RouteLines {
  std::vector<RouteLine> lines;
};  // the last one is MatchAll
struct RouteNearest {
  std::vector<RegionId> regions;  // candidates, in the order written (ties: the earlier)
  std::optional<std::size_t> limit;
};
using Route = std::variant<RouteWeighted, RouteLines, RouteNearest>;

enum class HomeKind : std::uint8_t { none, jurisdiction, client };

enum class BlockAnswer : std::uint8_t { hold, nodata, servfail, record };

struct OnBlock {
  BlockAnswer answer = BlockAnswer::hold;
  RecordId record{};  // with BlockAnswer::record
};

struct Service {
  std::string label;  // as written under `services:`
  Name owner;
  std::size_t zone = 0;   // index into Repository::zones
  std::uint32_t ttl = 0;  // seconds
  Residency residency = Residency::none;
  HomeKind home_kind = HomeKind::none;
  std::optional<JurisdictionId> home;  // with HomeKind::jurisdiction; the default with ::client
  Access access = Access::write;
  Route route;
  std::size_t answers = 1;  // records answered at once; answers_all: all that have weight
  std::vector<Record> records;
  std::vector<HealthCheck> checks;
  unsigned quorum = 1;  // a record is down when this many of its checks are
  OnBlock on_block;
  ViewId view{};  // set by assign_views (zones/view.h)
  Place place;

  [[nodiscard]] const Record& record(RecordId id) const { return records.at(index_of(id)); }
};
inline constexpr std::size_t answers_all = 0xffff;

// ---- zones

/// RDATA as uncompressed wire bytes, names in it in the case they were written.
using Rdata = std::string;

struct RRset {
  Name owner;
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;     // seconds
  std::vector<Rdata> rdata;  // at least one, no duplicates
};

struct Zone {
  Name apex;
  std::string file;
  std::uint32_t ttl = 0;
  /// Static RRsets, SOA and NS of the apex included; ordered by owner, then type.
  std::vector<RRset> rrsets;
  std::vector<ServiceId> services;
  /// False: the SOA came from `soa:` without a serial, and assign_serials() gives it one.
  bool serial_is_fixed = false;
  std::uint32_t serial = 0;
  std::string digest;  // SHA-256 in hex of everything the zone was made of
};

/// One loaded repository. Immutable after loading; all ids are indices into it.
struct Repository {
  Policy policy;
  std::vector<Zone> zones;
  std::vector<Service> services;
  std::vector<geo::Override> overrides;  // networks.yaml
  std::string digest;                    // SHA-256 in hex of all files that were read

  [[nodiscard]] const Service& service(ServiceId id) const { return services.at(index_of(id)); }
  /// By owner name.
  [[nodiscard]] std::optional<ServiceId> find_service(const Name& owner) const;
  /// The zone with the longest apex that `name` is at or below.
  [[nodiscard]] const Zone* find_zone(const Name& name) const;
};

[[nodiscard]] std::string_view to_text(Residency residency) noexcept;
[[nodiscard]] std::string_view to_text(Mode mode) noexcept;      // "read-only" ...
[[nodiscard]] std::string_view to_text(Access access) noexcept;  // "read" ...
[[nodiscard]] std::optional<Mode> parse_mode(std::string_view text) noexcept;

}  // namespace demarc::zones
