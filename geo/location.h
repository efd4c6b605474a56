// What a GeoIP database says of a network, reduced to what steering uses.
// geo/database.h fills it from MMDB records, zones/view.h reads it, geo/location_table.h keeps
// only the class that the zones make of it.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace demarc::geo {

/// A two-letter code in upper case ("DE", "EU"); all zero: not known.
struct Code2 {
  std::array<char, 2> letters{};

  [[nodiscard]] bool known() const noexcept { return letters[0] != '\0'; }
  [[nodiscard]] std::string_view text() const noexcept {
    return known() ? std::string_view{letters.data(), 2} : std::string_view{};
  }
  auto operator<=>(const Code2&) const = default;
};

/// "DE" or "de" to Code2; nothing unless it is two ASCII letters.
[[nodiscard]] std::optional<Code2> parse_code2(std::string_view text) noexcept;

/// Degrees; latitude -90..90, longitude -180..180.
struct Coordinates {
  double latitude = 0;
  double longitude = 0;
  auto operator<=>(const Coordinates&) const = default;
};

/// Great-circle distance in kilometres (haversine on a sphere of 6371 km).
[[nodiscard]] double distance_km(const Coordinates& a, const Coordinates& b) noexcept;

inline constexpr std::uint32_t no_network_mark = 0xffffffff;

/// Where a client is, as far as the databases know. Every part may be unknown.
struct Location {
  Code2 country;             // ISO 3166-1, where the network is used
  Code2 registered_country;  // where it is registered
  Code2 continent;           // GeoIP's continent (AF AN AS EU NA OC SA), not a jurisdiction
  std::string subdivision;   // ISO 3166-2 with its country: "US-CA"; empty: not known
  std::uint32_t asn = 0;     // 0: not known
  std::optional<Coordinates> coordinates;  // the network's own; else the country's centroid applies
  std::uint32_t network_mark = no_network_mark;  // index of the longest listed network, if any

  auto operator<=>(const Location&) const = default;
};

/// Fills what follows from the rest (the country from the subdivision, the continent from the
/// country) and drops a subdivision that lies in another country than `country`.
[[nodiscard]] Location completed(Location location);

/// Two sources on one network, field by field: what `winner` does not know, `loser` may fill. When
/// they disagree about the country, the loser's place (continent, subdivision, coordinates) is that
/// of somewhere else and is not taken; its ASN and registered country are. Both are completed().
[[nodiscard]] Location merged(const Location& winner, const Location& loser);

/// So that distinct locations can be counted and numbered quickly.
struct LocationHash {
  [[nodiscard]] std::size_t operator()(const Location& location) const noexcept;
};

}  // namespace demarc::geo
