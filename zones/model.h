// The zone model: what a repository says once it is read, checked and resolved to ids.
// zones/repository.h loads it; zones/view.h, zones/plan.h and the rooms to the right read it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
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
#include "zones/leash_settings.h"
#include "zones/name.h"
#include "zones/probe_kinds.h"
#include "zones/rrsets.h"

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
  std::vector<std::uint32_t> asns;  // networks that announce its addresses; empty: not declared
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
  auto operator<=>(const ApprovalKey&) const = default;
};

/// Which persons something needs: role -> how many different ones, at least one.
using Required = std::map<std::string, unsigned>;

struct ApprovalRule {
  std::string zone;  // "*" or an absolute zone name without the last dot
  Mode mode = Mode::read_only;
  Required require;
};

/// A short way past the ordinary rules for a bad hour: capped, told to everyone, reviewed before
/// the next.
struct BreakGlass {
  Seconds max_duration{std::chrono::hours{4}};  // 4 h at most
  Required require;
  Required review;  // who must sign a review of the last one, none of them a signer of it
};

/// The key list as its owners signed it: a new one needs the signatures that the list before it
/// required.
struct KeyList {
  std::uint32_t version = 0;          // only ever grows
  Required require;                   // who must sign the next list
  std::vector<std::string> tokens;    // signatures on this list, tokens of type key-list
  std::optional<WallTime> not_after;  // afterwards no new approval counts
  std::string digest;  // SHA-256 in hex of version, keys, rules and requirements, canonical
};

struct Approvals {
  std::string audience;
  Seconds max_duration{std::chrono::hours{24}};
  std::vector<ApprovalKey> keys;
  std::vector<ApprovalRule> rules;  // first match decides; no match: cannot be approved
  std::optional<BreakGlass> break_glass;
  Required drill;  // who may sign a live drill; empty: no live drills
  std::optional<KeyList> key_list;
};

enum class Effect : std::uint8_t { allow, deny };

/// One residency rule: may a crossing be made at all, whoever signs? The first match decides; where
/// there are rules and none matches, it is denied.
struct ResidencyRule {
  std::string id;
  Effect effect = Effect::deny;
  std::string zone = "*";            // "*" or an absolute zone name without the last dot
  std::string service = "*";         // "*" or an absolute owner name without the last dot
  std::vector<JurisdictionId> from;  // the home that is left; empty: any
  std::vector<JurisdictionId> to;    // where it would go; empty: anywhere
  std::optional<Mode> mode;          // the grant's; nothing: any
  std::string basis;                 // the legal text behind it, for people
};

/// A crossing that counsel looked at beforehand: tokens may name it instead of spelling it out.
struct PlanTemplate {
  std::string id;
  std::string zone;                   // absolute, without the last dot
  std::string service;                // owner name, absolute, without the last dot
  std::vector<std::string> from, to;  // regions, sorted
  Mode mode = Mode::read_only;
  unsigned max_share = 100;  // percent
  Seconds max_duration{std::chrono::hours{24}};
  std::string digest;  // SHA-256 in hex of all of the above
};

/// What no plan may break, however it came about.
struct Assertion {
  enum class Kind : std::uint8_t {
    at_least,        // `count` of `regions` keep weight; the file's order says which are kept
    never_together,  // at most one of `regions` has weight; the first in the file's order wins
  };
  std::string id;
  Kind kind = Kind::at_least;
  unsigned count = 0;
  std::vector<RegionId> regions;
  std::string zone = "*", service = "*";  // as in ResidencyRule
};

/// A policy engine that is asked before a crossing is made. Its deny is final, its allow is not.
struct Advisor {
  std::string url;  // http or https; Open Policy Agent's data API
  Milliseconds timeout{1000};
};

/// A place that probes for others, and the key that it signs its observations with.
struct Vantage {
  std::string id;
  KeyAlgorithm algorithm = KeyAlgorithm::EdDSA;
  std::string public_key_pem;  // the file's content
  auto operator<=>(const Vantage&) const = default;
};

