// What an alert says: one sentence for the pager, and the details that counsel and the engineer on
// call need: the law, the wish, the rule that said no, the lawful options with their commands.
// zones/steering_tell.cpp raises them; health/ sends them on.
#pragma once

#include <string>
#include <vector>

#include "zones/events.h"
#include "zones/steering_state.h"

namespace demarc::zones {

/// Why a crossing is held.
struct HeldBack {
  std::string rule;      // id
  bool by_rule = false;  // no token would help
  std::string why;
};

[[nodiscard]] Alert held_alert(const Repository& repository, const Service& service,
                               const PendingChange& change, const HeldBack& held);

/// Whom an approval is for: with a class of tenants one of them, or all.
enum class Whom : std::uint8_t { one_tenant, all };
/// What makes a token for a pending change; placeholders in capital letters.
[[nodiscard]] std::string approval_command(const Repository& repository, const Service& service,
                                           const PendingChange& change, Whom whom);

struct CrossingFacts {
  std::vector<std::string> crossings;
  std::string rule;
  std::string evidence;
  std::optional<WallTime> deadline;
};
[[nodiscard]] Alert crossing_alert(const Repository& repository, const Service& service,
                                   const CrossingFacts& facts, WallTime since);
[[nodiscard]] Alert soft_alert(const Repository& repository, const Service& service,
                               const std::string& where, const CrossingFacts& facts,
                               WallTime since);
[[nodiscard]] Alert assertion_alert(const Repository& repository, const Service& service,
                                    const std::string& ids, const std::string& evidence,
                                    WallTime since);
/// What the leash does to a service.
struct Leashed {
  std::string what;               // "ENDPOINT: SETTING" of each record
  bool waits_for_a_word = false;  // to come home
};
[[nodiscard]] Alert leash_alert(const Repository& repository, const Service& service,
                                const Leashed& leashed, const std::string& evidence,
                                WallTime since);
/// Of the node: audit, clock, configuration, freeze.
[[nodiscard]] Alert node_alert(std::string key, std::string text, WallTime since, AlertLevel level,
                               std::vector<std::pair<std::string, std::string>> options);

/// "api.example.com", and for a class of tenants its parent's name and the class's label.
[[nodiscard]] std::string name_of(const Repository& repository, const Service& service);
/// How many regulated tenants answer by this service.
[[nodiscard]] std::size_t regulated_tenants(const Repository& repository, const Service& service);

}  // namespace demarc::zones
