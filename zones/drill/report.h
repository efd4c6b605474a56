// A drill's report: what was seen, what was decided, what it is worth. One model for both ways of
// running; zones/drill/judge.h fills in the judgements, zones/drill/report_json.h keeps it as a
// file, zones/drill/report_markdown.h and zones/drill/report_html.h show it to people.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "geo/base/moment.h"
#include "zones/drill/sight.h"
#include "zones/model.h"

namespace demarc::zones::drill {

/// An answer for a while. All times in a report are since the drill's start; some come before it.
struct Span {
  Milliseconds from{0}, to{0};
  Answer answer;
  auto operator<=>(const Span&) const = default;
};

/// What some kinds of clients were answered, all alike.
struct Lane {
  std::string service;
  std::string residency, home, access;  // as the YAML says them
  std::vector<std::string> clients;
  std::vector<Span> spans;
  bool on_the_wire = false;  // asked by real DNS queries
  auto operator<=>(const Lane&) const = default;
};

/// Something that happened, for the timeline.
struct Mark {
  Milliseconds at{0};
  std::string kind;     // failure, recovery, verdict, token, refusal, held, crossing, return, order
  std::string service;  // empty: of all
  std::string text;
  auto operator<=>(const Mark&) const = default;
};

/// How long one service was without a good answer after one failure. Parts that did not come are
/// nothing.
struct Recovery {
  std::string service;
  std::string access;
  Milliseconds failed{0};
  std::vector<std::string> endpoints;     // that failed
  std::optional<Milliseconds> detected;   // since `failed`, as all parts: the verdict is down
  std::optional<Milliseconds> decided;    // the answer no longer leads to a failed endpoint
  std::optional<Milliseconds> published;  // queries get it
  Milliseconds ttl{0};                    // until the last cache asks again
  std::optional<Milliseconds> measured;   // the whole
  std::optional<Milliseconds> worst;      // the same with the unluckiest probes
  std::optional<Milliseconds> back;       // since the endpoints came back: answers as before
  Milliseconds objective{0};
  std::string how;  // "moved to us-east", "under grant-... to ...", "the endpoint came back"
  bool met = false;
  auto operator<=>(const Recovery&) const = default;
};

/// One entry of the trail made during the drill.
struct Decision {
  Milliseconds at{0};
  std::string kind;
  std::string jurisdiction;
  std::vector<std::pair<std::string, std::string>> facts;
  auto operator<=>(const Decision&) const = default;
};

struct Expected {
  Milliseconds at{0};
  std::string service;
  std::string wanted;
  std::string found;
  bool met = false;
  auto operator<=>(const Expected&) const = default;
};

struct SignOff {
  std::string person, role, key, token_id;
  std::string token;  // as presented, to be sent on to a server
  auto operator<=>(const SignOff&) const = default;
};

struct Report {
  std::string scenario, description;
  std::string how;   // "shadow" or "live"
  std::string node;  // of a live drill
  WallTime started;
  Milliseconds lasted{0};
  std::uint64_t seed = 0;  // of the probes' phases, in shadow
  std::string scenario_digest, configuration_digest, policy_digest;

  std::vector<std::string> participants, remediation_owners;
  std::vector<std::string> activation, deactivation;
  std::vector<std::string> assumptions;  // what was taken for granted instead of tried
  Milliseconds read_rto{0}, write_rto{0};
  std::vector<Lane> lanes;
  std::vector<Mark> marks;
  std::vector<Recovery> recoveries;
  std::vector<Decision> decisions;
  std::vector<std::string> violations;
  std::vector<Expected> expected;
  std::string aborted;  // why; empty: it was not
  bool passed = false;  // no violation, every objective and expectation met, not aborted

  Required sign_off;  // what the scenario and the policy ask for
  std::vector<SignOff> sign_offs;
  Milliseconds due_every{0};
  auto operator<=>(const Report&) const = default;
};

/// SHA-256 in hex of the report's JSON without its sign-offs: what people sign.
[[nodiscard]] std::string report_digest(const Report& report);

/// What a sign-off token's claim `drill` says: the scenario's name, `@`, and the first 16 digits of
/// the report's digest, so that nobody signs one report and files another.
[[nodiscard]] std::string sign_off_subject(const std::string& scenario, const std::string& digest);

/// "4.20 s", "2 m 30 s"; for people.
[[nodiscard]] std::string duration_text(Milliseconds duration);
/// "+5 m 2 s"; a moment of the drill.
[[nodiscard]] std::string moment_text(Milliseconds at);

/// How an answer reads: "us-east (outside home, under a grant)".
[[nodiscard]] std::string answer_text(const Answer& answer);

}  // namespace demarc::zones::drill
