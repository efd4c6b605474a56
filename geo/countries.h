// Facts about countries: which codes exist, their GeoIP continent and the middle of their land.
// Used where a database has no coordinates, and by zones/ to check codes and to walk all clients.
#pragma once

#include <span>

#include "geo/location.h"

namespace demarc::geo {

struct Country {
  Code2 code;
  Code2 continent;
  Coordinates centroid;
};

/// Every assigned ISO 3166-1 country and XK, in order of the code.
[[nodiscard]] std::span<const Country> countries() noexcept;

/// Nothing if there is no such country.
[[nodiscard]] const Country* find_country(Code2 code) noexcept;

/// Whether `code` is one of the seven continents of GeoIP.
[[nodiscard]] bool is_continent(Code2 code) noexcept;

}  // namespace demarc::geo
