// What steering remembers, all of it: verdicts, orders, grants, used tokens, pending changes. A
// restart that reads this back goes on where it stopped. zones/state_store.h keeps it on disk.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "zones/grant.h"
#include "zones/verdict.h"

namespace demarc::zones {

struct CheckState {
  Verdict verdict = Verdict::unknown;
  WallTime since;
  std::string detail;     // the last evidence, for people
  bool failing = false;   // what steering acts on: down, unless a delay, freeze or guard forbids it
  bool degraded = false;  // what steering acts on, as with `failing`
  bool wavers = false;    // not kept over a restart: the prober tells it anew
  std::optional<WallTime> failing_since;  // since it counts, or was found
  std::optional<WallTime> returns;        // well again; until then its record may be kept out
  std::uint32_t penalty = 0;              // for flapping (zones/flap.h), as of the next
  WallTime penalty_at;

  auto operator<=>(const CheckState&) const = default;
};

/// A human's order about endpoints or a region; wins over health, never over the gate.
struct Order {
  std::string id;
  std::string target;   // a region's name, an endpoint's host name, or a pattern of such
  std::string service;  // owner without the last dot; empty: all services
  std::string who;
  std::string reason;
  WallTime given;
  WallTime ends;
  OrderKind kind = OrderKind::drain;

  auto operator<=>(const Order&) const = default;
};

/// The crossing part of a plan that the gate held back.
struct PendingChange {
  std::string id;  // "chg-" and ten hexadecimal digits of its zone, service, from and to
  std::string zone;
  std::string service;
  std::vector<std::string> from, to;  // regions, sorted
  WallTime since;
  std::string evidence;  // why traffic should leave
  std::string why;       // why it may not, as it was told last

  auto operator<=>(const PendingChange&) const = default;
};

struct RevokedKey {
  std::string key_id;
  std::string who;
  std::string reason;
  WallTime since;
  auto operator<=>(const RevokedKey&) const = default;
};

/// The key list that was trusted last; a newer one must be signed by it, an older one is refused.
struct TrustedKeys {
  std::uint32_t version = 0;
  std::string digest;
  std::vector<ApprovalKey> keys;
  Required require;
  auto operator<=>(const TrustedKeys&) const = default;
};

/// A break-glass grant that nobody has reviewed yet.
struct OpenReview {
  std::string grant_id;
  std::vector<std::string> signers;    // persons: none of them may review
  std::vector<std::string> reviewers;  // who signed a review so far: "PERSON ROLE"
  WallTime since;
  auto operator<=>(const OpenReview&) const = default;
};

struct LagState {
  std::optional<double> value;
  std::string detail;
  WallTime since;  // of the measurement
  auto operator<=>(const LagState&) const = default;
};

struct AdviceState {
  std::string service;           // owner
  std::optional<Effect> effect;  // nothing: asked, and no word yet
  std::string detail;            // the word's reason, or why the last question got none
  WallTime since;                // of the question, or of the last that is known
  auto operator<=>(const AdviceState&) const = default;
};

struct LiveDrill {
  std::string name;
  std::vector<std::string> checks;
  std::string who;
  WallTime since, ends;
  std::vector<std::string> key_digests;  // of the keys it was signed with (zones/jws.h)
  auto operator<=>(const LiveDrill&) const = default;
};

struct Freeze {
  std::string who;
  std::string reason;
  WallTime since;
  auto operator<=>(const Freeze&) const = default;
};

/// What a service does beyond its base weights, as the audit trail told it last.
struct Told {
  std::string weights;                   // "eu=0 global-failover=100"; empty: base weights
  std::vector<std::string> crossings;    // "GRANT to REGION", with " for tenant T"
  std::vector<std::string> soft_abroad;  // regions
  std::vector<std::string> left;         // by crossing: the failed home regions, "eu,eu2"
  std::string waits;     // for which steps covered crossings wait: "GRANT to REGION: STEP"
  std::string asserted;  // ids of the assertions that decide against health
  std::string leashed;   // what the leash keeps in the answers: "ENDPOINT: WHY"
  std::optional<WallTime> crossing_since, soft_since;  // of the first of `crossings`, `soft_abroad`
  auto operator<=>(const Told&) const = default;
};

struct Removal {
  WallTime at;
  std::uint32_t weight = 0;
  auto operator<=>(const Removal&) const = default;
};

/// What automation has made of one service's weights (zones/leash.h); endpoints as written.
struct LeashState {
  std::map<std::string, std::uint16_t> weights;  // of records that have less than their base weight
  std::vector<Removal> removed;                  // in the last minute, oldest first
  std::map<std::string, WallTime> returned;      // since when a record is back, not yet in full
  std::set<std::string> kept_away;               // checks that are well and wait for a person
  auto operator<=>(const LeashState&) const = default;
};

/// So much failed at once that health is not believed.
struct MassFailure {
  WallTime since;
  WallTime window_began;  // failures from then on do not count
  std::string why;
  std::string overruled_by;  // a person who said that it is no fault of ours; empty: nobody
  auto operator<=>(const MassFailure&) const = default;
};

struct SteeringState {
  std::map<std::string, CheckState> checks;      // by check key
  std::map<std::string, Order> orders;           // by id
  std::map<std::string, Grant> grants;           // by id; complete and waiting ones
  std::map<std::string, WallTime> used_tokens;   // jti -> its end
  std::map<std::string, PendingChange> pending;  // by id
  std::map<std::string, Told> told;              // by service; those that differ from base
  std::map<std::string, LeashState> leashes;     // by service; those of which it keeps something
  std::optional<Freeze> freeze;
  std::optional<MassFailure> mass_failure;
  std::map<std::string, RevokedKey> revoked_keys;  // by public_key_digest() (zones/jws.h)
  std::optional<TrustedKeys> trusted_keys;
  std::optional<OpenReview> open_review;
  std::map<std::string, LagState> lag;        // by LagCheck::key
  std::map<std::string, AdviceState> advice;  // by advice_key() (zones/activation.h)
  std::optional<LiveDrill> drill;
  std::optional<WallTime> drill_passed;                                  // the last one that did
  std::map<std::string, std::pair<std::string, std::uint32_t>> serials;  // apex -> digest, serial
  /// By service with residency: digest of its definition as the trail told it last.
  std::map<std::string, std::string> definitions;
  WallTime trusted_wall;      // the latest wall time that was believed
  std::string configuration;  // digest of the last configuration that was loaded

  auto operator<=>(const SteeringState&) const = default;
};

/// JSON text with a format version and a digest of itself, so that a torn or edited file is
/// noticed.
[[nodiscard]] std::string write_state(const SteeringState& state);

/// Reads what write_state wrote; the error says what is wrong.
[[nodiscard]] Result<SteeringState, std::string> parse_state(std::string_view text);

/// The clock went back by so much, and is right: what is measured from now stays as old, or as far
/// ahead, as it was. What people named a time of ends then: grants, orders, drills, used tokens.
void keep_ages(SteeringState& state, Milliseconds back);

/// The stable id of a pending change.
[[nodiscard]] std::string change_id(const std::string& zone, const std::string& service,
                                    const std::vector<std::string>& from,
                                    const std::vector<std::string>& to);

}  // namespace demarc::zones
