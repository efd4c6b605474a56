// Records and health checks of one service: a record goes by its endpoint, a check by its key.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/diff/diff_services.h"
#include "zones/diff/text.h"
#include "zones/gate.h"

namespace demarc::zones::diff {
namespace {

/// An endpoint, and which of several records of that endpoint it is.
using RecordKey = std::pair<Name, std::size_t>;

std::map<RecordKey, const Record*> records_of(const Service& service) {
  std::map<Name, std::size_t> seen;
  std::map<RecordKey, const Record*> records;
  for (const Record& record : service.records) {
    records.emplace(RecordKey{record.endpoint_name, seen[record.endpoint_name]++}, &record);
  }
  return records;
}

/// Whose law the record's endpoint is under: "EU".
std::string law_text(const Policy& policy, const Record& record) {
  return policy
      .jurisdiction(record.jurisdiction.value_or(policy.region(record.region).jurisdiction))
      .name;
}

bool is_abroad(const Policy& policy, const Service& service, const Record& record) {
  if (service.residency == Residency::none) return false;
  if (!service.home) return true;  // a client's home: some client's is elsewhere
  return !lies_inside(policy, record, *service.home);
}

Change record_change(const ServicePair& pair, const Record& record, std::string kind,
                     ChangeClass rank) {
  return {.kind = std::move(kind),
          .subject = fmt::format("{} record {}", pair.after.owner.text_without_dot(),
                                 record.endpoint_name.text_without_dot()),
          .rank = rank,
          .effect = ChangeEffect::touches,
          .zone = pair.zone};
}

void add_texts(Changes& changes, Change change, std::pair<std::string, std::string> texts,
               const Record& before, const Record& after) {
  change.before = std::move(texts.first);
  change.after = std::move(texts.second);
  changes.add(std::move(change), before.place, after.place);
}

void diff_record(Changes& changes, const ServicePair& pair, const Record& before,
                 const Record& after) {
  const Policy& from = changes.from().policy;
  const Policy& to = changes.to().policy;
  const auto moved = pair.is_shifted ? ChangeClass::traffic : ChangeClass::routine;
  Change region = record_change(pair, after, "record-region", ChangeClass::legal);
  if (pair.is_bound) region.effect = ChangeEffect::loosens;  // one address, another law
  add_texts(changes, std::move(region),
            {from.region(before.region).name, to.region(after.region).name}, before, after);
  if (before.region == after.region || law_text(from, before) == law_text(to, after)) {
    // A declared law that only follows its region is the region's change.
    const auto declared = [](const Policy& policy, const Record& record) {
      return record.jurisdiction ? policy.jurisdiction(*record.jurisdiction).name : "the region's";
    };
    add_texts(changes, record_change(pair, after, "record-jurisdiction", ChangeClass::legal),
              {declared(from, before), declared(to, after)}, before, after);
  }
  add_texts(changes, record_change(pair, after, "record-weight", moved),
            {std::to_string(before.weight), std::to_string(after.weight)}, before, after);
  add_texts(changes, record_change(pair, after, "record-addresses", moved),
            {addresses_text(before), addresses_text(after)}, before, after);
  const auto capacity = [](const Record& record) {
    return record.capacity ? fmt::format("{} %", *record.capacity) : std::string("not declared");
  };
  add_texts(changes, record_change(pair, after, "record-capacity", ChangeClass::routine),
            {capacity(before), capacity(after)}, before, after);
}

std::string order_of(const Service& service, const std::map<RecordKey, const Record*>& kept) {
  std::vector<std::string> names;
  std::map<Name, std::size_t> seen;
  for (const Record& record : service.records) {
    if (!kept.contains({record.endpoint_name, seen[record.endpoint_name]++})) continue;
    names.push_back(record.endpoint_name.text_without_dot());
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

void diff_records(Changes& changes, const ServicePair& pair) {
  const auto before = records_of(pair.before);
  const auto after = records_of(pair.after);
  std::map<RecordKey, const Record*> kept;
  const auto moved = pair.is_shifted ? ChangeClass::traffic : ChangeClass::routine;
  for (const auto& [key, record] : before) {
    if (const auto found = after.find(key); found != after.end()) {
      kept.emplace(key, record);
      diff_record(changes, pair, *record, *found->second);
      continue;
    }
    Change change = record_change(pair, *record, "record-removed", moved);
    change.before = record_text(changes.from().policy, *record);
    changes.add(std::move(change), record->place, {});
  }
  for (const auto& [key, record] : after) {
    if (before.contains(key)) continue;
    const bool abroad = is_abroad(changes.to().policy, pair.after, *record);
    Change change =
        record_change(pair, *record, "record-added", abroad ? ChangeClass::legal : moved);
    change.after = record_text(changes.to().policy, *record);
    changes.add(std::move(change), {}, record->place);
  }
  changes.add({.kind = "record-order",
               .subject = pair.after.owner.text_without_dot(),
               .rank = moved,
               .effect = ChangeEffect::touches,
               .before = order_of(pair.before, kept),
               .after = order_of(pair.after, kept),
               .zone = pair.zone},
              pair.before.place, pair.after.place);
}

void diff_checks(Changes& changes, const ServicePair& pair) {
  std::map<std::string, std::pair<const HealthCheck*, const HealthCheck*>> checks;
  for (const HealthCheck& check : pair.before.checks) checks[check.key].first = &check;
  for (const HealthCheck& check : pair.after.checks) checks[check.key].second = &check;
  for (const auto& [key, both] : checks) {
    const auto& [before, after] = both;
    changes.add({.kind = "check",
                 .subject = fmt::format("{} check {}", pair.after.owner.text_without_dot(),
                                        (after != nullptr ? after : before)->host),
                 .rank = ChangeClass::routine,
                 .effect = ChangeEffect::touches,
                 .before = before == nullptr ? "" : check_text(pair.before, *before),
                 .after = after == nullptr ? "" : check_text(pair.after, *after),
                 .zone = pair.zone},
                before == nullptr ? Place{} : before->place,
                after == nullptr ? Place{} : after->place);
  }
}

}  // namespace demarc::zones::diff
