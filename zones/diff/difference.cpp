#include "zones/diff/difference.h"

#include <algorithm>
#include <tuple>

#include "zones/diff/parts.h"
#include "zones/diff/traffic.h"

namespace demarc::zones {
namespace diff {

void Changes::add(Change change, const std::string& file, const std::string& path) {
  change.place_is_old = change.after.empty();
  change.place = (change.place_is_old ? from_ : to_).places.find(file, path);
  if (change.before != change.after) list_.push_back(std::move(change));
}

void Changes::add(Change change, const Place& old_place, const Place& new_place) {
  change.place_is_old = change.after.empty();
  change.place = change.place_is_old ? old_place : new_place;
  if (change.before != change.after) list_.push_back(std::move(change));
}

}  // namespace diff

std::string_view to_text(ChangeClass rank) noexcept {
  switch (rank) {
    case ChangeClass::routine:
      return "routine";
    case ChangeClass::traffic:
      return "traffic";
    case ChangeClass::legal:
      return "legal";
  }
  return "routine";
}

std::string_view to_text(ChangeEffect effect) noexcept {
  switch (effect) {
    case ChangeEffect::touches:
      return "touches";
    case ChangeEffect::tightens:
      return "tightens";
    case ChangeEffect::loosens:
      return "loosens";
  }
  return "touches";
}

ChangeClass Difference::gravest() const noexcept {
  ChangeClass gravest = traffic.empty() ? ChangeClass::routine : ChangeClass::traffic;
  for (const Change& change : changes) gravest = std::max(gravest, change.rank);
  return gravest;
}

Difference build_difference(DiffSide& from, DiffSide& to) {
  Difference difference;
  difference.traffic = diff::build_traffic(*from.repository, *to.repository);
  difference.not_walked = diff::not_walked(*from.repository, *to.repository);
  std::set<std::string> shifted;
  for (const TrafficShift& shift : difference.traffic) shifted.insert(shift.service);

  diff::Changes changes(from, to);
  diff::diff_policy(changes, shifted);
  diff::diff_approvals(changes);
  diff::diff_residency_rules(changes);
  diff::diff_services(changes, shifted);
  diff::diff_zones(changes);
  diff::diff_tenants(changes);
  difference.changes = changes.take();
  for (Change& change : difference.changes) {
    diff::explain_change(change, from.repository->policy, to.repository->policy);
  }
  std::ranges::stable_sort(difference.changes, [](const Change& a, const Change& b) {
    const auto key = [](const Change& change) {
      return std::tuple(-static_cast<int>(change.rank), -static_cast<int>(change.effect),
                        change.subject, change.kind);
    };
    return key(a) < key(b);
  });
  return difference;
}

}  // namespace demarc::zones
