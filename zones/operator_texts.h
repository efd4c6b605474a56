// What an operator is told of a service over DNS: its health, its gate, and which regions answer.
// zones/steering.h knows it, tools/local_names.h asks here, dns/local_names.h answers with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "geo/base/moment.h"
#include "zones/cleared_weights.h"
#include "zones/model.h"
#include "zones/steering_state.h"

namespace demarc::zones {

/// The labels before a service's owner name.
inline constexpr std::string_view geo_label = "_geo";
inline constexpr std::string_view health_label = "_health";
inline constexpr std::string_view gate_label = "_gate";

/// More records than these are counted in a last line, so that the answer fits a datagram or TCP.
inline constexpr std::size_t health_lines_max = 64;
/// More pending changes or standing grants than these are counted: "chg-1,chg-2,+3".
inline constexpr std::size_t gate_ids_max = 4;
/// A longer list of regions is cut, with a `+` at its end.
inline constexpr std::size_t regions_size_max = 120;

/// One line a record, in the file's order, each at most 255 bytes:
/// `v=demarc1 region=eu endpoint=api.eu.example verdict=up weight=100`. The verdict is that of its
/// checks together: `down` by the service's quorum, `degraded` when only some are down,
/// `unchecked` without any.
[[nodiscard]] std::vector<std::string> health_lines(const Policy& policy, const Service& service,
                                                    const SteeringState& state);

/// What the gate says of a service; fields separated by single spaces.
struct GateTexts {
  std::string home;  // `v=demarc1 mode=home residency=hard home=EU pending=chg-1 standing=-`
  std::string live;  // with the exception it is under, as zones/mode_signal.h has it; empty: none
};

/// `pending` are the changes that wait for approval, those of its tenants too; `standing` the live
/// grants with their ends, `grant-1@2026-11-23T06:00:00Z`, whether they move anything or not.
/// `cleared` may be null: nothing is published. The live text is good until
/// `cleared->valid_until()`.
[[nodiscard]] GateTexts gate_texts(const Repository& repository, ServiceId service,
                                   const SteeringState& state, const ClearedWeights* cleared);

/// For each of `choices` (choice_of_variant() or the fenced ones), the regions that answer,
/// `eu,us`; `nodata` or `servfail` where none does.
[[nodiscard]] std::vector<std::string> answering_regions(const Policy& policy,
                                                         const Service& service,
                                                         const ClearedWeights& cleared,
                                                         const std::vector<std::uint16_t>& choices);

}  // namespace demarc::zones
