#include "zones/strict_json.h"

#include <set>
#include <vector>

#include <nlohmann/json.hpp>

namespace demarc::zones {
namespace {

constexpr int json_depth_max = 32;

}  // namespace

Result<nlohmann::json, std::string> parse_json_object(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  std::string wrong;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > json_depth_max && wrong.empty()) wrong = "it is nested too deeply";
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end && !keys.empty()) keys.pop_back();
    if (event == Event::key && !keys.empty()) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys.back().insert(key).second && wrong.empty()) wrong = "duplicate key `" + key + "`";
    }
    return wrong.empty();
  };
  nlohmann::json json = nlohmann::json::parse(text.begin(), text.end(), watch, false);
  if (!wrong.empty()) return std::unexpected(wrong);
  if (json.is_discarded()) return std::unexpected(std::string("it is no valid JSON"));
  if (!json.is_object()) return std::unexpected(std::string("it is JSON, but no object"));
  return json;
}

}  // namespace demarc::zones
