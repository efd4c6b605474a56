#include "tools/leash_status.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "zones/steering.h"
#include "zones/time_text.h"

namespace demarc::tools {

using nlohmann::json;
using namespace zones;

json leash_of(const Steering& steering, ServiceId id) {
  json list = json::array();
  const Service& service = steering.configuration()->repository->service(id);
  for (const LeashHold& hold : steering.holds_of(id)) {
    list.push_back({{"endpoint", service.record(hold.record).endpoint},
                    {"setting", to_text(hold.kind)},
                    {"until", hold.until ? json(to_rfc3339(*hold.until)) : json()}});
  }
  return list;
}

std::string leash_text(const json& leash) {
  std::string out;
  for (const json& hold : leash) {
    const auto& until = hold.at("until");
    out += fmt::format("             leash: {} by {}{}\n", hold.at("endpoint").get<std::string>(),
                       hold.at("setting").get<std::string>(),
                       until.is_null() ? "" : " until " + until.get<std::string>());
  }
  return out;
}

}  // namespace demarc::tools
