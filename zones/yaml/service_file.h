// The values of one service as written in a zone file: types are right, regions, jurisdictions and
// records are still names. zones/yaml/check_file.h has its health checks,
// zones/yaml/service_model.h resolves it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "zones/model.h"
#include "zones/yaml/activation_file.h"
#include "zones/yaml/check_file.h"
#include "zones/yaml/fields.h"
#include "zones/yaml/leash_file.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t records_max = 1000;  // of one service
inline constexpr std::size_t addresses_max = 64;  // of one record: more fit no UDP answer
inline constexpr std::size_t checks_max = 1000;   // of one service
/// `quorum: all`: more than there can be, which asks for all of them.
inline constexpr unsigned quorum_all = checks_max + 1;
inline constexpr std::size_t route_lines_max = 1000;    // of one service
inline constexpr std::size_t route_items_max = 10'000;  // of one line
inline constexpr std::size_t label_bytes_max = 255;

struct RecordEntry {
  Position at;
  TextAt region;
  std::uint16_t weight = 0;
  TextAt endpoint;
  std::vector<geo::Address> addresses;
  std::optional<unsigned> capacity;
  std::optional<TextAt> jurisdiction;
};

struct RouteLineEntry {
  Position at;
  Match match;                        // not a MatchJurisdiction
  std::vector<TextAt> jurisdictions;  // not empty: the line matches these
  std::vector<TextAt> to;
};

/// `tenants:` of a service with `home: tenant`.
struct TenantNamingEntry {
  Position at;
  TenantLabels labels = TenantLabels::opaque;
  std::optional<TextAt> key;  // a path
};

enum class RouteKind : std::uint8_t { weighted, lines, nearest };

struct RouteEntry {
  RouteKind kind = RouteKind::weighted;
  Position at;
  std::vector<RouteLineEntry> lines;
  bool nearest_of_all = false;
  std::vector<TextAt> nearest;
  std::optional<std::size_t> limit;
};

struct ServiceEntry {
  std::optional<ActivationEntry> activation;
  TextAt label;
  Position at;  // of the body
  std::optional<std::uint32_t> ttl;
  std::optional<At<std::uint32_t>> ttl_min;
  At<Residency> residency;  // without a place: left out, or not readable
  std::optional<TextAt> home;
  std::optional<TextAt> default_home;
  std::optional<At<Access>> access;
  RouteEntry route;
  At<std::size_t> answers{1, {}};  // or answers_all
  bool is_sticky = false;
  bool uses_client_subnet = true;
  std::vector<RecordEntry> records;
  std::vector<CheckEntry> checks;
  std::optional<At<unsigned>> quorum;
  std::optional<unsigned> degraded_weight;  // percent
  std::optional<TextAt> on_block;
  std::optional<TenantNamingEntry> tenants;
  LeashEntry leash;
  std::optional<At<HttpsBinding>> https;
};

/// Reads what can be read; findings go to the reading. Where there is one, the value is partial.
[[nodiscard]] ServiceEntry read_service(const Reading& reading, const Key& label, const Node& body);

}  // namespace demarc::zones::yaml
