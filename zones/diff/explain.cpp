// What a change may lead to, how it is taken back, and who has to look at it.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "zones/diff/parts.h"

namespace demarc::zones::diff {
namespace {

/// By kind: what goes wrong if the change is wrong. One sentence.
const std::map<std::string_view, std::string_view>& risks() {
  static const std::map<std::string_view, std::string_view> table = {
      {"jurisdiction-added", "A new legal area: what lies in it is decided from now on."},
      {"jurisdiction-removed", "What named this legal area has another one now, or none."},
      {"jurisdiction-countries", "Clients of these countries get another home and other routes."},
      {"jurisdiction-standby", "Going to a standby is no crossing: nobody signs for it."},
      {"region-added", "Records in it count as lying in its jurisdiction."},
      {"region-removed", "Grants that name it end at the reload."},
      {"region-jurisdiction", "Every record of the region changes its law without moving."},
      {"region-location", "`nearest` sends clients elsewhere."},
      {"region-asns", "The map is compared with the ground by other networks."},
      {"assertion", "A plan that was refused may be made, or the other way round."},
      {"vantages", "Others tell this node what they see of endpoints, signed with these keys."},
      {"advisor", "Another policy engine, or none, is asked before a crossing."},
      {"drill-due", "The reminder of the next drill comes at another time."},
      {"approvals", "Whether a crossing can be approved at all."},
      {"approval-audience",
       "Tokens made for the old audience are refused, and the new one's taken."},
      {"approval-duration", "How long one approval may last."},
      {"approval-key", "Who may sign. Grants signed with a key that is gone end at the reload."},
      {"approval-rule", "How many persons of which roles make a grant."},
      {"break-glass", "Who may cross at once in a bad hour, and who reviews it."},
      {"drill-approval", "Who may take a live drill upon them."},
      {"key-list", "Who may change the list of keys."},
      {"residency-rules", "Which crossings may be approved at all, whoever signs."},
      {"template", "What a token may name instead of spelling it out."},
      {"service-residency",
       "hard holds crossings back, soft only tells of them, none does neither."},
      {"service-home", "Where the service's answers may lie."},
      {"service-access", "Which mode of grant suffices to move the service abroad."},
      {"service-on-block", "What clients get while a crossing is held back."},
      {"service-activation", "What must hold, beside signatures, before a crossing is made."},
      {"service-added", "A new name is steered."},
      {"service-removed",
       "The gate no longer stands before this name; a static record may follow."},
      {"service-route", "Which regions answer which clients."},
      {"service-ttl", "Longer: failover takes longer to reach clients. Shorter: more queries."},
      {"service-ttl-min", "The TTL while answers may change soon: shorter is faster then."},
      {"service-answers", "How many records one answer has."},
      {"service-sticky", "Whether a client's network keeps its answer."},
      {"service-client-subnet", "Whether clients are told apart behind resolvers that name them."},
      {"service-https", "Which protocols and which port clients try first."},
      {"service-quorum", "How many failing checks take a record out."},
      {"service-degraded-weight", "How much of its weight a degraded record keeps."},
      {"service-leash", "How fast, how far and how long automation may move weight."},
      {"mass-failure", "When so much fails at once that health moves nothing."},
      {"record-region", "The same endpoint counts as lying elsewhere, without having moved."},
      {"record-jurisdiction", "The endpoint counts as under another law, without having moved."},
      {"record-weight", "Load moves between endpoints; the target needs the capacity."},
      {"record-addresses", "Clients connect elsewhere; caches keep the old addresses for a TTL."},
      {"record-capacity", "What a crossing may expect of the endpoint."},
      {"record-added", "An endpoint that may answer from now on."},
      {"record-removed", "Load moves to what is left; caches keep the old answer for a TTL."},
      {"record-order", "Which record of weight 0 takes over first."},
      {"check", "What counts as down, and what happens then."},
      {"rrset", "Static answers change; caches keep the old ones for a TTL."},
      {"operator-names", "Who may ask the server over DNS for health, gate and locations."},
      {"zone-added", "The server answers for a new zone."},
      {"zone-removed", "The server refuses queries for the zone."},
      {"network", "Clients of the network are taken to be elsewhere: another route, another home."},
      {"tenant", "Where this tenant's data may be answered from, and what holds it there."},
      {"tenants", "Tenants move, or their homes change."},
  };
  return table;
}

// What is longer is told in `before` alone.
constexpr std::size_t quoted_max = 80;

std::string quoted(const std::string& text) {
  return text.size() > quoted_max ? std::string("what it was") : "`" + text + "`";
}

std::string rollback_of(const Change& change) {
  const std::string where = change.place.line == 0
                                ? change.place.file
                                : fmt::format("{}:{}", change.place.file, change.place.line);
  if (change.before.empty()) return fmt::format("take it out of {} and reload", where);
  if (change.after.empty()) {
    return fmt::format("put {} back into {} and reload", quoted(change.before), change.place.file);
  }
  return fmt::format("set {} back to {} and reload", where, quoted(change.before));
}

/// The roles that the approval rules name for a zone; for all zones if it is empty. The old rules
/// decide, so that nobody can change their own reviewers.
std::vector<std::string> reviewers_of(const Policy& policy, const std::string& zone) {
  std::set<std::string> roles;
  if (policy.approvals) {
    for (const ApprovalRule& rule : policy.approvals->rules) {
      if (!zone.empty() && rule.zone != "*" && rule.zone != zone) continue;
      for (const auto& [role, count] : rule.require) roles.insert(role);
    }
  }
  return {roles.begin(), roles.end()};
}

}  // namespace

void explain_change(Change& change, const Policy& from, const Policy& to) {
  const auto risk = risks().find(change.kind);
  if (risk != risks().end()) change.risk = risk->second;
  if (change.effect == ChangeEffect::loosens) {
    change.risk += " This loosens: more may cross, or fewer must sign, than before.";
  }
  change.rollback = rollback_of(change);
  if (change.rank != ChangeClass::legal) return;
  change.review = reviewers_of(from, change.zone);
  if (change.review.empty()) change.review = reviewers_of(to, change.zone);
}

}  // namespace demarc::zones::diff
