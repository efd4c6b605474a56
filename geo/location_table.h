// From an address to its location class in a few memory reads: the databases, compiled.
// The way of a query comes here from dns/responder.h; the class picks a row of its answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "geo/base/address.h"
#include "geo/base/result.h"
#include "geo/database.h"
#include "geo/location.h"

namespace demarc::geo {

/// A location class: clients whom no route of the loaded zones can tell apart.
using ClassId = std::uint16_t;
inline constexpr std::size_t class_count_max = 65'535;

/// What the table makes of one address.
struct Found {
  ClassId location_class = 0;
  std::uint32_t block = 0;  // the block's index into what scopes() gives
  // What to add to the block's scope, in bits: 0, or the bits before the IPv4 part of an address
  // that embeds one (16 for 6to4, 96 for v4-mapped, NAT64 and Teredo).
  std::uint8_t scope_offset = 0;
};

/// What the zones make of locations: a small number for each. Called once per distinct location.
/// The numbers are 0, 1, 2 ... in the order in which they first occur; nothing: there are too many.
using Classify = std::function<std::optional<ClassId>(const Location&)>;

/// Immutable once built; any number of threads may read it.
///
/// The address space of each family is cut into blocks: the largest aligned prefixes whose
/// addresses are all of one class. IPv6 addresses that embed an IPv4 one (see embedded_ipv4) are
/// answered from the IPv4 half; no IPv6 block crosses the edge of such a range.
class LocationTable {
 public:
  LocationTable();  // knows nothing: class 0 everywhere

  /// `marks` are networks that routes name; a location's `network_mark` is the index of the longest
  /// one that holds it. Fails when `classify` runs out of classes. Class 0 is given to
  /// `classify(Location{})` first, so unknown clients are always class 0.
  [[nodiscard]] static Result<LocationTable, SystemError> build(
      const Databases& databases, const std::vector<Override>& overrides,
      const std::vector<Prefix>& marks, const Classify& classify);

  /// Query path: allocates nothing, does not throw.
  [[nodiscard]] Found find(const Address& address) const noexcept;

  /// Two steps that bring what find() will read into the cache, each from what the one before has
  /// fetched: for a batch of addresses, so that their waits for memory run side by side.
  void fetch_bucket(const Address& address) const noexcept;
  void fetch_starts(const Address& address) const noexcept;

  /// For a view that merges classes: for each block, the length in bits of the shortest prefix
  /// around it in which `variant_of_class` is constant (RFC 7871 scope; trie-exact, so that two
  /// scopes never overlap). Indexed by `Found::block`; empty when the view is constant everywhere
  /// (scope 0). `variant_of_class` has class_count() entries. Blocks of the IPv6 tree give IPv6
  /// lengths.
  [[nodiscard]] std::vector<std::uint8_t> scopes(
      const std::vector<std::uint16_t>& variant_of_class) const;

  [[nodiscard]] std::size_t class_count() const noexcept;
  [[nodiscard]] std::size_t block_count() const noexcept;
  [[nodiscard]] std::size_t size_bytes() const noexcept;

 private:
  struct Ipv6Bucket {
    std::uint32_t fine = 0;       // where its own buckets begin in ipv6_fine_
    std::uint32_t fine_bits = 0;  // the address bits after the top 16 that pick one of them
  };
  struct ClassMaps;
  explicit LocationTable(const ClassMaps& maps);
  void index_ipv4();
  void index_ipv6();
  [[nodiscard]] std::uint32_t find_ipv4(std::uint32_t address) const noexcept;
  [[nodiscard]] std::uint32_t find_ipv6(std::uint64_t high, std::uint64_t low) const noexcept;

  // Flat arrays: a block is an index. A bucket says how many blocks start before it, so that
  // two neighbouring buckets enclose the few starts to be searched.
  std::vector<std::uint32_t> ipv4_buckets_;  // by the top 16 bits, and one more at the end
  std::vector<std::uint16_t> ipv4_starts_;   // the low halves
  std::vector<Ipv6Bucket> ipv6_buckets_;     // by the top 16 bits
  std::vector<std::uint32_t> ipv6_fine_;     // as many buckets as the starts there need
  std::vector<std::uint64_t> ipv6_high_;     // the starts, upper half
  std::vector<std::uint64_t> ipv6_low_;      // and lower half: read for blocks longer than /64 only
  std::vector<ClassId> classes_;             // of IPv4's blocks, then of IPv6's
  std::vector<std::uint8_t> lengths_;        // likewise; only scopes() reads them
  std::uint32_t ipv4_block_count_ = 0;
  std::size_t class_count_ = 1;
};

}  // namespace demarc::geo
