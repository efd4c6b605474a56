#include "zones/mode_signal.h"

#include <algorithm>

#include <fmt/format.h>

#include "zones/time_text.h"

namespace demarc::zones {
namespace {

/// Nobody who writes a token may write a field of the text.
std::string as_field(std::string_view text) {
  std::string field(text.substr(0, mode_case_size_max));
  for (char& c : field) {
    if (c <= ' ' || c > '~') c = '_';
  }
  return field.empty() ? std::string("-") : field;
}

}  // namespace

std::optional<Name> mode_owner(const Service& service) {
  if (service.residency != Residency::hard || service.tenants_of) return std::nullopt;
  return Name::parse(mode_label, service.owner);
}

std::optional<LiveMode> live_mode(const ClearedWeights& cleared, WallTime now) {
  if (!cleared.mode() || !cleared.valid_until() || now >= *cleared.valid_until()) {
    return std::nullopt;
  }
  return LiveMode{*cleared.mode(), *cleared.valid_until()};
}

std::string mode_text(const std::optional<LiveMode>& mode) {
  if (!mode) return "v=demarc1 mode=home";
  return fmt::format("v=demarc1 mode={} case={} until={} grant={}", to_text(mode->signal.mode),
                     as_field(mode->signal.case_id), until_text(mode->until),
                     as_field(mode->signal.grant_id));
}

std::string until_text(WallTime until) {
  std::string text = to_rfc3339(std::chrono::floor<Seconds>(until));
  return text.replace(text.rfind('.'), std::string_view(".000").size(), "");
}

}  // namespace demarc::zones
