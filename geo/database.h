// GeoIP databases (MMDB), merged: who is asking, as ranges of addresses with their locations.
// geo/location_table.h compiles the ranges to classes; nothing reads a database per query.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "geo/base/address.h"
#include "geo/base/result.h"
#include "geo/location.h"

namespace demarc::geo {

/// An operator's own word about a network; wins over every database, field by field: a field that
/// is not known here keeps what wider overrides and then the databases say, as merged() does it.
/// Networks inside of what embedded_ipv4 knows are never asked for: list the IPv4 network instead.
struct Override {
  Prefix network;
  Location location;  // network_mark is ignored
};

/// Several MMDB files as one. Each file is read into a private copy and checked (metadata, and a
/// walk of the whole tree) before it counts, so a file overwritten in place later does no harm.
class Databases {
 public:
  /// Opens all files, in the order given: of two that know a field, the first wins. Knows GeoIP2
  /// and GeoLite2 (country, city, ASN: nested `country.iso_code`), and DB-IP and ip-location-db
  /// (nested or flat `country_code`, `autonomous_system_number`). An error names the file and what
  /// is wrong with it; nothing of the call has any effect then.
  [[nodiscard]] static Result<Databases, SystemError> open(const std::vector<std::string>& paths);

  Databases();  // knows nothing: every location is unknown
  Databases(Databases&&) noexcept;
  Databases& operator=(Databases&&) noexcept;
  ~Databases();

  [[nodiscard]] bool empty() const noexcept;

  /// One line a file for people: path, database type, build time (UTC), number of networks.
  [[nodiscard]] std::vector<std::string> descriptions() const;

  /// The location of one address by a direct look-up with overrides and embedded IPv4 applied
  /// (explain and tests; tens of microseconds). `network_mark` is left unset.
  [[nodiscard]] Location find(const Address& address, const std::vector<Override>& overrides) const;

 private:
  friend class LocationTable;  // compiles the ranges of all files
  struct Files;
  std::unique_ptr<Files> files_;
};

}  // namespace demarc::geo
