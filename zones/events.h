// Everything that can happen to steering, and everything it can ask for in return. Plain values: a
// list of events is a whole history, and steering makes the same of it every time. The daemon
// (tools/) makes the events and carries out the effects; zones/steering.h is between.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "geo/base/moment.h"
#include "zones/audit/entry.h"
#include "zones/cleared_weights.h"
#include "zones/model.h"
#include "zones/verdict.h"
#include "zones/view.h"

namespace demarc::zones {

/// A loaded repository with its views, after the location table was built. Immutable and shared.
struct Configuration {
  std::unique_ptr<const Repository> repository;
  std::unique_ptr<const Views> views;
};

// ---- events

struct ConfigurationLoaded {
  std::shared_ptr<const Configuration> configuration;
  std::string why;  // "start", "reload by signal", "files changed"
};
/// An edit that did not load; the last good one goes on.
struct ConfigurationRefused {
  std::string why;
  std::string first_error;
};
struct VerdictFound {
  std::string check;  // HealthCheck::key
  Verdict verdict = Verdict::unknown;
  std::string detail;
};
/// A check's last probes speak against its verdict, but not yet for long enough; or no longer.
struct CheckWavered {
  std::string check;  // HealthCheck::key
  bool wavers = false;
};
struct TokenPresented {
  std::string text;
  std::string who;
};
struct GrantRevoked {
  std::string id;  // of the grant, or of one of its tokens
  std::string who;
  std::string reason;
  bool is_token = false;  // a token's id, presented already or not: it approves nothing any more
};
/// A key that nothing more may be signed with; what it signed ends.
struct KeyRevoked {
  std::string key_id;
  std::string who;
  std::string reason;
};
/// What a replica says of its lag, or why it could not be asked.
struct LagMeasured {
  std::string check;  // LagCheck::key
  std::optional<double> value;
  std::string detail;
};
/// The policy engine's word on one crossing.
struct AdviceGiven {
  std::string id;                // AdviceWanted::id
  std::optional<Effect> effect;  // nothing: no word in time, or none that is clear; not an allow
  std::string detail;            // its reason, or why there is no word
};
/// Live drills: the endpoints of `checks` count as down, whatever health says, until the drill
/// ends.
struct DrillBegun {
  std::string name;
  std::vector<std::string> tokens;  // of type drill
  std::vector<std::string> checks;  // keys
  std::string who;
  Milliseconds lasts{0};
};
struct DrillEnded {
  std::string who;
  std::string reason;
};
/// A drill's report, whichever way it was run: the trail remembers it, and the due date moves.
struct DrillReported {
  std::string name;
  std::string how;  // "shadow" or "live"
  bool passed = false;
  std::string report_digest;        // SHA-256 in hex of the JSON report
  std::vector<std::string> tokens;  // sign-offs, of type drill
  std::string who;
  WallTime ended;     // when it was run: the next is due from then on
  Required sign_off;  // what the scenario asks for, beside the policy
  std::string participants;
};
struct OrderGiven {
  std::string target;   // a region, an endpoint, or a pattern of endpoints with * and ?
  std::string service;  // owner or label-less: absolute name; empty: all services
  std::string who;
  std::string reason;
  Milliseconds lasts{0};
  OrderKind kind = OrderKind::drain;
};
struct OrderEnded {
  std::string id;  // the order's id, or its target: then all orders of it
  std::string who;
};
struct FreezeSet {
  bool on = false;
  std::string who;
  std::string reason;
};
/// A human's word that a service with `failback: manual` may go home.
struct FailbackOrdered {
  std::string service;  // owner, absolute
  std::string who;
  std::string reason;
};
/// A human's word that the wall clock is right, after it went back.
struct ClockTrusted {
  std::string who;
  std::string reason;
};
struct TimerFired {};
/// The audit trail could not be written: the effects of the last step were carried out without it,
/// by `publish_if_unaudited`.
struct AuditBroken {
  std::string error;
};
struct AuditMended {};
/// A fact about the node itself that belongs in the trail.
struct NodeFact {
  std::string kind;
  std::string text;
};

struct Event {
  Moment at;
  std::variant<ConfigurationLoaded, ConfigurationRefused, VerdictFound, CheckWavered,
               TokenPresented, GrantRevoked, KeyRevoked, LagMeasured, AdviceGiven, DrillBegun,
               DrillEnded, DrillReported, OrderGiven, OrderEnded, FreezeSet, FailbackOrdered,
               ClockTrusted, TimerFired, AuditBroken, AuditMended, NodeFact>
      what;
};

// ---- effects

enum class AlertLevel : std::uint8_t { info, warning, critical };

/// What counsel and the engineer on call need beside the sentence; all of it may be empty.
struct AlertDetails {
  std::string zone, service, tenant;
  std::string residency, home, access;  // as the YAML says them
  std::size_t regulated_tenants = 0;    // of the classes that are touched
  std::string state;                    // "held", "crossing", "soft-crossing" ...
  std::string wanted;                   // what steering wanted
  std::string why;                      // why the gate said no, or on whose word it said yes
  std::string rule;                     // id
  std::string evidence;
  std::string change;                                        // id of the pending change
  std::vector<std::pair<std::string, std::string>> options;  // lawful ones in order: what, command
  std::vector<std::string> approvers;                        // "1 legal, 1 security"
  std::optional<WallTime> deadline;                          // when it ends by itself
};

struct Alert {
  std::string key;   // one alert per cause
  std::string text;  // one sentence
  WallTime since;
  AlertLevel level = AlertLevel::warning;
  bool to_everyone = false;  // no receiver's filter keeps it out
  AlertDetails details;
};

/// A question to the policy's advisor; the answer comes as AdviceGiven.
struct AdviceWanted {
  std::string id;
  Advisor advisor;
  std::string input;  // JSON text of an object: what the engine sees as `input`
};

struct Reply {
  bool accepted = false;
  std::string text;  // for the person who asked
  std::string id;    // of what was made: a grant, an order
};

/// What a step asks for; carried out in the order of the members.
struct Effects {
  std::vector<AuditEntry> audit;  // on disk before anything below happens
  bool save_state = false;        // likewise
  bool state_changed = false;     // worth saving within a second or so, but nothing waits for it
  std::vector<ClearedWeights> publish;
  /// Instead of `publish`, if `audit` could not be written: the same without any crossing that is
  /// new.
  std::vector<ClearedWeights> publish_if_unaudited;
  std::vector<Alert> alerts_raised;
  std::vector<std::string> alerts_ended;
  std::vector<AdviceWanted> advice_wanted;
  std::optional<WallTime> timer;  // the next moment at which a TimerFired is due
  std::optional<Reply> reply;
};

}  // namespace demarc::zones
