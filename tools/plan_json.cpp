#include "tools/plan_json.h"

#include <algorithm>

namespace demarc::tools {

using nlohmann::json;

namespace {

json change_json(const zones::Change& change) {
  json out = {{"kind", change.kind},
              {"subject", change.subject},
              {"class", zones::to_text(change.rank)},
              {"before", change.before.empty() ? json() : json(change.before)},
              {"after", change.after.empty() ? json() : json(change.after)},
              {"place",
               {{"side", change.place_is_old ? "from" : "to"},
                {"file", change.place.file},
                {"line", change.place.line},
                {"column", change.place.column}}},
              {"risk", change.risk},
              {"rollback", change.rollback}};
  if (change.rank == zones::ChangeClass::legal) {
    out["effect"] = zones::to_text(change.effect);
    out["review"] = change.review;
  }
  return out;
}

json end_json(const PlanEnd& end) {
  return {{"what", end.what}, {"configuration", end.configuration}};
}

}  // namespace

json plan_json(const zones::Difference& difference, const PlanEnd& from, const PlanEnd& to) {
  json changes = json::array();
  json counts = {{"legal", 0}, {"traffic", 0}, {"routine", 0}, {"loosens", 0}};
  for (const zones::Change& change : difference.changes) {
    changes.push_back(change_json(change));
    json& count = counts[std::string(zones::to_text(change.rank))];
    count = count.get<int>() + 1;
    const bool loosens =
        change.rank == zones::ChangeClass::legal && change.effect == zones::ChangeEffect::loosens;
    if (loosens) counts["loosens"] = counts["loosens"].get<int>() + 1;
  }
  json traffic = json::array();
  for (const zones::TrafficShift& shift : difference.traffic) {
    traffic.push_back({{"service", shift.service},
                       {"before", shift.before},
                       {"after", shift.after},
                       {"everyone", shift.is_everyone},
                       {"clients", shift.clients}});
  }
  return {{"format", 1},
          {"from", end_json(from)},
          {"to", end_json(to)},
          {"class", difference.empty() ? "none" : zones::to_text(difference.gravest())},
          {"counts", counts},
          {"changes", changes},
          {"traffic", traffic},
          {"not-walked", difference.not_walked}};
}

}  // namespace demarc::tools
