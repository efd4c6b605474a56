// What an application is told about its own service: is everything at home, or is an exception
// live, under which case and until when. dns/service_compiler.cpp makes the TXT record of
// `_mode.NAME` of it, tools/status.cpp the same for HTTP and the command line.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "geo/base/moment.h"
#include "zones/cleared_weights.h"
#include "zones/model.h"

namespace demarc::zones {

/// The label before a service's owner name.
inline constexpr std::string_view mode_label = "_mode";
/// Longer case texts are cut: then the answer fits into 512 bytes, EDNS or not, at usual names.
inline constexpr std::size_t mode_case_size_max = 200;

/// Where the mode of a service is asked for; nothing for a service that has none: one that is not
/// hard, a class of tenants, an owner too long for another label.
[[nodiscard]] std::optional<Name> mode_owner(const Service& service);

/// A live exception; `grant_id` and the rest as in ModeSignal, `until` exclusive.
struct LiveMode {
  ModeSignal signal;
  WallTime until;
};

/// The exception that the weights are under at `now`; nothing: everything is at home.
[[nodiscard]] std::optional<LiveMode> live_mode(const ClearedWeights& cleared, WallTime now);

/// `v=demarc1 mode=home`, or `v=demarc1 mode=read-only case=C until=T grant=G`: fields separated by
/// single spaces, none of them with a space or a character that is not printable ASCII in it.
[[nodiscard]] std::string mode_text(const std::optional<LiveMode>& mode);

/// RFC 3339, whole seconds, rounded down.
[[nodiscard]] std::string until_text(WallTime until);

}  // namespace demarc::zones
