// The map against the ground: the policy says where a region lies, GeoIP databases where its
// addresses seem to be. A disagreement is told, and never acted upon: databases err too.
// tools/loader.h compares at every load, tools/ground_watch.h tells; `demarc check` warns.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "geo/base/address.h"
#include "geo/base/diagnostics.h"
#include "geo/location.h"
#include "zones/model.h"

namespace demarc::zones {

struct GroundFinding {
  std::string rule;  // "ground-country", "ground-registered-country", "ground-asn", "ground-cname",
                     // "ground-unknown", "ground-unvalidated"
  bool is_disagreement = true;  // false: not known well enough to say; no alert
  std::string service;          // owner without the last dot
  std::string region;
  std::string says;  // what the database says instead: "US", "registered in US", "AS64500"
  std::string text;  // "api.example.com record eu 192.0.2.10: the database says US, ..."
  Place place;       // of the record

  auto operator<=>(const GroundFinding&) const = default;
};

struct GroundReport {
  std::vector<GroundFinding> findings;  // in the order of the repository
  std::size_t compared = 0;             // addresses
  std::size_t skipped = 0;              // documentation, private and other special ones
};

/// What the databases and networks.yaml know of an address.
using LocateAddress = std::function<geo::Location(const geo::Address&)>;

/// Addresses that are nobody's, by RFC 6890 and its registry: no database can know them.
[[nodiscard]] bool is_special_purpose(const geo::Address& address) noexcept;

/// Compares every address of every record. Jurisdictions without countries are left out.
[[nodiscard]] GroundReport compare_with_ground(const Repository& repository,
                                               const LocateAddress& locate);

/// What a resolver said of a CNAME endpoint.
struct ResolvedEndpoint {
  Name target;
  std::vector<geo::Address> addresses;
  bool is_validated = false;  // by DNSSEC, as the resolver says
};

/// The targets of all records that answer as CNAME, without duplicates, in order.
[[nodiscard]] std::vector<Name> cname_targets(const Repository& repository);

/// Compares what one target resolved to with what each of its records declares. Without
/// `is_validated`, if `require_validated`, one finding says so and nothing is compared: a forged
/// answer must not raise an alarm about somebody else's address.
[[nodiscard]] GroundReport compare_resolved(const Repository& repository,
                                            const ResolvedEndpoint& resolved,
                                            bool require_validated, const LocateAddress& locate);

/// All that is said against one region of one service.
struct Disagreement {
  std::set<std::string> says;  // rule and what the database says, without addresses
  std::string text;            // for each of them the first finding's
  /// The same is said, if perhaps of other addresses.
  bool operator==(const Disagreement& other) const { return says == other.says; }
};
/// By service and region.
using Disagreements = std::map<std::pair<std::string, std::string>, Disagreement>;
/// A target whose addresses change from answer to answer is one disagreement all the same.
void add_disagreements(const GroundReport& report, Disagreements& disagreements);

/// As warnings of `demarc check`; what is no disagreement is left out.
void add_ground_warnings(const GroundReport& report, Diagnostics& diagnostics);

}  // namespace demarc::zones
