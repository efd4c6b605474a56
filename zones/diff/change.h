// What differs between two states of a repository, one thing a change: what was there, what will
// be, whether law, traffic or neither is touched. zones/diff/difference.h finds the changes;
// `demarc plan` (tools/cli_plan.cpp) prints them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "geo/base/diagnostics.h"

namespace demarc::zones {

/// In rising order of who has to look at it.
enum class ChangeClass : std::uint8_t {
  routine,  // no answer changes by it, and no duty
  traffic,  // some client's answer changes
  legal,    // a duty, or who may lift it, is touched
};

/// What a legal change does to what may cross a border.
enum class ChangeEffect : std::uint8_t { touches, tightens, loosens };

struct Change {
  std::string kind;     // stable, kebab-case: "service-residency"
  std::string subject;  // whose: "api.example.com", "jurisdiction EU"
  ChangeClass rank = ChangeClass::routine;
  ChangeEffect effect = ChangeEffect::touches;
  std::string before, after;  // empty: it was not, or will not be, there
  Place place;                // in the new state; in the old one if it is gone
  bool place_is_old = false;
  std::string zone;                 // whose approval rules name the reviewers; empty: all of them
  std::string risk, rollback;       // sentences for people
  std::vector<std::string> review;  // roles that have to look at it; legal changes alone
};

/// Clients of a service who are answered differently by base weights.
struct TrafficShift {
  std::string service;
  std::string before, after;         // "eu", "eu 70 %, us-east 30 %", "NODATA", "nothing"
  std::vector<std::string> clients;  // "DE", "of no known country", "in 192.0.2.0/24"
  bool is_everyone = false;
};

[[nodiscard]] std::string_view to_text(ChangeClass rank) noexcept;
[[nodiscard]] std::string_view to_text(ChangeEffect effect) noexcept;

}  // namespace demarc::zones
