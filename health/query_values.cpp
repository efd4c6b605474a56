#include "health/query_values.h"

#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

namespace demarc::health {
namespace {

using nlohmann::json;

/// `[time, "value"]`.
std::optional<std::string> read_sample(const json& sample) {
  if (!sample.is_array() || sample.size() != 2 || !sample[1].is_string()) return std::nullopt;
  return sample[1].get<std::string>();
}

const json* find_member(const json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

Result<std::vector<std::string>, std::string> read_query_values(const json& answer) {
  const auto wrong = [] { return std::unexpected(std::string("not an answer of Prometheus")); };
  const json* const status = find_member(answer, "status");
  const json* const data = find_member(answer, "data");
  if (status == nullptr || *status != "success" || data == nullptr) return wrong();
  const json* const type = find_member(*data, "resultType");
  const json* const result = find_member(*data, "result");
  if (type == nullptr || result == nullptr || !result->is_array()) return wrong();
  std::vector<std::string> values;
  if (*type == "scalar") {
    auto value = read_sample(*result);
    if (!value) return wrong();
    values.push_back(std::move(*value));
    return values;
  }
  if (*type != "vector") return std::unexpected(std::string("the query gives no instant value"));
  for (const json& series : *result) {
    const json* const sample = find_member(series, "value");
    auto value = sample == nullptr ? std::nullopt : read_sample(*sample);
    if (!value) return wrong();
    values.push_back(std::move(*value));
  }
  if (values.empty()) return std::unexpected(std::string("the query finds no series"));
  return values;
}

}  // namespace demarc::health