struct Policy {
  std::vector<Jurisdiction> jurisdictions;
  std::vector<Region> regions;
  std::optional<Approvals> approvals;
  std::vector<ResidencyRule> residency_rules;
  std::vector<PlanTemplate> templates;
  std::vector<Assertion> assertions;
  std::optional<Advisor> advisor;
  std::vector<Vantage> vantages;
  LeashSettings leash;  // of services that say nothing else
  MassFailureSettings mass_failure;
  std::string text;  // policy.yaml as it was read; empty: there is none
  Seconds drill_due{std::chrono::hours{24 * 92}};  // how old the last passed drill may be
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
  std::optional<unsigned> capacity;     // percent of the service's load that it can carry, declared
  std::optional<JurisdictionId> jurisdiction;  // declared of a CNAME's target; else the region's
  Place place;
};

struct SetWeight {
  RecordId record{};
  std::uint16_t weight = 0;
};

/// A check that asks nothing: it follows other checks of its service.
struct Calculated {
  unsigned at_least = 1;          // so many of them are well
  std::vector<std::string> keys;  // of the others; never, over any number of steps, its own
  bool is_inverted = false;
  auto operator<=>(const Calculated&) const = default;
};

struct HealthCheck {
  std::string key;  // stable: "zone/service/name", or the endpoint as written; unique
  RecordId record{};
  ProbeScheme scheme = ProbeScheme::https;
  std::string host;
  std::uint16_t port = 443;
  std::string path = "/";
  bool is_of_endpoint = true;       // `host` is the record's endpoint, with its addresses
  std::optional<ProbeAt> probe_at;  // where to connect instead
  Milliseconds interval{10'000};
  Milliseconds timeout{4'000};
  unsigned fall = 3;
  unsigned rise = 2;
  unsigned ok = 1;                    // passes in a row that clear the failures counted so far
  Milliseconds degraded_above{0};     // a median answer that takes longer is degraded; 0: none is
  Milliseconds certificate_every{0};  // between whole TLS handshakes; 0: each probe is one
  unsigned votes = 1;                 // in its record's quorum; 0: it only speaks through others
  std::optional<Calculated> calculated;
  std::string vantage;  // whose word it is; empty: this node's own probes
  ProbeMethod method = ProbeMethod::get;
  HttpVersion http_version = HttpVersion::http1_1;
  std::vector<StatusRange> expect_status{StatusRange{}};  // no matter to tcp and tls
  ExpectedAnswer expect;  // nothing for tcp; for tls only the certificate's time
  Silence silence = Silence::failure;
  bool is_canary = false;  // its failure says that we ourselves are cut off
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

/// Where a service tells how far its replica is behind: a number in a JSON document.
struct LagCheck {
  std::string key;  // stable name: "zone/service/lag/region"
  RegionId region{};
  std::string url;
  std::string pointer;  // RFC 6901
  std::optional<ProbeAt> probe_at;
  double max = 0;  // in the document's own unit
  Milliseconds interval{10'000};
  Milliseconds timeout{4'000};
};

/// What must hold, beside the signatures, at the moment a crossing is made.
struct Activation {
  bool target_healthy = true;  // a record of the region is checked, and none that counts is down
  std::optional<unsigned> capacity;  // percent that the target's records must declare together
  std::vector<LagCheck> lag;
};

enum class HomeKind : std::uint8_t { none, jurisdiction, client, tenant };

enum class BlockAnswer : std::uint8_t { hold, nodata, servfail, record };

struct OnBlock {
  BlockAnswer answer = BlockAnswer::hold;
  RecordId record{};  // with BlockAnswer::record
};

/// Which first labels a tenant's name on the wire has: its own name, or a keyed hash of it, which
/// tells the world nothing of who the customers are.
enum class TenantLabels : std::uint8_t { opaque, plain, both };

/// What a service with `home: tenant` says of its tenants' names.
struct TenantNaming {
  TenantLabels labels = TenantLabels::opaque;
  std::string key;  // the secret that hashes are made with; empty with `plain`
};

inline constexpr std::uint16_t https_port = 443;

/// What the HTTPS records of a service say beside its addresses (RFC 9460 §7).
struct HttpsBinding {
  std::vector<std::string> alpn;  // ids, at least one, none of them twice, in order of preference
  bool has_default_alpn = true;   // http/1.1 is spoken, too, though `alpn` does not name it
  std::uint16_t port = https_port;
  auto operator<=>(const HttpsBinding&) const = default;
};

struct Service {
  std::string label;  // as written under `services:`
  Name owner;
  std::size_t zone = 0;       // index into Repository::zones
  std::uint32_t ttl = 0;      // seconds
  std::uint32_t ttl_min = 0;  // while the answers may change soon; at most `ttl`
  Residency residency = Residency::none;
  HomeKind home_kind = HomeKind::none;
  std::optional<JurisdictionId>
      home;  // with HomeKind::jurisdiction; the default with ::client;
             // with ::tenant that of a class, or of the service's own name
  Access access = Access::write;
  Route route;
  std::size_t answers = 1;            // records answered at once; answers_all: all that have weight
  bool is_sticky = false;             // a client's network keeps its answer
  bool uses_client_subnet = true;     // else by the resolver's own address, whatever ECS says
  std::optional<HttpsBinding> https;  // nothing: no HTTPS records
  std::vector<Record> records;
  std::vector<HealthCheck> checks;
  unsigned quorum = 1;            // a record is down when this many votes of its checks are
  unsigned degraded_weight = 50;  // percent of its weight that a degraded record has, 1 to 100
  OnBlock on_block;
  Activation activation;
  LeashSettings leash;
  std::optional<ServiceId> tenants_of;  // a class of tenants of that service (zones/tenants.h): has
                                        // no owner name of its own on the wire
  std::optional<TenantNaming> tenant_naming;  // with HomeKind::tenant, not in its classes
  ViewId view{};                              // set by assign_views (zones/view.h)
  Place place;

  [[nodiscard]] const Record& record(RecordId id) const { return records.at(index_of(id)); }
};
inline constexpr std::size_t answers_all = 0xffff;

// ---- zones

/// A TSIG key, by its name; the secret is in no zone file.
struct TransferKey {
  Name name;
  Place place;
};

/// A secondary that is told when the zone changes (RFC 1996).
struct TransferTarget {
  geo::Address address;
  std::uint16_t port = 53;
  std::optional<TransferKey> key;  // signs what it is told
};

/// Who may have the whole zone (RFC 5936): who asks from one of the networks, or signs with one of
/// the keys.
struct Transfer {
  std::vector<geo::Prefix> networks;
  std::vector<TransferKey> keys;
  std::vector<TransferTarget> notify;
  Place place;
};

/// Who may ask for `_geo.NAME`, `_health.NAME` and `_gate.NAME` of the zone's services, and which
/// of them. To everybody else they do not exist.
struct OperatorNames {
  std::vector<geo::Prefix> allow;
  bool geo = false;
  bool health = false;
  bool gate = false;
  auto operator<=>(const OperatorNames&) const = default;
};

struct Zone {
  Name apex;
  std::string file;
  std::uint32_t ttl = 0;
  /// Static RRsets, SOA and NS of the apex included. The daemon keeps those that something looks at
  /// once they are rendered (tools/loader.h), else none.
  RRsets rrsets;
  std::vector<ServiceId> services;
  std::optional<OperatorNames> operator_names;  // nothing: nobody
  /// False: the SOA came from `soa:` without a serial, and assign_serials() gives it one.
  bool serial_is_fixed = false;
  std::uint32_t serial = 0;
  std::optional<Transfer> transfer;  // nothing: nobody may have it
  std::string digest;                // SHA-256 in hex of everything the zone was made of
};

class TenantMap;

/// One loaded repository. Immutable after loading; all ids are indices into it.
struct Repository {
  Policy policy;
  std::vector<Zone> zones;
  std::vector<Service> services;
  std::vector<geo::Override> overrides;      // networks.yaml
  std::shared_ptr<const TenantMap> tenants;  // tenants.yaml; null: none
  std::string digest;                        // SHA-256 in hex of all files that were read

  [[nodiscard]] const Service& service(ServiceId id) const { return services.at(index_of(id)); }
  /// By owner name.
  [[nodiscard]] std::optional<ServiceId> find_service(const Name& owner) const;
  /// The zone with the longest apex that `name` is at or below.
  [[nodiscard]] const Zone* find_zone(const Name& name) const;
};

[[nodiscard]] std::string_view to_text(Residency residency) noexcept;
[[nodiscard]] std::string_view to_text(Mode mode) noexcept;            // "read-only" ...
[[nodiscard]] std::string_view to_text(Access access) noexcept;        // "read" ...
[[nodiscard]] std::string_view to_text(TenantLabels labels) noexcept;  // "plain" ...
[[nodiscard]] std::optional<Mode> parse_mode(std::string_view text) noexcept;

}  // namespace demarc::zones
