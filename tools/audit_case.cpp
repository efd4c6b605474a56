#include "tools/audit_case.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace demarc::tools {
namespace {

constexpr std::array<std::string_view, 9> linked_kinds = {
    "failover-wanted", "crossing-held",   "weights-changed", "activation-waits",  "pending-ended",
    "service-loaded",  "service-removed", "assertion-held",  "assertion-released"};

}  // namespace

bool CaseFilter::names_case(const zones::AuditEntry& entry) const {
  return std::ranges::any_of(entry.facts, [&](const auto& fact) {
    return (fact.first == "case" && fact.second == case_) ||
           (fact.first.starts_with("signature-") &&
            fact.second.find(" case " + case_ + " ") != std::string::npos);
  });
}

bool CaseFilter::names_known(const zones::AuditEntry& entry) const {
  return std::ranges::any_of(entry.facts, [&](const auto& fact) {
    // A crossing is told as "GRANT to REGION".
    return ids_.contains(fact.second) ||
           ids_.contains(fact.second.substr(0, fact.second.find(' ')));
  });
}

/// What a case that begins later may have to look back at.
void CaseFilter::remember(const zones::AuditEntry& entry, const Point& here) {
  const std::string service(entry.fact("service"));
  if (entry.kind == "failover-wanted") wanted_[service] = {here, std::nullopt};
  if (entry.kind == "service-loaded") definition_[service] = here.sequence;
  if (entry.kind == "configuration-loaded") configuration_ = here.sequence;
  const auto wanted = wanted_.find(service);
  if (entry.kind == "pending-ended" && wanted != wanted_.end()) wanted->second.ended = here.time;
}

void CaseFilter::take(const zones::AuditEntry& entry, const Point& here) {
  for (const auto& [name, value] : entry.facts) {
    if (name == "grant" || name == "change") ids_.insert(value);
  }
  const std::string grant(entry.fact("grant"));
  if (entry.kind == "grant-accepted" || entry.kind == "token-accepted") live_.insert(grant);
  if (entry.kind == "grant-ended" || entry.kind == "token-expired") live_.erase(grant);
  last_ = here;
  if (!first_) first_ = here;
  const std::string service(entry.fact("service"));
  if (service.empty() || begin_.contains(service)) return;
  const auto wanted = wanted_.find(service);
  // The grant that covers a pending change ends it in the same moment.
  const bool is_pending =
      wanted != wanted_.end() && (!wanted->second.ended || *wanted->second.ended == here.time);
  const Point begin = is_pending ? wanted->second.begin : here;
  begin_[service] = begin;
  if (begin.sequence < first_->sequence) first_ = begin;
  if (const auto known = definition_.find(service); known != definition_.end()) {
    in_force_.insert(known->second);
  }
  if (configuration_) in_force_.insert(*configuration_);
}

void CaseFilter::learn(const zones::ParsedEntry& parsed) {
  const Point here{parsed.place.sequence, parsed.entry.time};
  remember(parsed.entry, here);
  if (names_case(parsed.entry) || names_known(parsed.entry)) take(parsed.entry, here);
}

bool CaseFilter::has(const zones::ParsedEntry& parsed) const {
  const zones::AuditEntry& entry = parsed.entry;
  if (case_.empty() || names_case(entry) || names_known(entry)) return true;
  if (!first_) return false;
  if (in_force_.contains(parsed.place.sequence)) return true;
  // By sequence, since a clock may go back; by time too, since one step tells of many things.
  const auto lies_in = [&](const Point& begin) {
    const bool is_after = parsed.place.sequence >= begin.sequence || entry.time == begin.time;
    const bool is_before =
        !live_.empty() || parsed.place.sequence <= last_.sequence || entry.time == last_.time;
    return is_after && is_before;
  };
  if (entry.kind == "configuration-loaded") return lies_in(*first_);
  const auto service = begin_.find(std::string(entry.fact("service")));
  return service != begin_.end() && lies_in(service->second) &&
         std::ranges::find(linked_kinds, entry.kind) != linked_kinds.end();
}

}  // namespace demarc::tools
