// One MMDB file, opened for good: a private copy, checked, its networks and locations taken out.
// The only user of libmaxminddb. Private to geo/: geo/database.cpp merges several of these.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "geo/base/address.h"
#include "geo/base/result.h"
#include "geo/database.h"
#include "geo/location.h"
#include "geo/ranges.h"

struct MMDB_s;

namespace demarc::geo {

/// Larger files are refused: they would fill the memory. GeoIP2 Enterprise has about half of it.
inline constexpr std::size_t database_bytes_max = std::size_t{1} << 30;

class MmdbFile {
 public:
  /// The error names the file and says what is wrong with it.
  [[nodiscard]] static Result<MmdbFile, SystemError> open(const std::string& path);

  /// Where `ipv4()` and `ipv6()` point to; the first is the unknown location.
  [[nodiscard]] const std::vector<Location>& locations() const noexcept { return locations_; }
  [[nodiscard]] const RangeMap<Key4>& ipv4() const noexcept { return ipv4_; }
  [[nodiscard]] const RangeMap<Key6>& ipv6() const noexcept { return ipv6_; }

  /// By libmaxminddb, apart from the ranges above. IPv6 addresses are taken as they are: the caller
  /// has replaced those that embed an IPv4 one.
  [[nodiscard]] Location find(const Address& address) const;

  /// For people: path, type, build time, number of networks.
  [[nodiscard]] std::string description() const;

 private:
  struct Close {
    void operator()(MMDB_s* database) const noexcept;
  };
  MmdbFile() = default;

  std::unique_ptr<MMDB_s, Close> database_;
  std::string path_;
  std::string type_;
  std::uint64_t build_epoch_ = 0;
  std::size_t networks_ = 0;
  std::vector<Location> locations_;
  RangeMap<Key4> ipv4_;
  RangeMap<Key6> ipv6_;
};

/// What `Databases` hides.
struct Databases::Files {
  std::vector<MmdbFile> list;
};

}  // namespace demarc::geo
