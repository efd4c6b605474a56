// The two halves of a service's difference: its duties (zones/diff/diff_services.cpp) and its
// records with their checks (zones/diff/diff_records.cpp).
#pragma once

#include <string>

#include "zones/diff/parts.h"
#include "zones/model.h"

namespace demarc::zones::diff {

/// A service that is on both sides.
struct ServicePair {
  const Service& before;
  const Service& after;
  bool is_shifted = false;  // some client is answered differently
  bool is_bound = false;    // it has residency on one side at least
  std::string zone;
};

void diff_records(Changes& changes, const ServicePair& pair);
void diff_checks(Changes& changes, const ServicePair& pair);

}  // namespace demarc::zones::diff
