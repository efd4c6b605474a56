#include "geo/location.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "geo/countries.h"

namespace demarc::geo {
namespace {

constexpr double earth_radius_km = 6371;

std::optional<char> upper_letter(char letter) noexcept {
  if (letter >= 'A' && letter <= 'Z') return letter;
  if (letter >= 'a' && letter <= 'z') return static_cast<char>(letter - 'a' + 'A');
  return std::nullopt;
}

void mix(std::size_t& hash, std::size_t value) noexcept {
  hash = (hash ^ value) * 0x9e37'79b9'7f4a'7c15;
  hash ^= hash >> 29;
}

std::size_t number_of(Code2 code) noexcept {
  return static_cast<std::size_t>(static_cast<unsigned char>(code.letters[0])) << 8 |
         static_cast<unsigned char>(code.letters[1]);
}

}  // namespace

std::optional<Code2> parse_code2(std::string_view text) noexcept {
  if (text.size() != 2) return std::nullopt;
  const auto first = upper_letter(text[0]);
  const auto second = upper_letter(text[1]);
  if (!first || !second) return std::nullopt;
  return Code2{{*first, *second}};
}

double distance_km(const Coordinates& a, const Coordinates& b) noexcept {
  constexpr double radians = std::numbers::pi / 180;
  const double half_latitude = std::sin((b.latitude - a.latitude) * radians / 2);
  const double half_longitude = std::sin((b.longitude - a.longitude) * radians / 2);
  const double h = half_latitude * half_latitude + std::cos(a.latitude * radians) *
                                                       std::cos(b.latitude * radians) *
                                                       half_longitude * half_longitude;
  return 2 * earth_radius_km * std::asin(std::sqrt(std::min(h, 1.0)));  // rounding may pass 1
}

Location completed(Location location) {
  if (location.subdivision.size() > 3) {
    const auto country = parse_code2(std::string_view(location.subdivision).substr(0, 2));
    if (country && !location.country.known()) location.country = *country;
    if (country != location.country) location.subdivision.clear();
  }
  if (!location.continent.known()) {
    const Country* const country = find_country(location.country);
    if (country != nullptr) location.continent = country->continent;
  }
  return location;
}

Location merged(const Location& winner, const Location& loser) {
  Location result = winner;
  if (!result.registered_country.known()) result.registered_country = loser.registered_country;
  if (result.asn == 0) result.asn = loser.asn;

  const bool is_elsewhere =
      winner.country.known() && loser.country.known() && winner.country != loser.country;
  if (is_elsewhere) return result;
  if (!result.country.known()) result.country = loser.country;
  if (!result.continent.known()) result.continent = loser.continent;
  if (result.subdivision.empty()) result.subdivision = loser.subdivision;
  if (!result.coordinates) result.coordinates = loser.coordinates;
  return completed(std::move(result));
}

std::size_t LocationHash::operator()(const Location& location) const noexcept {
  std::size_t hash = number_of(location.country);
  mix(hash, number_of(location.registered_country) << 16 | number_of(location.continent));
  mix(hash, std::hash<std::string>{}(location.subdivision));
  mix(hash, static_cast<std::size_t>(location.asn) << 32 | location.network_mark);
  if (location.coordinates) {
    mix(hash, std::hash<double>{}(location.coordinates->latitude));
    mix(hash, std::hash<double>{}(location.coordinates->longitude));
  }
  return hash;
}

}  // namespace demarc::geo
