// The clients that zones/rules.h walks: one of every kind that a route could tell apart.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "geo/base/address.h"
#include "geo/location.h"
#include "zones/model.h"

namespace demarc::zones {

struct ClientClass {
  geo::Location location;
  std::string text;               // for findings: "in DE", "of AS64500"
  bool is_country_known = false;  // or it is known that no country is known
  bool is_beside_region = false;
};

/// Every country, a client of which nothing is known, one for each subdivision, ASN and network
/// (an index into `marks`) that a route names, and one at the place of each region.
[[nodiscard]] std::vector<ClientClass> build_clients(const Repository& repository,
                                                     std::span<const geo::Prefix> marks);

}  // namespace demarc::zones
