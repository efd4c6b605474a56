// Why a client gets the answer it gets: the decision as an ordered list, from the client's location
// to the records, made with the very functions that decide. `demarc explain` prints it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "geo/base/address.h"
#include "geo/base/result.h"
#include "geo/database.h"
#include "geo/location.h"
#include "zones/steering.h"

namespace demarc::tools {

struct ExplainRequest {
  std::string name;                       // absolute, with or without the last dot
  std::optional<geo::Address> client;     // looked up in the databases ...
  std::optional<geo::Code2> country;      // ... or just a country; neither: an unknown client
  std::vector<std::string> assumed_down;  // endpoints or regions taken as down
};

/// Answers for one name. The error says what is wrong with the request. Steering must have a
/// configuration; it is not changed.
[[nodiscard]] Result<nlohmann::json, std::string> explain(const zones::Steering& steering,
                                                          const geo::Databases& databases,
                                                          const ExplainRequest& request);

/// The same for people.
[[nodiscard]] std::string explain_text(const nlohmann::json& explained);

}  // namespace demarc::tools
