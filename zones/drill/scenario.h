// A drill's scenario: what fails when, which approvals arrive when, and what must come of it.
// zones/yaml/scenario_file.h reads one, zones/drill/scenario_rules.h holds it against a repository,
// zones/drill/shadow.h plays it on a virtual clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "geo/location.h"
#include "zones/model.h"

namespace demarc::zones::drill {

/// The case study's figures: what a drill is judged by unless its file says otherwise.
inline constexpr Milliseconds read_rto_default{3LL * 60 * 1000};
inline constexpr Milliseconds write_rto_default{15LL * 60 * 1000};
/// A live drill never lasts longer, and a shadow of one is no use if it does.
inline constexpr Milliseconds drill_lasts_max{4LL * 3600 * 1000};

enum class ActionKind : std::uint8_t {
  fail,     // endpoints stop answering their probes
  recover,  // and answer again
  token,    // an approval token is presented
  freeze,
  unfreeze,
  drain,
  undrain,
  revoke,
};
[[nodiscard]] std::string_view to_text(ActionKind kind) noexcept;

/// How an endpoint fails: a silent one costs every probe its timeout.
enum class FailureKind : std::uint8_t { silent, refused };

/// An approval that arrives. Either a file, or what a shadow drill signs by itself.
struct TokenPlan {
  std::string file;       // relative to the scenario's folder; empty: signed in memory
  std::string signed_by;  // a key's id in policy.yaml
  std::string id;         // jti; given by the reader if the file does not say it
  std::string zone;       // empty: the service's
  std::string service;    // label or absolute name
  std::vector<std::string> from, to;
  Mode mode = Mode::full_write;
  Milliseconds lasts{3'600'000};
  std::optional<unsigned> max_share;
  std::string reason = "drill";
  std::string case_id = "drill";
};

struct Action {
  Milliseconds at{0};
  ActionKind kind = ActionKind::fail;
  std::vector<std::string> targets;  // endpoints or regions; of a revoke one token or grant id
  FailureKind how = FailureKind::silent;
  TokenPlan token;
  std::string service;  // of a drain, empty: all
  Milliseconds lasts{0};
  std::string reason;
  Place place;
};

/// What must hold at one time; parts that are left out are not looked at.
struct Expectation {
  Milliseconds at{0};
  std::string service;                              // label or absolute name
  std::vector<geo::Code2> clients;                  // empty: all of the scenario
  std::optional<std::vector<std::string>> answers;  // regions, or "nodata", "servfail"; sorted
  std::optional<bool> held;
  std::optional<bool> crossing;
  Place place;
};

struct Scenario {
  std::string name;
  std::string description;
  std::vector<std::string> zones;     // absolute names
  std::vector<std::string> services;  // labels or absolute names; both lists empty: all
  Milliseconds read_rto = read_rto_default;
  Milliseconds write_rto = write_rto_default;
  std::vector<geo::Code2> clients;  // empty: one of each jurisdiction; an unknown one always joins
  std::vector<Action> timeline;     // by time, equal times in the file's order
  Milliseconds lasts{0};
  std::vector<Expectation> expect;
  Required sign_off;
  std::vector<std::string> participants;
  std::vector<std::string> remediation_owners;
  std::vector<std::string> activation, deactivation;  // conditions in the owner's words
  std::vector<std::string> abort_when_down;           // endpoints a live drill must not lose
  Place place;
};

}  // namespace demarc::zones::drill
