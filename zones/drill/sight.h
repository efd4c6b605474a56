// What is answered, seen from outside: for one service and one kind of client, out of the weights
// that were published. And whether it may be: a judgement of its own, written from the rules of
// DESIGN.md section 4 and sharing nothing with zones/gate.h, so that it can find the gate wrong.
// zones/drill/report.h keeps what was seen.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "geo/location.h"
#include "zones/drill/scenario.h"
#include "zones/steering.h"

namespace demarc::zones::drill {

/// A kind of client: a country, or nothing known of it.
struct Client {
  std::string name;  // "DE", "unknown"
  geo::Location location;
};

/// The scenario's countries, or one of each jurisdiction; the unknown client is always the last.
[[nodiscard]] std::vector<Client> clients_of(const Scenario& scenario, const Policy& policy);
[[nodiscard]] Client client_of(geo::Code2 country);

struct Answer {
  ChoiceKind kind = ChoiceKind::records;
  ChoiceNote note = ChoiceNote::none;
  std::vector<std::string> regions;    // that may answer, sorted, no duplicates
  std::vector<std::string> endpoints;  // likewise
  unsigned share = 100;                // percent that these answer ...
  std::vector<std::string> rest;       // ... and the endpoints that answer the others
  bool abroad = false;                 // one of the regions lies outside home
  auto operator<=>(const Answer&) const = default;
};
[[nodiscard]] std::string_view to_text(ChoiceNote note) noexcept;
[[nodiscard]] std::string_view to_text(ChoiceKind kind) noexcept;

/// What the client is answered at `now`; nothing while nothing is published.
[[nodiscard]] std::optional<Answer> look(const Steering& steering, ServiceId service,
                                         const Client& client, WallTime now);

/// A grant as far as it may cover an answer.
struct Covering {
  std::string service;  // owner without the last dot
  std::vector<std::string> to;
  Mode mode = Mode::read_only;
  WallTime ends;
};
/// The complete grants of a state.
[[nodiscard]] std::vector<Covering> coverings_of(const SteeringState& state);

/// Why an answer breaks the law; empty: it does not. Only a hard service's answer outside the
/// client's home, without a live grant that covers it, does.
[[nodiscard]] std::string find_violation(const Repository& repository, ServiceId service,
                                         const Client& client, const Answer& answer,
                                         const std::vector<Covering>& grants, WallTime now);

/// Whether the region lies in the home of such a client, or in a standby approved for it.
[[nodiscard]] bool is_home(const Repository& repository, const Service& service,
                           const Client& client, const std::string& region);

}  // namespace demarc::zones::drill
