// The words of a scenario.
#include "zones/drill/scenario.h"

namespace demarc::zones::drill {

std::string_view to_text(ActionKind kind) noexcept {
  switch (kind) {
    case ActionKind::fail:
      return "fail";
    case ActionKind::recover:
      return "recover";
    case ActionKind::token:
      return "token";
    case ActionKind::freeze:
      return "freeze";
    case ActionKind::unfreeze:
      return "unfreeze";
    case ActionKind::drain:
      return "drain";
    case ActionKind::undrain:
      return "undrain";
    case ActionKind::revoke:
      return "revoke";
  }
  return "fail";
}

}  // namespace demarc::zones::drill
