#include "health/lag_value.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "health/json_pointer.h"
#include "zones/strict_json.h"

namespace demarc::health {
Result<double, std::string> read_lag(std::string_view body, std::string_view pointer) {
  const auto parsed = zones::parse_json_object(body);
  if (!parsed) return std::unexpected("the document: " + parsed.error());
  const auto found = find_at(*parsed, pointer);
  if (!found) return std::unexpected(found.error());
  const nlohmann::json* const value = *found;
  if (!value->is_number()) {
    return std::unexpected(
        fmt::format("what is at {} is of type {}, expected a number", pointer, value->type_name()));
  }
  const auto number = value->get<double>();
  if (!std::isfinite(number)) return std::unexpected(fmt::format("{} is not finite", pointer));
  return number;
}

}  // namespace demarc::health
